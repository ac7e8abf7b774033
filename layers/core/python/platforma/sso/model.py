"""
What a connection to an identity provider is, and what a tenant says of a domain.

A connection speaks SAML 2.0 or OpenID Connect; its users may besides be provisioned over SCIM. Nothing in these values is
secret: an identity provider's client secret is Vault's alone, and stands here only by reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from platforma.kernel.clock import rfc3339

ConnectionType = Literal["saml", "oidc"]
Match = Literal["exact", "prefix", "glob"]
DomainStatus = Literal["pending", "proved", "vouched"]

OWNED: tuple[DomainStatus, ...] = ("proved", "vouched")
"""The statuses in which a domain is its tenant's, and no other's."""


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """
    A SAML identity provider as its metadata describes it.

    *certificates* are base64 of the DER of every certificate that it may sign with: an assertion's own `KeyInfo` never adds
    one. URLs are https; those that it does not offer are None.
    """

    entity_id: str
    certificates: tuple[str, ...]
    redirect_url: str | None = None
    post_url: str | None = None
    logout_redirect_url: str | None = None
    logout_post_url: str | None = None
    wants_signed_requests: bool = False

    def as_json(self) -> dict[str, Any]:
        """As it is kept, and as the API shows it."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class SAMLSettings:
    """
    How a connection speaks SAML. *metadata_url* is where the metadata was read, and is read again; *announced* is which end
    of its certificates was told of last.
    """

    provider: IdentityProvider
    metadata_url: str | None = None
    refreshed_at: datetime | None = None
    idp_initiated: bool = False
    allow_cbc: bool = False
    announced: str | None = None


@dataclass(frozen=True, slots=True)
class OIDCSettings:
    """How a connection speaks OpenID Connect. *secret_ref* names the client's secret in Vault."""

    issuer: str
    client_id: str
    secret_ref: str | None = None


@dataclass(frozen=True, slots=True)
class GroupMapping:
    """Members of the identity provider's groups that *group* matches have *role*."""

    group: str
    role: str
    match: Match = "exact"


@dataclass(frozen=True, slots=True)
class Provisioning:
    """
    What a sign-in or a directory may do to users.

    *jit*: a first sign-in makes the user. *default_roles* are whose groups map to no role. *deprovision_on_group_loss*: a
    role that came from a group goes with it; otherwise it stays until it is taken by hand.
    """

    jit: bool = False
    default_roles: tuple[str, ...] = ()
    deprovision_on_group_loss: bool = True


@dataclass(frozen=True, slots=True)
class Connection:
    """
    A tenant's trust in one identity provider, for people of *domains*. A draft has no settings of its type yet: nobody signs
    in by it.

    *tested_at* is when a trial passed, with the settings as they are. *enforced*: people of the domains sign in by it alone,
    but for the users of *break_glass*.
    """

    id: str
    tenant_id: str
    name: str
    type: ConnectionType
    domains: tuple[str, ...]
    created_at: datetime
    saml: SAMLSettings | None = None
    oidc: OIDCSettings | None = None
    attribute_mapping: Mapping[str, str] = field(default_factory=dict)
    group_mappings: tuple[GroupMapping, ...] = ()
    provisioning: Provisioning = Provisioning()
    enabled: bool = True
    tested_at: datetime | None = None
    enforced: bool = False
    break_glass: tuple[str, ...] = ()
    version: int = 1

    @property
    def draft(self) -> bool:
        """Whether its provider is still to be told."""
        return self.saml is None and self.oidc is None

    @property
    def start_url(self) -> str:
        """An address of the provider's, where sign-ins by it begin."""
        if self.saml is not None:
            return self.saml.provider.redirect_url or self.saml.provider.post_url or ""
        return self.oidc.issuer if self.oidc is not None else ""

    @property
    def logout_url(self) -> str | None:
        """Where the provider ends its own session, if it offers that."""
        provider = self.saml.provider if self.saml is not None else None
        return None if provider is None else provider.logout_redirect_url or provider.logout_post_url

    def roles(self) -> frozenset[str]:
        """Every role that it can give."""
        return frozenset(self.provisioning.default_roles) | {mapping.role for mapping in self.group_mappings}

    def as_json(self) -> dict[str, Any]:
        """The connection as the API shows it and an event tells of it: all but secrets, of which it has none."""
        return {
            "id": self.id,
            "name": self.name,
            "type": self.type,
            "draft": self.draft,
            "enabled": self.enabled,
            "tested_at": _plain(self.tested_at),
            "enforced": self.enforced,
            "break_glass": list(self.break_glass),
            "domains": list(self.domains),
            "saml": None if self.saml is None else _saml(self.saml),
            "oidc": None if self.oidc is None else _oidc(self.oidc),
            "attribute_mapping": dict(self.attribute_mapping),
            "group_mappings": [{"group": m.group, "match": m.match, "role": m.role} for m in self.group_mappings],
            "provisioning": {name: _plain(getattr(self.provisioning, name)) for name in Provisioning.__dataclass_fields__},
            "created_at": rfc3339(self.created_at),
        }


@dataclass(frozen=True, slots=True)
class Domain:
    """
    A tenant's claim of a domain, which excludes nobody until it is proved or vouched for.

    *token* stands in the DNS record that proves it; *failed_since* is when a proved one was first found without.
    """

    tenant_id: str
    name: str
    token: str
    created_at: datetime
    status: DomainStatus = "pending"
    proved_at: datetime | None = None
    checked_at: datetime | None = None
    failed_since: datetime | None = None
    version: int = 1

    @property
    def txt_name(self) -> str:
        """The name of the TXT record that proves it."""
        return f"_platforma-challenge.{self.name}"

    @property
    def txt_value(self) -> str:
        """What that record holds."""
        return f"platforma-domain={self.token}"

    @property
    def owned(self) -> bool:
        """Whether it is this tenant's alone."""
        return self.status in OWNED

    def as_json(self) -> dict[str, Any]:
        """The claim as the API shows it."""
        return {
            "domain": self.name,
            "status": self.status,
            "txt_name": self.txt_name,
            "txt_value": self.txt_value,
            "created_at": rfc3339(self.created_at),
            "proved_at": _plain(self.proved_at),
            "checked_at": _plain(self.checked_at),
            "failed_since": _plain(self.failed_since),
        }


def _saml(settings: SAMLSettings) -> dict[str, Any]:
    rest = {"metadata_url": settings.metadata_url, "refreshed_at": _plain(settings.refreshed_at)}
    options = {"idp_initiated": settings.idp_initiated, "allow_cbc": settings.allow_cbc}
    return {**settings.provider.as_json(), **rest, **options}


def _oidc(settings: OIDCSettings) -> dict[str, Any]:
    return {"issuer": settings.issuer, "client_id": settings.client_id, "has_secret": settings.secret_ref is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class ProviderSession:
    """
    Of which session of ours; *subject* is whom the provider means, *index* its own session, if it named one.

    An OpenID provider's says where it ends (*logout_url*, if anywhere), and by which ID token it knows it again (*hint*).
    """

    tenant_id: str
    session_id: str
    connection_id: str
    subject: str = field(repr=False)
    index: str | None
    until: datetime
    logout_url: str | None = None
    hint: str | None = field(default=None, repr=False)
