"""Clients as values, and the rules that need nothing but them (RFC 6749 section 2, RFC 7591 section 2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from platforma.kernel.clock import rfc3339
from platforma.kernel.given import NOTHING, Given
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.stored_secret import StoredSecret

ClientType = Literal["confidential", "public"]
ClientStatus = Literal["active", "suspended", "deleted"]

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105  a grant's name
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials", DEVICE_CODE, TOKEN_EXCHANGE)
"""The grants that this server runs: what a client may register for and what metadata lists."""

SECRET_METHODS = ("client_secret_basic", "client_secret_post")
AUTH_METHODS = (*SECRET_METHODS, "private_key_jwt", "tls_client_auth")
"""The ways to authenticate that a confidential client may register for; a public one has `none`."""

METADATA = (
    *("post_logout_redirect_uris", "jwks", "jwks_uri", "first_party", "id_token_signed_response_alg", "profile"),
    *("require_pushed_authorization_requests", "dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens"),
    *("tls_client_auth_subject_dn", "tls_client_auth_san_dns", "tls_client_auth_san_uri"),
    *("backchannel_logout_uri", "backchannel_logout_session_required", "require_signed_request_object"),
)
MAX_SECRETS = 2


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """
    One of a client's secrets, as it is kept.

    *selector* is the keyed checksum that the secret ends in: it says which of two is meant, so that no more than one is
    hashed and one that was taken away costs no hash at all.
    """

    id: str
    selector: str
    stored: StoredSecret
    created_at: datetime
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """
    A registered client of one tenant.

    Without a *token_endpoint_auth_method* of its own choice it may use either way of sending its secret (and is shown with
    the default, RFC 7591 section 2). A deleted client is kept as a tombstone without secrets. *givers* says who gave it each
    of its roles, as far as it is known.
    """

    id: str
    tenant_id: str
    name: str
    type: ClientType
    grant_types: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    token_endpoint_auth_method: str | None
    roles: tuple[str, ...]
    status: ClientStatus
    created_at: datetime
    secrets: tuple[ClientSecret, ...] = ()
    version: int = 1
    post_logout_redirect_uris: tuple[str, ...] = ()
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str | None = None
    first_party: bool = False
    id_token_signed_response_alg: str = "RS256"  # noqa: S105  an algorithm
    profile: Literal["fapi2"] | None = None
    require_pushed_authorization_requests: bool = False
    dpop_bound_access_tokens: bool = False
    tls_client_certificate_bound_access_tokens: bool = False
    tls_client_auth_subject_dn: str | None = None
    tls_client_auth_san_dns: str | None = None
    tls_client_auth_san_uri: str | None = None
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    require_signed_request_object: bool = False
    registration_token: str | None = field(default=None, repr=False)
    givers: Mapping[str, Given] = field(default_factory=lambda: NOTHING, compare=False)

    @property
    def platform(self) -> bool:
        """Whether it belongs to the platform itself, and may hold `platform:manage`."""
        return self.tenant_id == PLATFORM

    @property
    def pushes(self) -> bool:
        """Whether its authorization requests have to be pushed (RFC 9126 section 6)."""
        return self.require_pushed_authorization_requests or self.profile == "fapi2"

    def may_authenticate_by(self, method: str) -> bool:
        """Whether *method* is the one it registered, or it left open which way it sends its secret (RFC 7591 section 2)."""
        if self.token_endpoint_auth_method is None and self.type == "confidential":
            return method in SECRET_METHODS
        return method == self.authentication

    @property
    def authentication(self) -> str:
        """How it authenticates, as it registered or by default."""
        return "none" if self.type == "public" else self.token_endpoint_auth_method or SECRET_METHODS[0]

    def secret(self, secret_id: str) -> ClientSecret | None:
        """The secret of this id."""
        return next((secret for secret in self.secrets if secret.id == secret_id), None)

    def changed(self, **fields: Any) -> "Client":
        """The next version of it, with these fields."""
        return replace(self, version=self.version + 1, **fields)

    def metadata(self) -> dict[str, Any]:
        """Of what it registered, all that has a default, by name, as JSON has it."""
        named = {name: getattr(self, name) for name in METADATA}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in named.items()}

    def as_json(self) -> dict[str, object]:
        """The client as the API shows it; never a secret, nor anything made of one."""
        return {
            "client_id": self.id,
            "tenant_id": self.tenant_id,
            "name": self.name,
            "type": self.type,
            "grant_types": list(self.grant_types),
            "redirect_uris": list(self.redirect_uris),
            "scopes": list(self.scopes),
            "token_endpoint_auth_method": self.authentication,
            "roles": list(self.roles),
            **self.metadata(),
            "status": self.status,
            "created_at": rfc3339(self.created_at),
            "secrets": [
                {
                    "id": secret.id,
                    "created_at": rfc3339(secret.created_at),
                    "last_used_at": rfc3339(secret.last_used_at) if secret.last_used_at else None,
                }
                for secret in self.secrets
            ],
        }


@dataclass(frozen=True, slots=True)
class Change:
    """A client before and after: what a repository needs to know of it."""

    before: Client
    after: Client

    @property
    def moves_revocation(self) -> bool:
        """Whether what was good is good no more: its live tokens end."""
        return self.before.status == "active" != self.after.status

    @property
    def moves_policy(self) -> bool:
        """Whether an existing principal's rights change otherwise."""
        before, after = self.before, self.after
        returns = before.status != "active" == after.status
        return returns or (before.roles, before.scopes) != (after.roles, after.scopes)

    def as_json(self) -> dict[str, dict[str, object]]:
        """`{"before", "after"}` with the members that differ, for the audit event."""
        before, after = self.before.as_json(), self.after.as_json()
        names = [name for name in before if before[name] != after[name]]
        return {"before": {name: before[name] for name in names}, "after": {name: after[name] for name in names}}
