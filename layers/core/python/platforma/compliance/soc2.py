"""SOC 2: the common criteria CC1 to CC9 of the 2017 trust services criteria (points of focus revised 2022), in our words."""

from platforma.compliance.model import Control, Framework

_ORGANIZATION = "How the organization is led and staffed is shown by documents and interviews."

SOC2 = Framework(
    "soc2",
    "SOC 2, common criteria (security)",
    "The criteria that this system's state can show, by what it shows now. A Type II report also asks for how it stood "
    "throughout a period: the audit log has that, and its exports are signed.",
    (
        Control("CC1.1", "Integrity and ethical values are lived", by_people=_ORGANIZATION),
        Control("CC1.2", "The board oversees internal control", by_people=_ORGANIZATION),
        Control("CC1.3", "Structures, reporting lines and authority are set", by_people=_ORGANIZATION),
        Control("CC1.4", "Competent people are hired, developed and kept", by_people=_ORGANIZATION),
        Control("CC1.5", "People answer for their part in internal control", by_people=_ORGANIZATION),
        Control(
            "CC2.1",
            "Relevant, good information supports internal control",
            ("log_complete", "log_signed"),
        ),
        Control("CC2.2", "Objectives and responsibilities are told inside", by_people="Policies and their acknowledgement."),
        Control("CC2.3", "What concerns outsiders is told to them", by_people="Contracts, notices, a security contact."),
        Control("CC3.1", "Objectives are clear enough to find risks to them", by_people="The risk assessment."),
        Control("CC3.2", "Risks are found and analysed", by_people="The risk assessment."),
        Control("CC3.3", "The possibility of fraud is considered", by_people="The risk assessment."),
        Control("CC3.4", "Changes that matter to internal control are assessed", by_people="The risk assessment."),
        Control(
            "CC4.1",
            "Controls are evaluated on a schedule and separately",
            ("access_reviewed", "log_complete"),
            by_people="Evaluations of the controls that no system sees, such as internal audits.",
        ),
        Control(
            "CC4.2",
            "Deficiencies are told in time to whoever mends them",
            ("alarms_set",),
            by_people="That each was acted on.",
        ),
        Control(
            "CC5.1",
            "Controls are chosen that bring risks down",
            by_people="The mapping from risks to controls.",
        ),
        Control(
            "CC5.2",
            "General controls over technology are chosen and built",
            ("tables_encrypted", "buckets_private", "log_locked", "alarms_set"),
        ),
        Control(
            "CC5.3", "Controls are laid down in policies and procedures", by_people="The policies, and that they are kept."
        ),
        Control(
            "CC6.1",
            "Logical access to protected information is restricted",
            (
                *(
                    "tables_encrypted",
                    "buckets_encrypted",
                    "queues_encrypted",
                    "buckets_private",
                    "mfa_coverage",
                    "keys_expire",
                    "key_ages",
                ),
                *("tenant_key_rotated", "signing_keys_rotated"),
            ),
        ),
        Control(
            "CC6.2",
            "Users are registered and authorized before access, and removed when it ends",
            ("dormant_users", "access_reviewed"),
        ),
        Control(
            "CC6.3",
            "Access follows roles, least privilege and separation of duties, and is changed with them",
            ("access_reviewed", "administrators_known", "dormant_users", "dormant_keys"),
        ),
        Control("CC6.4", "Physical access is restricted", by_people="The cloud provider's own report."),
        Control(
            "CC6.5",
            "Protections end only when data can no longer be read",
            by_people="Shredding statements of deleted tenants, and the provider's report on its media.",
        ),
        Control(
            "CC6.6",
            "Threats from outside the boundary are met",
            ("tls_outside", "buckets_private", "mfa_coverage", "failed_sign_ins"),
        ),
        Control(
            "CC6.7",
            "Information is protected in transmission, movement and removal",
            ("tls_outside", "tls_inside", "buckets_encrypted", "queues_encrypted"),
        ),
        Control("CC6.8", "Unauthorized and malicious software is kept out", by_people="Dependency and build records."),
        Control(
            "CC7.1",
            "Changes of configuration and new vulnerabilities are detected",
            by_people="Vulnerability scans, and the deployments in the log of the cloud account.",
        ),
        Control("CC7.2", "Anomalies are watched for and analysed", ("alarms_set", "failed_sign_ins", "log_complete")),
        Control(
            "CC7.3", "Events are evaluated: is it an incident?", ("alarms_quiet",), by_people="The records of evaluations."
        ),
        Control("CC7.4", "Incidents are answered by a programme", by_people="The incident plan, and its records."),
        Control(
            "CC7.5",
            "Recovery from incidents is planned and done",
            ("tables_recoverable",),
            by_people="The last test of a restore.",
        ),
        Control(
            "CC8.1", "Changes are authorized, tested and documented", by_people="Reviews and builds in version control."
        ),
        Control(
            "CC9.1", "Risks of disruption are brought down", ("tables_recoverable", "log_locked"), by_people="The plan."
        ),
        Control("CC9.2", "Risks of vendors and partners are managed", by_people="Assessments of vendors."),
    ),
)
