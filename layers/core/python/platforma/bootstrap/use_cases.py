"""The areas' use cases, each with its ports filled in by the names of its parameters."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

from platforma.bootstrap import environment, parts

if TYPE_CHECKING:
    from platforma.edge.persons import Kept
    from platforma.edge.scim import Desk


def kept_of_persons() -> "Mapping[str, Kept]":
    """What areas keep of a person, by the section of the archive that it is; an area adds its own here."""
    from platforma.edge.persons import Kept, every

    def said_by_directory(tenant: str, user: str) -> "Iterator[Mapping[str, Any]]":
        if (said := parts.identity.directory().said_by_directory(tenant, user)) is not None:
            yield said

    return {
        "directory": Kept(said_by_directory),
        "factors": Kept(lambda tenant, user: factors.read_factors(tenant, user).as_json()),
        "api_keys": Kept(
            lambda tenant, user: (key.as_json(environment.clock()) for key in apikeys.keys_of_owner(tenant, user)),
            apikeys.forget_keys,
        ),
        "sessions": Kept(
            lambda tenant, user: (one.as_json() for one in every(parts.oauth.sessions().of_user, tenant, user))
        ),
        "consents": Kept(
            lambda tenant, user: (one.as_json() for one in every(parts.oauth.consents().of_user, tenant, user)),
            parts.oauth.consents().forget,
        ),
        "grants": Kept(lambda tenant, user: (one.as_json() for one in parts.oauth.grants().of_user(tenant, user))),
    }


def may_erase() -> Callable[[str], None]:
    """Whether what a tenant has may be erased, as the audit area knows."""
    return audit.require_no_hold


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


identity = Area(
    "identity",
    {
        "tenants": parts.identity.tenants,
        "directory": parts.identity.directory,
        "groups": parts.identity.groups,
        "services": parts.identity.services,
        "keys": parts.ground.data_keys,
        "shredder": parts.encryption.Shredder,
        "may_erase": may_erase,
        "counts": parts.identity.attempt_counts,
        "links": parts.identity.links,
        "link_requests": parts.identity.link_requests,
        "mailer": parts.identity.mailer,
        "issuer": environment.issuer,
        "administration": lambda: parts.policy.administration_of,
    },
)


factors = Area(
    "identity.factors",
    {
        "factors": parts.identity.factor_store,
        "counts": parts.identity.attempt_counts,
        "party": parts.identity.relying_party,
        "secrets": parts.ground.secrets,
        "clock": lambda: environment.clock,
    },
)


apikeys = Area(
    "apikeys",
    {
        "keys": parts.apikeys.keys,
        "notices": parts.apikeys.notices,
        "leaks": parts.apikeys.leaks,
        "scanner_keys": parts.apikeys.scanner_keys,
        "limiter": parts.apikeys.limiter,
        "limit_settings": parts.apikeys.limit_settings,
        "secrets": parts.ground.secrets,
        "clock": lambda: environment.clock,
    },
)


oauth = Area(
    "oauth",
    {
        "clients": parts.oauth.clients,
        "secrets": parts.ground.secrets,
        "clock": lambda: environment.clock,
        "signing_keys": parts.ground.signing_keys,
        "client_keys": parts.oauth.client_keys,
        "single_use": parts.ground.single_use,
        "is_live": lambda: parts.edge.is_live,
        "sessions": parts.oauth.sessions,
        "logouts": parts.oauth.logouts,
        "logout_queue": parts.oauth.logout_queue,
        "post": parts.ground.fetch,
        "revocations": parts.oauth.revocations,
        "authorizations": parts.oauth.authorizations,
        "grants": parts.oauth.grants,
        "consents": parts.oauth.consents,
        "devices": parts.oauth.devices,
        "by": parts.oauth.granting,
        "directory": parts.identity.directory,
        "groups": parts.identity.groups,
        "audiences_of": lambda: parts.oauth.audiences_of,
        "in_use": lambda: parts.oauth.in_use,
        "issuer": environment.issuer,
        "internal_url": lambda: environment.settings().internal_url,
    },
)


encryption = Area(
    "keys.encryption",
    {
        "keyring": parts.encryption.keyring,
        "keys": parts.ground.data_keys,
        "jobs": parts.encryption.rewraps,
        "outbox": parts.ground.outbox,
        "clock": lambda: environment.clock,
    },
)


shredding = Area("keys.shredding", {"shreddings": parts.encryption.shreddings})


objects = Area(
    "keys.objects",
    {
        "store": parts.encryption.object_store,
        "bucket": parts.encryption.object_bucket,
        "names": parts.encryption.object_names,
        "envelope": parts.ground.envelope,
    },
)


certificates = Area("certificates", {"certificates": parts.certificates.records})


policy = Area(
    "policy",
    {
        "store": parts.policy.policies,
        "snapshots": parts.policy.snapshots,
        "holders": parts.policy.holders,
        "clock": lambda: environment.clock,
    },
)


audit = Area(
    "audit",
    {
        "store": parts.audit.audit_store,
        "envelope": parts.ground.envelope,
        "cold": parts.audit.cold,
        "clock": lambda: environment.clock,
        "ledger": parts.audit.ledger,
        "exports": parts.audit.exports,
        "erasures": parts.audit.erasures,
        "keepings": parts.audit.keepings,
        "published": parts.audit.published,
        "streams": parts.audit.streams,
        "witnesses": parts.audit.witnesses,
        "persons": parts.audit.keys_of_persons,
        "signer": parts.audit.checkpoint_signer,
        "least": lambda: environment.settings().audit_retention_years,
    },
)


compliance = Area(
    "compliance",
    {
        "sources": parts.compliance.evidence_sources,
        "rights": parts.compliance.rights,
        "reviews": parts.compliance.reviews,
    },
)


sso = Area(
    "sso",
    {
        "connections": parts.sso.connections,
        "domains": parts.sso.domains,
        "dns": parts.sso.dns,
        "fetch": parts.ground.fetch,
        "provider_secrets": parts.ground.vault,
        "read_metadata": lambda: parts.sso.read_metadata,
        "clients": parts.oauth.clients,
        "counts": parts.identity.attempt_counts,
        "sessions": parts.oauth.sessions,
        "traces": parts.sso.traces,
        "provider_sessions": parts.sso.provider_sessions,
        "provider_keys": parts.sso.provider_keys,
        "setup_links": parts.sso.setup_links,
        "single_use": parts.ground.single_use,
        "directory": parts.identity.directory,
        "groups": parts.identity.groups,
        "administration": lambda: parts.policy.administration_of,
        "key": parts.oauth.form_key,
        "url": environment.issuer,
        "clock": lambda: environment.clock,
    },
)
oidc = Area(
    "sso.oidc.sign_in",
    {
        "providers": parts.sso.providers,
        "calls": parts.ground.fetch,
        "client_keys": parts.oauth.client_keys,
        "provider_secrets": parts.ground.vault,
        "provider_keys": parts.sso.provider_keys,
        "single_use": parts.ground.single_use,
        "url": environment.issuer,
        "clock": lambda: environment.clock,
    },
)
oidc_logout = Area(
    "sso.oidc.logout",
    {
        "providers": parts.sso.providers,
        "client_keys": parts.oauth.client_keys,
        "single_use": parts.ground.single_use,
        "url": environment.issuer,
        "clock": lambda: environment.clock,
    },
)
saml_logout = Area(
    "sso.saml.logout",
    {
        "provider_keys": parts.sso.provider_keys,
        "single_use": parts.ground.single_use,
        "url": environment.issuer,
        "clock": lambda: environment.clock,
    },
)
saml = Area(
    "sso.saml.sign_in",
    {
        "provider_keys": parts.sso.provider_keys,
        "single_use": parts.ground.single_use,
        "url": environment.issuer,
        "clock": lambda: environment.clock,
    },
)


scim = Area(
    "sso.scim.use_cases",
    {
        "connections": parts.sso.connections,
        "domains": parts.sso.domains,
        "scim_tokens": parts.scim.scim_tokens,
        "provisioned_users": parts.scim.provisioned_users,
        "directory": parts.identity.directory,
        "groups": parts.identity.groups,
        "sessions": parts.oauth.sessions,
        "administration": lambda: parts.policy.administration_of,
        "secrets": parts.ground.secrets,
        "clock": lambda: environment.clock,
        "issuer": environment.issuer,
    },
)


@cache
def scim_desk() -> "Desk":
    """What serves directories."""
    from platforma.apikeys.rate_limit import Leases
    from platforma.edge.scim import Desk
    from platforma.edge.scim_resources import GroupResources, UserResources

    return Desk(
        directory_behind=scim.directory_behind,
        standing=lambda tenant_id: parts.policy.snapshots().of(tenant_id).standing,
        leases=Leases(parts.apikeys.limits()),
        resources=[UserResources(scim), GroupResources(scim)],
    )
