"""
The one composition root: settings from the environment, adapters behind ports, ports into use cases.

Nothing is read or made at import; each part is made when it is first asked for, and once. A use case gets a port by the
name of its parameter: `create_client(..., clients=, secrets=, clock=)` is called as `bootstrap.oauth.create_client(...)`.
A module asks another for a part as `ground.tables()`, never by a name of its own: a test that puts a part in another's
place is heard everywhere.
"""

from platforma.bootstrap import environment, parts
from platforma.bootstrap.environment import TABLES, VAULT_FUNCTIONS, host, issuer, settings
from platforma.bootstrap.parts.audit import (
    attendant,
    audit_store,
    checkpoint_signer,
    export_files,
    ledger,
    person_keys,
    published,
)
from platforma.bootstrap.parts.compliance import evidence_sources, policy_version
from platforma.bootstrap.parts.edge import analyst, desk, edge, giving, principals, proofs, subjects
from platforma.bootstrap.parts.encryption import rewraps, statements
from platforma.bootstrap.parts.ground import envelope, outbox, secrets, signing_keys, vault
from platforma.bootstrap.parts.identity import groups, link_requests, relying_party, services
from platforma.bootstrap.parts.oauth import audiences_of, clients, consents, form_key, in_use, sessions
from platforma.bootstrap.parts.policy import known_resource, known_roles, policies, snapshots
from platforma.bootstrap.parts.scim import scim_desk
from platforma.bootstrap.parts.sso import connections, domains, people_of
from platforma.bootstrap.schedules import (
    apply_keepings,
    erase_persons,
    mail_links,
    make_exports,
    purge_tenants,
    renew_client_certificates,
    rewrap,
    rotate_signing_keys,
    set_up,
    sso_upkeep,
    tell_clients,
    work_on_certificates,
)
from platforma.bootstrap.use_cases import (
    Area,
    apikeys,
    audit,
    certificates,
    compliance,
    encryption,
    factors,
    identity,
    kept_of_persons,
    oauth,
    objects,
    oidc,
    oidc_logout,
    policy,
    saml,
    saml_logout,
    scim,
    shredding,
    sso,
)

__all__ = [
    "TABLES",
    "VAULT_FUNCTIONS",
    "Area",
    "analyst",
    "apikeys",
    "apply_keepings",
    "attendant",
    "audiences_of",
    "audit",
    "audit_store",
    "certificates",
    "checkpoint_signer",
    "clients",
    "compliance",
    "connections",
    "consents",
    "desk",
    "domains",
    "edge",
    "encryption",
    "envelope",
    "environment",
    "erase_persons",
    "evidence_sources",
    "export_files",
    "factors",
    "form_key",
    "giving",
    "groups",
    "host",
    "identity",
    "in_use",
    "issuer",
    "kept_of_persons",
    "known_resource",
    "known_roles",
    "ledger",
    "link_requests",
    "mail_links",
    "make_exports",
    "oauth",
    "objects",
    "oidc",
    "oidc_logout",
    "outbox",
    "parts",
    "people_of",
    "person_keys",
    "policies",
    "policy",
    "policy_version",
    "principals",
    "proofs",
    "published",
    "purge_tenants",
    "relying_party",
    "renew_client_certificates",
    "rewrap",
    "rewraps",
    "rotate_signing_keys",
    "saml",
    "saml_logout",
    "scim",
    "scim_desk",
    "secrets",
    "services",
    "sessions",
    "set_up",
    "settings",
    "shredding",
    "signing_keys",
    "snapshots",
    "sso",
    "sso_upkeep",
    "statements",
    "subjects",
    "tell_clients",
    "vault",
    "work_on_certificates",
]
