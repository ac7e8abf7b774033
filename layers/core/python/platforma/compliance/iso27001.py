"""ISO/IEC 27001:2022, Annex A: the controls that an identity, access and audit system touches, in our words."""

from platforma.compliance.model import Control, Framework

ISO27001 = Framework(
    "iso27001",
    "ISO/IEC 27001:2022, Annex A",
    "The controls of Annex A that this system touches. Clauses 4 to 10 and the other controls are the organization's.",
    (
        Control("A.5.3", "Duties that conflict are separated", ("administrators_known", "access_reviewed")),
        Control("A.5.7", "Threats are known", by_people="The sources that are followed, and what came of them."),
        Control(
            "A.5.9", "Information and other assets are listed", by_people="The inventory; records of processing are kept."
        ),
        Control("A.5.12", "Information is classified", by_people="The classification."),
        Control("A.5.15", "Access is controlled by rules", ("access_reviewed", "administrators_known")),
        Control("A.5.16", "Identities are managed throughout their life", ("dormant_users",)),
        Control(
            "A.5.17", "Authentication information is allocated and managed", ("mfa_coverage", "key_ages", "keys_expire")
        ),
        Control(
            "A.5.18",
            "Access rights are given, reviewed, changed and removed",
            ("access_reviewed", "dormant_users", "dormant_keys"),
        ),
        Control("A.5.19", "Security in relations with suppliers", by_people="Assessments of suppliers."),
        Control("A.5.23", "Security in the use of cloud services", ("tables_encrypted", "buckets_private"), "The contract."),
        Control("A.5.24", "Incidents are prepared for", ("alarms_set",), "The plan, and who is on call."),
        Control("A.5.25", "Events are assessed", ("alarms_quiet",), "The records of assessments."),
        Control("A.5.28", "Evidence is collected and kept", ("log_retained", "log_signed", "log_complete")),
        Control("A.5.30", "Technology is ready for continuity", ("tables_recoverable",), "The last test of a restore."),
        Control("A.5.31", "Legal and contractual requirements are known", by_people="The register of them."),
        Control("A.5.33", "Records are protected", ("log_locked", "log_retained", "log_signed")),
        Control("A.5.34", "Privacy and personal data are protected", ("tables_encrypted", "tenant_key_rotated")),
        Control("A.5.35", "Security is reviewed independently", by_people="The reports of reviews."),
        Control("A.5.36", "Policies and standards are complied with", by_people="Reviews by whoever is responsible."),
        Control("A.6.3", "People are made aware and trained", by_people="Records of training."),
        Control("A.6.5", "Duties after employment ends", ("dormant_users",), "That leavers were removed in time."),
        Control("A.7.1", "Physical perimeters", by_people="The cloud provider's certificate."),
        Control("A.8.2", "Privileged access is restricted and managed", ("administrators_known", "mfa_coverage")),
        Control("A.8.3", "Access to information is restricted", ("access_reviewed", "buckets_private")),
        Control("A.8.5", "Authentication is secure", ("mfa_coverage", "failed_sign_ins")),
        Control("A.8.6", "Capacity is watched", by_people="The dashboards; everything scales on demand."),
        Control("A.8.8", "Technical vulnerabilities are managed", by_people="Scans, and how soon findings were mended."),
        Control("A.8.9", "Configurations are managed", by_people="Templates in version control; drift detection."),
        Control("A.8.10", "Information is deleted when it is not needed", by_people="The retention schedule, and erasures."),
        Control("A.8.12", "Leakage of data is prevented", ("buckets_private", "keys_expire")),
        Control("A.8.13", "Backups are made and tested", ("tables_recoverable",), "The last test of a restore."),
        Control("A.8.14", "Processing is redundant", by_people="The provider's zones: every service here spans several."),
        Control("A.8.15", "Activities are logged and logs are protected", ("log_complete", "log_locked", "log_signed")),
        Control("A.8.16", "Systems are monitored for anomalies", ("alarms_set", "alarms_quiet", "failed_sign_ins")),
        Control("A.8.17", "Clocks agree", by_people="The provider's time service: functions take it from there."),
        Control("A.8.20", "Networks are secured", ("tls_outside", "tls_inside"), "A scan of what else the account exposes."),
        Control("A.8.21", "Network services are secured", ("tls_outside", "tls_inside")),
        Control(
            "A.8.24",
            "Cryptography is used by rules, and keys are managed",
            (
                *("tables_encrypted", "buckets_encrypted", "queues_encrypted", "cloud_keys_rotated", "tenant_key_rotated"),
                *("signing_keys_rotated", "tls_outside", "tls_inside"),
            ),
        ),
        Control("A.8.25", "Development is secure", by_people="Reviews, tests and builds in version control."),
        Control("A.8.32", "Changes are managed", by_people="Reviews and builds in version control."),
    ),
)
