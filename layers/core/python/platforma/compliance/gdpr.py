"""GDPR (Regulation (EU) 2016/679): the articles that a system of identities and logs touches, in our words."""

from platforma.compliance.model import Control, Framework

GDPR = Framework(
    "gdpr",
    "GDPR",
    "The articles that this system touches. Whether processing is lawful, and what a controller tells people, is not for "
    "it to show.",
    (
        Control(
            "Art. 5(1)(c)",
            "Personal data is limited to what is needed",
            by_people="That profile attributes hold no more than is needed.",
        ),
        Control(
            "Art. 5(1)(e)",
            "Personal data is kept no longer than needed",
            ("dormant_users",),
            by_people="That the tenant's retention term is the one its purpose needs.",
        ),
        Control(
            "Art. 5(1)(f)",
            "Integrity and confidentiality",
            (
                "tables_encrypted",
                "buckets_encrypted",
                "queues_encrypted",
                "buckets_private",
                "mfa_coverage",
                "tenant_key_rotated",
            ),
        ),
        Control("Art. 5(2)", "Compliance can be shown", ("log_complete", "log_signed", "log_retained")),
        Control("Art. 6", "Processing is lawful", by_people="The legal basis of each purpose."),
        Control("Art. 13, 14", "People are informed", by_people="The privacy notice."),
        Control(
            "Art. 15, 20",
            "Access and portability",
            by_people="Requests and their dates: each is a `settings.users.disclose`.",
        ),
        Control("Art. 16", "Rectification", by_people="Requests and their dates: each is a `settings.users.update`."),
        Control("Art. 17", "Erasure", by_people="Requests and their dates: each has a certificate of erasure."),
        Control("Art. 24", "Measures are taken, and reviewed", ("access_reviewed",), "The policies, and their reviews."),
        Control(
            "Art. 25", "Data protection by design and by default", ("keys_expire", "buckets_private", "tenant_key_rotated")
        ),
        Control("Art. 28", "Processors", by_people="The contracts with processors, the cloud provider's among them."),
        Control(
            "Art. 30",
            "Records of processing activities",
            by_people="Purposes and recipients: `/v1/compliance/records-of-processing` has what the system knows.",
        ),
        Control(
            "Art. 32(1)(a)",
            "Pseudonymisation and encryption",
            (
                "tables_encrypted",
                "buckets_encrypted",
                "queues_encrypted",
                "cloud_keys_rotated",
                "tenant_key_rotated",
                "tls_outside",
            ),
        ),
        Control(
            "Art. 32(1)(b)",
            "Ongoing confidentiality, integrity, availability and resilience",
            ("mfa_coverage", "log_locked", "tables_recoverable", "alarms_set"),
        ),
        Control("Art. 32(1)(c)", "Availability is restored in time", ("tables_recoverable",), "The last test of a restore."),
        Control("Art. 32(1)(d)", "Measures are tested and evaluated", ("access_reviewed",), "Tests of the other measures."),
        Control("Art. 32(4)", "Whoever has access acts on instructions only", ("access_reviewed", "administrators_known")),
        Control(
            "Art. 33, 34",
            "Breaches are told within 72 hours",
            ("alarms_set", "failed_sign_ins"),
            by_people="The plan, and its records.",
        ),
        Control("Art. 35", "Impact assessments", by_people="The assessment, where one is needed."),
        Control(
            "Art. 44-49", "Transfers to third countries", by_people="Where data lies: one region, chosen at deployment."
        ),
    ),
)
