"""
The one composition root: settings from the environment, adapters behind ports, ports into use cases. It is long because
it is the one place where parts meet; each provider is a few lines.

Nothing is read or made at import; each part is made when it is first asked for, and once. A use case gets a port by the
name of its parameter: `create_client(..., clients=, secrets=, clock=)` is called as `bootstrap.oauth.create_client(...)`.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, partial
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from platforma.kernel.clock import system_clock
from platforma.kernel.errors import Broken

if TYPE_CHECKING:
    from platforma.adapters.checkpoint_signer import VaultCheckpointSigner
    from platforma.adapters.dns import ResolverDNS
    from platforma.adapters.dynamodb.apikeys import DynamoDBKeys
    from platforma.adapters.dynamodb.audit import Outbox
    from platforma.adapters.dynamodb.audit_ledger import DynamoDBLedger
    from platforma.adapters.dynamodb.audit_log import DynamoDBLogStore
    from platforma.adapters.dynamodb.authorizations import DynamoDBAuthorizations
    from platforma.adapters.dynamodb.clients import DynamoDBClients
    from platforma.adapters.dynamodb.consents import DynamoDBConsents
    from platforma.adapters.dynamodb.devices import DynamoDBDevices
    from platforma.adapters.dynamodb.erasures import DynamoDBErasures
    from platforma.adapters.dynamodb.expiry_notices import DynamoDBNotices
    from platforma.adapters.dynamodb.exports import DynamoDBExports
    from platforma.adapters.dynamodb.grants import DynamoDBGrants
    from platforma.adapters.dynamodb.identity import DynamoAttemptCounts, DynamoDirectory, DynamoGroups, DynamoTenants
    from platforma.adapters.dynamodb.identity.factors import DynamoFactors
    from platforma.adapters.dynamodb.keepings import DynamoDBKeepings
    from platforma.adapters.dynamodb.leaks import DynamoDBLeaks
    from platforma.adapters.dynamodb.links import DynamoLinks
    from platforma.adapters.dynamodb.objects import DynamoDBObjects
    from platforma.adapters.dynamodb.person_keys import DynamoDBPersonKeys
    from platforma.adapters.dynamodb.policies import DynamoPolicies
    from platforma.adapters.dynamodb.rate_limits import DynamoDBLimits, DynamoDBLimitSettings
    from platforma.adapters.dynamodb.revocations import DynamoDBRevocations
    from platforma.adapters.dynamodb.rewrap import DynamoDBRewraps
    from platforma.adapters.dynamodb.services import DynamoDBServices
    from platforma.adapters.dynamodb.sessions import DynamoDBSessions
    from platforma.adapters.dynamodb.shreddings import DynamoDBShreddings
    from platforma.adapters.dynamodb.single_use import DynamoDBSingleUse
    from platforma.adapters.dynamodb.sso import DynamoConnections, DynamoDomains
    from platforma.adapters.dynamodb.tables import Tables
    from platforma.adapters.fetch import PublicFetch
    from platforma.adapters.relay_call import RelayedLogs
    from platforma.adapters.s3_files import S3Files
    from platforma.adapters.s3_objects import S3Objects
    from platforma.adapters.scanner_keys import FetchedScannerKeys
    from platforma.adapters.ses import SESMailer
    from platforma.adapters.sqs import SQSLinkRequests
    from platforma.adapters.vault import Vault
    from platforma.apikeys.rate_limit import Limiter
    from platforma.audit.attend import Attendant
    from platforma.audit.proof import Published
    from platforma.audit.retention import Term
    from platforma.edge.administration import Administration
    from platforma.edge.analyses import Analyst
    from platforma.edge.api import Edge
    from platforma.edge.authentication import Authenticator
    from platforma.edge.call import Call
    from platforma.edge.cursors import Cursors
    from platforma.edge.decisions import Desk
    from platforma.edge.giving import Giving
    from platforma.edge.holders import HoldersOf
    from platforma.edge.idempotency import Idempotency
    from platforma.edge.persons import Kept
    from platforma.edge.principals import Principals
    from platforma.edge.proofs import Proofs
    from platforma.edge.setup import SetUp
    from platforma.edge.statements import Statements
    from platforma.edge.subjects import Subjects
    from platforma.identity.factors import RelyingParty
    from platforma.kernel.events import Attempt
    from platforma.keys.encryption import Keyring
    from platforma.keys.envelope import Envelope
    from platforma.keys.objects.names import Names
    from platforma.keys.secrets import CachedSecrets
    from platforma.keys.signing import SigningKeys
    from platforma.oauth.access_token import AccessToken
    from platforma.oauth.client_keys import ClientKeys
    from platforma.oauth.grants.granting import Granting
    from platforma.policy.protected_api import KnownResource
    from platforma.policy.snapshots import Snapshots
    from platforma.sso.model import IdentityProvider

VAULT_FUNCTIONS = (
    *(
        "apikeys_expiry",
        "apikeys_manage",
        "apikeys_verify",
        "audit_events",
        "audit_export",
        "audit_gateway",
        "audit_relay",
        "certificates_renew",
    ),
    *("identity_mail", "keys_rotation"),
    *(
        "identity_me",
        "identity_tenants",
        "identity_users",
        "oauth_authorize",
        "oauth_clients",
        "oauth_pages",
        "oauth_sessions",
        "oauth_token",
        "platform_setup",
    ),
    *("keys_encryption", "keys_objects", "keys_upkeep"),
    *("policy_apis", "policy_authorizer", "policy_decide", "policy_manage"),
    *("sso_connections", "sso_upkeep"),
)
"""The functions that ask Vault, and have a client certificate each."""
Adapter = TypeVar("Adapter")
TABLES = ("identity", "credential", "policy", "audit", "key")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment decides: addresses and names, never a secret. *tables* has those that this function may open."""

    url: str
    internal_url: str | None
    certificate_header: str
    region: str
    tables: Mapping[str, str]
    audit_bucket: str
    exports_bucket: str
    objects_bucket: str
    relay_function: str
    vault_addr: str
    vault_role: str
    vault_secret: str
    vault_secrets: str
    audit_key: str | None
    mail_queue: str
    mail_from: str
    audit_retention_years: int
    fetch_networks: tuple[str, ...]
    fetch_ca_file: str | None
    secret_scanning_keys_url: str


@cache
def settings() -> Settings:
    """
    The environment, read once.

    Raises:
        Broken: a variable that this system cannot do without is missing.
    """
    env = os.environ
    if not (url := env.get("PLATFORMA_URL")):
        raise Broken("PLATFORMA_URL is not set.")
    return Settings(
        url=url,
        internal_url=env.get("PLATFORMA_INTERNAL_URL") or None,
        certificate_header=env.get("CLIENT_CERTIFICATE_HEADER", "").lower(),
        region=env.get("AWS_REGION", env.get("AWS_DEFAULT_REGION", "eu-central-1")),
        tables={name: value for name in TABLES if (value := env.get(f"{name.upper()}_TABLE"))},
        audit_bucket=env.get("AUDIT_BUCKET", ""),
        exports_bucket=env.get("EXPORTS_BUCKET", ""),
        objects_bucket=env.get("OBJECTS_BUCKET", ""),
        relay_function=env.get("RELAY_FUNCTION", ""),
        vault_addr=env.get("VAULT_ADDR", ""),
        vault_role=env.get("VAULT_ROLE", ""),
        vault_secret=env.get("VAULT_SECRET", ""),
        vault_secrets=env.get("VAULT_SECRETS", ""),
        audit_key=env.get("AUDIT_KEY_ARN") or None,
        secret_scanning_keys_url=env.get("SECRET_SCANNING_KEYS_URL", ""),
        mail_queue=env.get("MAIL_QUEUE_URL", ""),
        mail_from=env.get("MAIL_FROM", ""),
        audit_retention_years=int(env.get("AUDIT_RETENTION_YEARS", "2")),
        fetch_networks=tuple(env.get("FETCH_NETWORKS", "").split()),
        fetch_ca_file=env.get("FETCH_CA_FILE") or None,
    )


clock = system_clock


def issuer() -> str:
    """The issuer of tokens and the audience of this API: its stable URL (RFC 8414 section 2)."""
    return settings().url


# Adapters


@cache
def tables() -> "Tables":
    """The deployed tables."""
    from platforma.adapters.dynamodb.tables import Tables

    return Tables(dict(settings().tables), settings().region)


@cache
def vault() -> "Vault":
    """Vault, as this function's own role."""
    from platforma.adapters.secretsmanager import ClientCertificates
    from platforma.adapters.vault import Vault

    return Vault(settings().vault_addr, settings().vault_role, ClientCertificates(settings().vault_secret), clock)


@cache
def envelope() -> "Envelope":
    """Envelope encryption under Vault's keys."""
    from platforma.keys.envelope import Envelope

    return Envelope(vault(), clock)


@cache
def secrets() -> "CachedSecrets":
    """Peppers and the like, from Vault."""
    from platforma.keys.secrets import CachedSecrets

    return CachedSecrets(vault(), clock)


@cache
def outbox() -> "Outbox":
    """Where events go first."""
    from platforma.adapters.dynamodb.audit import Outbox

    return _bound(Outbox(tables(), envelope(), clock))


@cache
def signing_keys() -> "SigningKeys":
    """The keys that tokens are signed and verified with."""
    from platforma.keys.signing import SigningKeys

    return SigningKeys(signing_key_store(), envelope(), clock)


@cache
def signing_key_store() -> Any:
    """Where signing keys are kept."""
    from platforma.adapters.dynamodb.keys import DynamoDBSigningKeyStore

    return _bound(DynamoDBSigningKeyStore(tables(), outbox()))


@cache
def keys() -> "DynamoDBKeys":
    """API keys on record."""
    from platforma.adapters.dynamodb.apikeys import DynamoDBKeys

    return _bound(DynamoDBKeys(tables(), outbox(), envelope()))


@cache
def notices() -> "DynamoDBNotices":
    """Notices of keys' ends."""
    from platforma.adapters.dynamodb.expiry_notices import DynamoDBNotices

    return _bound(DynamoDBNotices(tables(), outbox()))


@cache
def leaks() -> "DynamoDBLeaks":
    """Where keys were found, and what tenants want done."""
    from platforma.adapters.dynamodb.leaks import DynamoDBLeaks

    return _bound(DynamoDBLeaks(tables(), outbox()))


@cache
def scanner_keys() -> "FetchedScannerKeys":
    """The public keys of the scanner that reports leaks."""
    from platforma.adapters.scanner_keys import FetchedScannerKeys

    return FetchedScannerKeys(settings().secret_scanning_keys_url, fetch().get, clock)


@cache
def limits() -> "DynamoDBLimits":
    """Counters of rate limits."""
    from platforma.adapters.dynamodb.rate_limits import DynamoDBLimits

    return _bound(DynamoDBLimits())


@cache
def limit_settings() -> "DynamoDBLimitSettings":
    """The rate limits that owners and tenants have."""
    from platforma.adapters.dynamodb.rate_limits import DynamoDBLimitSettings

    return _bound(DynamoDBLimitSettings(tables(), outbox()))


@cache
def limiter() -> "Limiter":
    """What charges the uses of keys, and holds this instance's leases."""
    from platforma.apikeys.rate_limit import Limiter
    from platforma.apikeys.shared_limits import SharedLimits

    return Limiter(limits(), SharedLimits(limit_settings(), lambda tenant_id: snapshots().of(tenant_id).versions).of)


@cache
def clients() -> "DynamoDBClients":
    """OAuth clients on record."""
    from platforma.adapters.dynamodb.clients import DynamoDBClients

    return _bound(DynamoDBClients(tables(), outbox(), clock))


@cache
def fetch() -> "PublicFetch":
    """What calls addresses that strangers choose."""
    from ipaddress import ip_network

    from platforma.adapters.fetch import PublicFetch

    return PublicFetch(networks=tuple(map(ip_network, settings().fetch_networks)), ca_file=settings().fetch_ca_file)


@cache
def client_keys() -> "ClientKeys":
    """The public keys of clients."""
    from platforma.oauth.client_keys import ClientKeys

    return ClientKeys(fetch(), clock)


@cache
def single_use() -> "DynamoDBSingleUse":
    """What is good for one use."""
    from platforma.adapters.dynamodb.single_use import DynamoDBSingleUse

    return _bound(DynamoDBSingleUse(tables(), clock))


@cache
def sessions() -> "DynamoDBSessions":
    """Sign-ins."""
    from platforma.adapters.dynamodb.sessions import DynamoDBSessions

    return _bound(DynamoDBSessions(tables(), outbox()))


@cache
def revocations() -> "DynamoDBRevocations":
    """What was ended before its time."""
    from platforma.adapters.dynamodb.revocations import DynamoDBRevocations

    return _bound(DynamoDBRevocations(tables(), outbox()))


@cache
def authorizations() -> "DynamoDBAuthorizations":
    """Authorization requests that wait, and codes."""
    from platforma.adapters.dynamodb.authorizations import DynamoDBAuthorizations

    return _bound(DynamoDBAuthorizations(tables(), outbox(), envelope()))


@cache
def grants() -> "DynamoDBGrants":
    """What people granted clients."""
    from platforma.adapters.dynamodb.grants import DynamoDBGrants

    return _bound(DynamoDBGrants(tables(), outbox()))


@cache
def consents() -> "DynamoDBConsents":
    """What people allowed clients."""
    from platforma.adapters.dynamodb.consents import DynamoDBConsents

    return _bound(DynamoDBConsents(tables(), outbox()))


@cache
def devices() -> "DynamoDBDevices":
    """What devices ask for."""
    from platforma.adapters.dynamodb.devices import DynamoDBDevices

    return _bound(DynamoDBDevices(tables(), outbox()))


@cache
def granting() -> "Granting":
    """What it takes to turn what people granted into tokens."""
    from platforma.oauth.grants.granting import Granting

    return Granting(
        authorizations=authorizations(),
        grants=grants(),
        devices=devices(),
        revocations=revocations(),
        directory=directory(),
        groups=groups(),
        secrets=secrets(),
        signing_keys=signing_keys(),
        issuer=issuer(),
        clock=clock,
    )


@cache
def services() -> "DynamoDBServices":
    """Services on record."""
    from platforma.adapters.dynamodb.services import DynamoDBServices

    return _bound(DynamoDBServices(tables(), outbox()))


@cache
def directory() -> "DynamoDirectory":
    """The people of a tenant."""
    from platforma.adapters.dynamodb.identity import DynamoDirectory

    return _bound(DynamoDirectory(tables(), outbox(), envelope(), secrets()))


@cache
def attempt_counts() -> "DynamoAttemptCounts":
    """Counts of attempts at passwords."""
    from platforma.adapters.dynamodb.identity import DynamoAttemptCounts

    return _bound(DynamoAttemptCounts(tables(), secrets()))


@cache
def links() -> "DynamoLinks":
    """One-time links on record."""
    from platforma.adapters.dynamodb.links import DynamoLinks

    return _bound(DynamoLinks(tables(), outbox(), directory()))


@cache
def link_requests() -> "SQSLinkRequests":
    """The queue of links to be mailed."""
    from platforma.adapters.sqs import SQSLinkRequests

    return SQSLinkRequests(settings().mail_queue, settings().region)


@cache
def mailer() -> "SESMailer":
    """What sends mail."""
    from platforma.adapters.ses import SESMailer

    return SESMailer(settings().mail_from, settings().region)


def mail_links(bodies: Sequence[str], request_id: str) -> dict[str, int]:
    """Mail the links that these queued requests ask for; how many were sent, and how many asked for nobody."""
    from platforma.adapters.sqs import read_request
    from platforma.kernel.errors import RateLimited
    from platforma.kernel.events import Attempt

    told = {"sent": 0, "dropped": 0}
    for number, body in enumerate(bodies):
        request = read_request(body)
        attempt = Attempt(
            request_id=f"{request_id}-{number}",
            action="settings.password_links.send",
            clock=clock,
            source="schedule",
            tenant_id=request.tenant_id,
            principal_type="system",
            principal_id="identity_mail",
        )
        try:
            sent = identity.mail_link(request, attempt=attempt)
        except RateLimited:
            sent = False
        told["sent" if sent else "dropped"] += 1
    return told


@cache
def groups() -> "DynamoGroups":
    """The groups of a tenant."""
    from platforma.adapters.dynamodb.identity import DynamoGroups

    return _bound(DynamoGroups(tables(), outbox()))


@cache
def tenants() -> "DynamoTenants":
    """Every tenant."""
    from platforma.adapters.dynamodb.identity import DynamoTenants

    return _bound(DynamoTenants(tables(), outbox(), envelope(), secrets()))


@cache
def policies() -> "DynamoPolicies":
    """Policies, roles, protected APIs and known resources."""
    from platforma.adapters.dynamodb.policies import DynamoPolicies

    return _bound(DynamoPolicies(tables(), outbox()))


@cache
def keyring() -> "Keyring":
    """Tenants' long-lived data keys."""
    from platforma.adapters.dynamodb.keyrings import DynamoDBKeyrings
    from platforma.keys.encryption import Keyring

    return Keyring(_bound(DynamoDBKeyrings()), envelope(), clock)


@cache
def rewraps() -> "DynamoDBRewraps":
    """Jobs that move records to newer versions of keys."""
    from platforma.adapters.dynamodb.rewrap import DynamoDBRewraps

    return _bound(DynamoDBRewraps(tables(), outbox()))


@cache
def object_store() -> "DynamoDBObjects":
    """What is known of objects and uploads."""
    from platforma.adapters.dynamodb.objects import DynamoDBObjects

    return _bound(DynamoDBObjects(tables(), outbox()))


@cache
def object_bucket() -> "S3Objects":
    """Objects' sealed bytes."""
    from platforma.adapters.s3_objects import S3Objects

    return S3Objects(settings().objects_bucket)


@cache
def object_names() -> "Names":
    """What tables and logs call objects."""
    from platforma.keys.objects.names import Names

    return Names(keyring())


@cache
def shreddings() -> "DynamoDBShreddings":
    """What was shredded."""
    from platforma.adapters.dynamodb.shreddings import DynamoDBShreddings

    return _bound(DynamoDBShreddings(tables(), outbox()))


@cache
def tenant_logs() -> "RelayedLogs":
    """A tenant's logs, settled before its key goes."""
    from platforma.adapters.relay_call import RelayedLogs

    return RelayedLogs(settings().relay_function)


def statements() -> "Statements":
    """The key that we make statements by."""
    from platforma.adapters.checkpoint_signer import VaultCheckpointSigner
    from platforma.edge.statements import Statements

    return Statements(host(), VaultCheckpointSigner(vault(), "statements"))


class Shredder:
    """`platforma.identity.ports.Shredder`."""

    def shred(self, tenant_id: str, attempt: "Attempt") -> None:
        """Destroy the tenant's key and state it."""
        shredding.shred_tenant(tenant_id, attempt=attempt)


@cache
def snapshots() -> "Snapshots":
    """Compiled policy, kept warm."""
    from platforma.policy.snapshots import Snapshots

    return Snapshots(policies(), clock)


@cache
def connections() -> "DynamoConnections":
    """Connections to identity providers."""
    from platforma.adapters.dynamodb.sso import DynamoConnections

    return _bound(DynamoConnections(tables(), outbox()))


@cache
def domains() -> "DynamoDomains":
    """Claims of domains."""
    from platforma.adapters.dynamodb.sso import DynamoDomains

    return _bound(DynamoDomains(tables(), outbox()))


@cache
def dns() -> "ResolverDNS":
    """The machine's resolver."""
    from platforma.adapters.dns import ResolverDNS

    return ResolverDNS()


def read_metadata(document: bytes) -> "IdentityProvider":
    """The identity provider that a SAML metadata document describes."""
    from platforma.sso.saml.metadata import read_metadata

    return read_metadata(document, clock=clock)


@cache
def audit_store() -> "DynamoDBLogStore":
    """Logs as the tables have them: what waits, what is hot, each log's head."""
    from platforma.adapters.dynamodb.audit_log import DynamoDBLogStore

    return _bound(DynamoDBLogStore(tables()))


@cache
def ledger() -> "DynamoDBLedger":
    """What logs said of requests, and whether each has its event."""
    from platforma.adapters.dynamodb.audit_ledger import DynamoDBLedger

    return _bound(DynamoDBLedger(tables()))


def _bound(adapter: Adapter) -> Adapter:
    tables().bind()
    return adapter


@cache
def factor_store() -> "DynamoFactors":
    """People's passkeys, authenticator apps and recovery codes."""
    from platforma.adapters.dynamodb.identity.factors import DynamoFactors

    return _bound(DynamoFactors(tables(), outbox(), envelope()))


def relying_party() -> "RelyingParty":
    """For whom passkeys are made: the host of the stable URL."""
    from platforma.identity.factors import RelyingParty

    return RelyingParty(urlsplit(issuer()).hostname or "", issuer())


def form_key() -> bytes:
    """The secret that pages' forms are bound to browsers with."""
    return secrets().secret("lookup")


# The edge


@cache
def subjects() -> "Subjects":
    """Principals as the decision engine sees them."""
    from platforma.edge.subjects import Subjects
    from platforma.identity.principals import read_principal

    principal = partial(read_principal, directory=directory(), groups=groups())
    return Subjects(
        principal=principal,
        clients=clients(),
        keys=keys,
        services=services,
        revocations=revocations,
        snapshots=snapshots(),
        clock=clock,
    )


@cache
def principals() -> "Principals":
    """Everyone in a tenant, as the decision engine sees them."""
    from platforma.edge.principals import Principals
    from platforma.identity.principals import read_page

    users = partial(read_page, directory=directory(), groups=groups())
    return Principals(users=users, clients=clients(), keys=keys, subjects=subjects())


@cache
def authenticator() -> "Authenticator":
    """What proves credentials."""
    from platforma.edge.authentication import Authenticator

    return Authenticator(
        issuer=issuer(),
        signing_keys=signing_keys(),
        keys=keys(),
        limiter=limiter(),
        secrets=secrets(),
        subjects=subjects(),
        clock=clock,
    )


@cache
def proofs() -> "Proofs":
    """What checks proofs of possession."""
    from platforma.edge.proofs import Proofs

    origins = [url for url in (issuer(), settings().internal_url) if url]
    return Proofs(origins=origins, secrets=secrets(), single_use=single_use, clock=clock)


@cache
def cursors() -> "Cursors":
    """What seals the positions in lists."""
    from platforma.edge.cursors import Cursors

    return Cursors(lambda: secrets().secret("cursor"))


@cache
def idempotency() -> "Idempotency":
    """What answers a creating request once for each of its keys."""
    from platforma.adapters.dynamodb.idempotency import DynamoDBClaims
    from platforma.edge.idempotency import Idempotency

    return Idempotency(_bound(DynamoDBClaims(tables())), envelope(), lambda: secrets().secret("lookup"))


@cache
def edge() -> "Edge":
    """What every function's edge needs."""
    from platforma.edge.api import Edge

    return Edge(
        clock=clock,
        authenticator=authenticator,
        snapshots=snapshots,
        enter=lambda event: outbox().enter(event),
        cursors=cursors,
        idempotency=idempotency,
        certificate_header=settings().certificate_header,
        proofs=proofs,
    )


@cache
def holders() -> "HoldersOf":
    """The people who hold a role."""
    from platforma.edge.holders import HoldersOf

    return HoldersOf(directory(), groups())


def giving(call: "Call") -> "Giving":
    """What the caller may give."""
    from platforma.edge.giving import Giving

    return Giving(call, snapshots().of(call.tenant_id), subjects(), clock())


def desk(call: "Call") -> "Desk":
    """Where the caller's questions are decided."""
    from platforma.edge.decisions import Desk

    return Desk(call, snapshots().of(call.tenant_id), subjects(), known_resource, clock())


def analyst(call: "Call") -> "Analyst":
    """What compares the rules of the caller's tenant with others."""
    from platforma.edge.analyses import Analyst

    return Analyst(call.tenant_id, clock(), principals())


def known_resource(tenant_id: str, resource_type: str, resource_id: str) -> "KnownResource | None":
    """What is known of a resource that the tenant's services own."""
    return policies().resource(tenant_id, resource_type, resource_id)


def is_live(token: "AccessToken") -> bool:
    """Whether the subject and the client of a verified token are active, and nothing of it was revoked."""
    subject = subjects().of_token(token)
    return subject is not None and subject.active


def audiences_of(tenant_id: str) -> frozenset[str]:
    """The audiences of the tenant's protected APIs."""
    return frozenset(snapshots().of(tenant_id).policy_set.apis)


def in_use(tenant_id: str) -> bool:
    """Whether the tenant is in use: neither suspended nor about to be deleted."""
    return snapshots().of(tenant_id).standing == "active"


def known_roles(call: "Call") -> frozenset[str]:
    """The names of the roles that the caller's tenant has."""
    return frozenset(snapshots().of(call.tenant_id).policy_set.roles)


def set_up() -> "SetUp":
    """What sets the platform up."""
    from platforma.adapters.dynamodb.versions import make_versions
    from platforma.edge.setup import SetUp
    from platforma.keys.signing import ensure_signing_keys

    return SetUp(
        clock=clock,
        make_versions=_bound(make_versions),
        ensure_signing_keys=partial(ensure_signing_keys, signing_key_store(), envelope(), clock=clock),
        list_clients=oauth.list_clients,
        create_client=oauth.create_client,
        add_secret=oauth.add_secret,
        delete_secret=oauth.delete_secret,
        issue_key=apikeys.issue_key,
        is_tenant=lambda tenant_id: tenants().get(tenant_id) is not None,
        register_service=identity.register_service,
        roles_of=lambda tenant_id: frozenset(snapshots().of(tenant_id).policy_set.roles),
    )


@cache
def person_keys() -> "DynamoDBPersonKeys":
    """The keys of persons, as the logs seal under them."""
    from platforma.adapters.dynamodb.person_keys import DynamoDBPersonKeys

    return _bound(DynamoDBPersonKeys())


def attendant() -> "Attendant":
    """What looks after the audit logs."""
    from platforma.adapters.s3 import S3Bucket
    from platforma.audit.attend import Attendant
    from platforma.audit.person_keys import PersonKeys
    from platforma.audit.relay import Relay

    bucket = S3Bucket(settings().audit_bucket, kms_key=settings().audit_key)
    persons = PersonKeys(person_keys(), envelope(), clock)
    by = Relay(audit_store(), bucket, envelope(), persons, clock, term=terms())
    return Attendant(by, checkpoint_signer(), outbox(), host())


@cache
def keepings() -> "DynamoDBKeepings":
    """How long tenants keep their logs."""
    from platforma.adapters.dynamodb.keepings import DynamoDBKeepings

    return _bound(DynamoDBKeepings(tables(), outbox()))


@cache
def terms() -> "Callable[[str], Term]":
    """Each tenant's term, as it was 20 seconds ago at most: much less than changes of it wait to be applied."""
    from platforma.audit.retention import Term
    from platforma.keys.expiring import Expiring

    known: Expiring[str, Term] = Expiring(clock, lifetime=timedelta(seconds=20), size=1024)

    def term(tenant_id: str) -> Term:
        if (found := known.get(tenant_id)) is None:
            kept = audit.read_keeping(tenant_id)
            found = Term(kept.years, kept.legal_hold)
            known.put(tenant_id, found)
        return found

    return term


def apply_keepings() -> dict[str, int]:
    """Lock what lies in the audit bucket by what its tenants decided since."""
    from platforma.adapters.s3 import S3Bucket
    from platforma.audit.keeping import apply_keepings

    bucket = S3Bucket(settings().audit_bucket)
    return apply_keepings(keepings=keepings(), store=audit_store(), bucket=bucket, clock=clock)


def host() -> str:
    """What begins the names of our logs: the host of the stable URL."""
    return urlsplit(issuer()).netloc


def checkpoint_signer() -> "VaultCheckpointSigner":
    """The key that signs checkpoints."""
    from platforma.adapters.checkpoint_signer import VaultCheckpointSigner

    return VaultCheckpointSigner(vault())


@cache
def published() -> "Published":
    """The logs as their readers see them."""
    from platforma.adapters.s3 import S3Bucket
    from platforma.audit.proof import Published

    return Published(audit_store(), S3Bucket(settings().audit_bucket))


def rotate_signing_keys(event: Mapping[str, object], request_id: str) -> int:
    """
    Give the signing keys that are due their successors, or withdraw the one that *event* names; how many keys were made.

    Raises:
        Unprocessable: what is to be withdrawn is no text.
    """
    from platforma.kernel.errors import Unprocessable
    from platforma.kernel.events import Attempt
    from platforma.kernel.tenancy import PLATFORM
    from platforma.keys import signing

    kid = event.get("withdraw")
    attempt = Attempt(
        request_id=request_id,
        action="platform.signing_keys.rotate" if kid is None else "platform.signing_keys.withdraw",
        clock=clock,
        source="schedule",
        tenant_id=PLATFORM,
        principal_type="system",
        principal_id="keys_rotation",
    )
    if kid is None:
        return len(signing.rotate_signing_keys(signing_key_store(), envelope(), attempt=attempt, clock=clock))
    if not isinstance(kid, str):
        raise Unprocessable("A key is withdrawn by its kid.")
    signing.withdraw_signing_key(kid, signing_key_store(), envelope(), attempt=attempt, clock=clock)
    return 1


@cache
def exports() -> "DynamoDBExports":
    """Exports on record."""
    from platforma.adapters.dynamodb.exports import DynamoDBExports

    return _bound(DynamoDBExports(tables(), outbox()))


@cache
def export_files() -> "S3Files":
    """Where exports' files lie."""
    from platforma.adapters.s3_files import S3Files

    return S3Files(settings().exports_bucket, kms_key=settings().audit_key)


@cache
def erasures() -> "DynamoDBErasures":
    """Erasures on record."""
    from platforma.adapters.dynamodb.erasures import DynamoDBErasures

    return _bound(DynamoDBErasures(tables(), outbox()))


def kept_of_persons() -> "Mapping[str, Kept]":
    """What areas keep of a person, by the section of the archive that it is; an area adds its own here."""
    from platforma.edge.persons import Kept, every

    return {
        "api_keys": Kept(
            lambda tenant, user: (key.as_json(clock()) for key in apikeys.keys_of_owner(tenant, user)),
            apikeys.forget_keys,
        ),
        "sessions": Kept(lambda tenant, user: (one.as_json() for one in every(sessions().of_user, tenant, user))),
        "consents": Kept(
            lambda tenant, user: (one.as_json() for one in every(consents().of_user, tenant, user)),
            consents().forget,
        ),
    }


def erase_persons() -> dict[str, int]:
    """Erase from the logs whoever is to be; how many are done now, and how many still open."""
    from platforma.audit.erasure import erase_persons

    return erase_persons(erasures=erasures(), by=attendant().by, published=published(), host=host())


def make_exports() -> dict[str, Any]:
    """Work on the exports that were asked for; how many are done now, and how many failed."""
    from platforma.adapters.columns import DuckDBColumns
    from platforma.audit.exports import Exporter, run_exports

    by = Exporter(
        exports=exports(),
        files=export_files(),
        columns=DuckDBColumns(),
        store=audit_store(),
        published=published(),
        envelope=envelope(),
        signer=checkpoint_signer(),
        clock=clock,
    )
    return dict(run_exports(by))


def purge_tenants(request_id: str) -> int:
    """
    End the tenants whose time is over; how many.

    Raises:
        Unavailable: the end of one failed, and the next run tries it again.
    """
    from platforma.kernel.errors import Unavailable
    from platforma.kernel.events import Attempt
    from platforma.kernel.tenancy import PLATFORM

    def begin() -> Attempt:
        return Attempt(
            request_id=request_id,
            action="platform.tenants.purge",
            clock=clock,
            source="schedule",
            tenant_id=PLATFORM,
            principal_type="system",
            principal_id="identity_tenants",
        )

    purge = identity.purge_tenants(begin=begin, now=clock())
    if purge.failed:
        raise Unavailable("Tenants could not be ended.", tenants=" ".join(purge.failed))
    return len(purge.ended)


def renew_client_certificates(request_id: str) -> list[str]:
    """Renew what is due; the functions whose certificate is new."""
    from platforma.adapters.secretsmanager import FunctionCertificates
    from platforma.certificates import renew_client_certificates
    from platforma.kernel.events import Attempt
    from platforma.kernel.tenancy import PLATFORM

    attempt = Attempt(
        request_id=request_id,
        action="platform.certificates.renew",
        clock=clock,
        source="schedule",
        tenant_id=PLATFORM,
        principal_type="system",
        principal_id="certificates_renew",
    )
    holder = FunctionCertificates(settings().vault_secrets)
    return renew_client_certificates(VAULT_FUNCTIONS, issuer=vault(), holder=holder, outbox=outbox(), attempt=attempt)


def sso_upkeep(request_id: str) -> dict[str, Any]:
    """Keep what connections rest on current; how many domains were checked, and how many were lost."""
    from platforma.kernel.events import Attempt

    def attempt_for(tenant_id: str) -> Attempt:
        return Attempt(
            request_id=request_id,
            action="settings.domains.check",
            clock=clock,
            source="schedule",
            tenant_id=tenant_id,
            principal_type="system",
            principal_id="sso_upkeep",
        )

    return dict(sso.recheck_domains(attempt_for=attempt_for))


def rewrap(request_id: str) -> str:
    """Move sealed records on for most of a minute; how it ended."""
    from platforma.adapters.dynamodb.sealed_records import DynamoDBSealedRecords
    from platforma.kernel.events import Attempt
    from platforma.kernel.tenancy import PLATFORM
    from platforma.keys.encryption import Rewrapper

    attempt = Attempt(
        request_id=request_id,
        action="crypto.keys.retire",
        clock=clock,
        source="schedule",
        tenant_id=PLATFORM,
        principal_type="system",
        principal_id="keys_upkeep",
    )
    records = DynamoDBSealedRecords(settings().tables)
    worker = Rewrapper(keys=vault(), jobs=rewraps(), records=records, clock=clock, attempt=attempt)
    return worker.run(until=clock() + timedelta(seconds=40))


# The areas' use cases


@dataclass(frozen=True, slots=True)
class Area:
    """An area's use cases, each with its ports filled in by the names of its parameters."""

    name: str
    ports: Mapping[str, Callable[[], Any]]
    made: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def __getattr__(self, use_case: str) -> Callable[..., Any]:
        if use_case.startswith("_"):
            raise AttributeError(use_case)
        if use_case not in self.made:
            function = getattr(import_module(f"platforma.{self.name}"), use_case)
            wanted = signature(function).parameters.keys() & self.ports.keys()
            self.made[use_case] = partial(function, **{name: self.ports[name]() for name in wanted})
        return self.made[use_case]


def administration_of(tenant_id: str) -> "Administration":
    """Who administers the tenant, by its rules as they stand now."""
    from platforma.edge.administration import Administration
    from platforma.policy.compile import compile_rules

    return Administration(tenant_id, compile_rules(tenant_id, policies().load(tenant_id)))


identity = Area(
    "identity",
    {
        "tenants": tenants,
        "directory": directory,
        "groups": groups,
        "services": services,
        "keys": vault,
        "shredder": Shredder,
        "counts": attempt_counts,
        "links": links,
        "link_requests": link_requests,
        "mailer": mailer,
        "issuer": issuer,
        "administration": lambda: administration_of,
    },
)
factors = Area(
    "identity.factors",
    {
        "factors": factor_store,
        "counts": attempt_counts,
        "party": relying_party,
        "secrets": secrets,
        "clock": lambda: clock,
    },
)
apikeys = Area(
    "apikeys",
    {
        "keys": keys,
        "notices": notices,
        "leaks": leaks,
        "scanner_keys": scanner_keys,
        "limiter": limiter,
        "limit_settings": limit_settings,
        "secrets": secrets,
        "clock": lambda: clock,
    },
)
oauth = Area(
    "oauth",
    {
        "clients": clients,
        "secrets": secrets,
        "clock": lambda: clock,
        "signing_keys": signing_keys,
        "client_keys": client_keys,
        "single_use": single_use,
        "is_live": lambda: is_live,
        "sessions": sessions,
        "revocations": revocations,
        "authorizations": authorizations,
        "grants": grants,
        "consents": consents,
        "devices": devices,
        "by": granting,
        "directory": directory,
        "groups": groups,
        "audiences_of": lambda: audiences_of,
        "in_use": lambda: in_use,
        "issuer": issuer,
        "internal_url": lambda: settings().internal_url,
    },
)
encryption = Area(
    "keys.encryption",
    {"keyring": keyring, "keys": vault, "jobs": rewraps, "outbox": outbox, "clock": lambda: clock},
)
shredding = Area("keys.shredding", {"keys": vault, "shreddings": shreddings, "logs": tenant_logs, "statements": statements})
objects = Area(
    "keys.objects",
    {"store": object_store, "bucket": object_bucket, "names": object_names, "envelope": envelope},
)
policy = Area("policy", {"store": policies, "snapshots": snapshots, "holders": holders, "clock": lambda: clock})
audit = Area(
    "audit",
    {
        "store": audit_store,
        "envelope": envelope,
        "ledger": ledger,
        "exports": exports,
        "erasures": erasures,
        "keepings": keepings,
        "least": lambda: settings().audit_retention_years,
    },
)
sso = Area(
    "sso",
    {
        "connections": connections,
        "domains": domains,
        "dns": dns,
        "fetch": fetch,
        "provider_secrets": vault,
        "read_metadata": lambda: read_metadata,
    },
)
