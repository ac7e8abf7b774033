"""What evidence is read from, and how a piece of it is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from platforma.apikeys.ports import Keys
from platforma.audit.completeness import Ledger
from platforma.audit.keeping import Keepings
from platforma.audit.ports import CheckpointSigner, LogStore
from platforma.audit.proof import Published
from platforma.compliance.model import Evidence, Verdict
from platforma.compliance.ports import Endpoints, Estate, FactorsOf
from platforma.compliance.reviews import Reviews
from platforma.identity.lockout import AdministrationOf
from platforma.identity.ports import Directory, Groups
from platforma.kernel.clock import Clock
from platforma.keys.ports import SigningKeyStore, TenantKeyVersions
from platforma.oauth.ports import Clients


@dataclass(frozen=True, slots=True)
class Sources:
    """Where evidence is read. What is a tenant's is asked for by its id, so that no other's is ever met."""

    estate: Estate
    endpoints: Endpoints
    directory: Directory
    groups: Groups
    factors: FactorsOf
    administration: AdministrationOf
    keys: Keys
    clients: Clients
    store: LogStore
    published: Published
    signer: CheckpointSigner
    ledger: Ledger
    keepings: Keepings
    least_years: int
    tenant_keys: TenantKeyVersions
    signing_keys: SigningKeyStore
    reviews: Reviews
    clock: Clock


@dataclass(frozen=True, slots=True)
class Look:
    """One tenant's evidence being gathered; nothing more is begun after *until*."""

    tenant_id: str
    at: Sources
    until: datetime

    @property
    def now(self) -> datetime:
        """The moment."""
        return self.at.clock()

    def seen(self, name: str, good: bool | None, summary: str, *, facts: Mapping[str, Any]) -> Evidence:
        """Evidence of what was looked at; None: not all of it could be."""
        verdict: Verdict = "unread" if good is None else "pass" if good else "fail"
        return Evidence(name, verdict, summary, EXPECTED[name], self.now, facts)


EXPECTED: Mapping[str, str] = {
    "tables_encrypted": "Every table is encrypted under a customer-managed KMS key.",
    "tables_recoverable": "Every table has point-in-time recovery over 35 days and deletion protection.",
    "buckets_encrypted": "Every bucket is encrypted under a customer-managed KMS key, that of access logs by S3's own.",
    "queues_encrypted": "Every queue is encrypted under a customer-managed KMS key.",
    "buckets_private": "Every bucket is closed to the public.",
    "cloud_keys_rotated": "Every KMS key that tables, buckets and queues name is rotated by itself.",
    "alarms_set": "Alarms are set, and every one tells somebody.",
    "alarms_quiet": "No alarm rings.",
    "tls_outside": "The endpoint speaks TLS 1.3 and nothing older; its certificate is believed and good for three days yet.",
    "tls_inside": "The internal endpoint speaks TLS 1.2 or later, under such a certificate, to who has one as well alone.",
    "log_locked": "The audit bucket is versioned and locks by default in COMPLIANCE mode for two years at least.",
    "log_retained": "The log's newest checkpoint is locked in COMPLIANCE mode for the tenant's term, two years at least.",
    "log_signed": "The log's newest checkpoint is 25 minutes old at most and its signature is good.",
    "log_complete": "Every request of the past seven days has its event.",
    "tenant_key_rotated": "The tenant's key has a rotation period, and its newest version is no older than a year.",
    "signing_keys_rotated": "Every signing key that is active became so at most 92 days ago.",
    "mfa_coverage": "Every administrator who signs in by a password also has a second factor or a passkey.",
    "dormant_users": "No active user was without any activity for 90 days.",
    "dormant_keys": "No active API key was unused for 90 days.",
    "key_ages": "No active API key and no client secret is older than a year.",
    "keys_expire": "Every active API key has an expiry.",
    "failed_sign_ins": "The failed sign-ins of a day were counted, and no account had more than 50.",
    "access_reviewed": "An access review was completed within the past 92 days.",
    "administrators_known": "There is an administrator, and they are counted.",
}
