"""
Records of processing activities (GDPR article 30), as far as a system knows them, and how long what is kept.

What only a controller knows (its name, its purposes beyond these, whom it gives data) stands there as `by_people`.
"""

from typing import Any

from platforma.audit.exports.model import KEPT as EXPORT_KEPT
from platforma.audit.keeping import Keeping
from platforma.audit.model import CLAIM_DAYS, HOT_DAYS
from platforma.identity.links import LINK_FOR
from platforma.identity.model import RESTORABLE_FOR
from platforma.oauth.authorization.model import INTERACTION_LIFETIME
from platforma.oauth.grants.model import LIVES_AT_MOST
from platforma.oauth.sessions.model import LIFETIME

BACKUP_DAYS = 35

_SECURITY = (
    "Personal and secret fields are sealed under the tenant's own key, besides the encryption of every table and bucket; "
    "access needs a decision for each request; every request is recorded in a log that nobody can change."
)
_AWS = "The cloud provider that runs tables, buckets and functions, in one region."

ACTIVITIES: tuple[dict[str, Any], ...] = (
    {
        "id": "identities",
        "purpose": "To know who somebody is: accounts, sign-in, second factors.",
        "data_subjects": ["people with an account"],
        "personal_data": ["e-mail address", "name", "attributes", "password hash", "passkeys and authenticator secrets"],
        "recipients": [_AWS, "The mail service that carries links."],
        "kept": ["accounts", "links"],
    },
    {
        "id": "sign_ins",
        "purpose": "To keep people signed in, and to end that everywhere at once.",
        "data_subjects": ["people with an account"],
        "personal_data": ["sessions: when, by what means", "consents", "tokens' ids"],
        "recipients": [_AWS, "Clients that a person allowed to know them (OpenID Connect)."],
        "kept": ["sessions", "refresh_tokens", "consents"],
    },
    {
        "id": "credentials",
        "purpose": "To let programs act for a person or a service: API keys, OAuth clients.",
        "data_subjects": ["owners of keys"],
        "personal_data": ["owner", "when and from which address a key was last used"],
        "recipients": [_AWS],
        "kept": ["api_keys"],
    },
    {
        "id": "decisions",
        "purpose": "To decide who may do what: roles, groups, policies.",
        "data_subjects": ["people with an account"],
        "personal_data": ["roles", "groups", "attributes that policies look at"],
        "recipients": [_AWS],
        "kept": ["accounts"],
    },
    {
        "id": "audit",
        "purpose": "To show what happened: every request, who made it, and what it changed.",
        "data_subjects": ["whoever uses the API"],
        "personal_data": ["user id (a pseudonym)", "IP address", "user agent", "personal values before and after a change"],
        "recipients": [_AWS, "Whoever an administrator hands an export."],
        "kept": ["audit_log", "audit_index", "audit_exports"],
    },
)
"""What is done with personal data here."""


def records_of_processing(tenant_id: str, keeping: Keeping) -> dict[str, Any]:
    """The records for one tenant, with the terms that hold for it."""
    return {
        "tenant_id": tenant_id,
        "role": "processor",
        "controller": {"by_people": "Name and contact of the controller and of its data protection officer."},
        "legal_bases": {"by_people": "The legal basis of each purpose."},
        "transfers": {"to": [], "by_people": "None by this system: data lies in the region it is deployed in."},
        "security": _SECURITY,
        "activities": [dict(activity) for activity in ACTIVITIES],
        "retention": schedule(keeping),
    }


def schedule(keeping: Keeping) -> list[dict[str, Any]]:
    """How long each kind of data is kept, from when on, and what becomes of it then."""
    held = " Held: nothing of it is erased." if keeping.legal_hold else ""
    backups = f"gone from backups {BACKUP_DAYS} days later"
    rows = (
        ("accounts", "until the person is deleted or erased", f"deleted at once, {backups}"),
        ("links", _hours(LINK_FOR.total_seconds()), "worthless, then swept"),
        ("sign_ins_under_way", _hours(INTERACTION_LIFETIME.total_seconds()), "worthless, then swept"),
        ("sessions", f"{_hours(LIFETIME.total_seconds())} at most", "worthless, then swept"),
        ("refresh_tokens", f"{LIVES_AT_MOST.days} days at most", "worthless, then swept"),
        ("consents", "until withdrawn, or until the person is erased", "deleted at once"),
        ("api_keys", "until revoked; the record then stays to be told of", "forgotten with the person's erasure"),
        (
            "audit_log",
            f"{keeping.years} calendar years and a day after its newest event",
            f"may be deleted; a person's values are erased before, by destroying the key they are sealed under.{held}",
        ),
        ("audit_index", f"{HOT_DAYS} days", "swept"),
        ("audit_claims", f"{CLAIM_DAYS} days", "swept"),
        ("audit_exports", f"{EXPORT_KEPT.days} days", "deleted"),
        ("deleted_tenants", f"{RESTORABLE_FOR.days} days", "their key is destroyed, and a statement of that is signed"),
        ("backups", f"{BACKUP_DAYS} days", "deleted by the provider"),
    )
    return [{"data": data, "kept_for": kept, "then": then} for data, kept, then in rows]


def _hours(seconds: float) -> str:
    hours = round(seconds / 3600)
    return f"{hours} hour{'s' if hours != 1 else ''}"
