"""OAuth clients."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from platforma.edge.schemas.common import Body, Name, Paging, Scopes, Timestamp, View

GrantType = Literal[
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
]
URI = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
AuthMethod = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth", "none"]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=512)]
RoleName = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Metadata(Body):
    """What a client may register besides; what is left out has its default, or stays."""

    post_logout_redirect_uris: Annotated[list[URI], Field(max_length=50)] = []
    jwks: dict[str, Any] | None = None
    jwks_uri: URI | None = None
    first_party: bool = False
    id_token_signed_response_alg: Literal["RS256", "ES256", "EdDSA"] = "RS256"  # noqa: S105  an algorithm
    profile: Literal["fapi2"] | None = None
    require_pushed_authorization_requests: bool = False
    dpop_bound_access_tokens: bool = False
    tls_client_certificate_bound_access_tokens: bool = False
    tls_client_auth_subject_dn: Subject | None = None
    tls_client_auth_san_dns: Subject | None = None
    tls_client_auth_san_uri: Subject | None = None
    backchannel_logout_uri: URI | None = None
    backchannel_logout_session_required: bool = False
    require_signed_request_object: bool = False


class ClientCreate(Metadata):
    """A client to be registered."""

    name: Name
    type: Literal["confidential", "public"] = "confidential"
    grant_types: Annotated[list[GrantType], Field(min_length=1, max_length=5)] = ["client_credentials"]
    redirect_uris: Annotated[list[URI], Field(max_length=50)] = []
    scopes: Scopes = []
    token_endpoint_auth_method: AuthMethod | None = None
    roles: Annotated[list[RoleName], Field(max_length=50)] = []


class ClientPatch(Metadata):
    """What may be changed of a client; what is left out stays."""

    name: Name | None = None
    grant_types: Annotated[list[GrantType], Field(min_length=1, max_length=5)] | None = None
    redirect_uris: Annotated[list[URI], Field(max_length=50)] | None = None
    token_endpoint_auth_method: AuthMethod | None = None
    scopes: Scopes | None = None
    roles: Annotated[list[RoleName], Field(max_length=50)] | None = None
    status: Literal["active", "suspended"] | None = None


class SecretView(View):
    """A secret of a client, without the secret."""

    id: str
    created_at: Timestamp
    last_used_at: Timestamp | None


class ClientView(View):
    """A client, without its secrets."""

    client_id: str
    tenant_id: str
    name: str
    type: str
    grant_types: list[str]
    redirect_uris: list[str]
    scopes: list[str]
    token_endpoint_auth_method: str
    roles: list[str]
    post_logout_redirect_uris: list[str]
    jwks: dict[str, Any] | None
    jwks_uri: str | None
    first_party: bool
    id_token_signed_response_alg: str
    profile: str | None
    require_pushed_authorization_requests: bool
    dpop_bound_access_tokens: bool
    tls_client_certificate_bound_access_tokens: bool
    tls_client_auth_subject_dn: str | None
    tls_client_auth_san_dns: str | None
    tls_client_auth_san_uri: str | None
    backchannel_logout_uri: str | None
    backchannel_logout_session_required: bool
    require_signed_request_object: bool
    status: str
    secrets: list[SecretView]
    created_at: Timestamp


class ClientCreated(ClientView):
    """A new client; *client_secret* is shown this once."""

    client_secret: str | None


class ClientList(View):
    """A page of clients."""

    items: list[ClientView]
    next_cursor: str | None


class SecretCreated(SecretView):
    """A new secret; *client_secret* is shown this once."""

    client_secret: str


class InitialAccessTokenCreate(Body):
    """Who holds the token may register one client, for at most these scopes; *expires_in* is in seconds."""

    scopes: Scopes = []
    expires_in: Annotated[int, Field(ge=60, le=86400)] = 3600


class InitialAccessTokenCreated(View):
    """The token, which is shown this once."""

    initial_access_token: str
    expires_at: Timestamp
    scopes: list[str]


class Registration(View):
    """RFC 7591 section 3.2.1; the members that were registered stand beside these."""

    model_config = ConfigDict(extra="allow")

    client_id: str
    client_id_issued_at: int
    client_name: str
    scope: str
    token_endpoint_auth_method: str
    registration_access_token: str
    registration_client_uri: str
    client_secret: str | None = None
    client_secret_expires_at: int | None = None


class TokenResponse(View):
    """RFC 6749 section 5.1."""

    access_token: str
    token_type: Literal["Bearer", "DPoP"]
    expires_in: int
    scope: str
    issued_token_type: str | None = None


Document = dict[str, Any]


class UserQuery(Paging):
    """Whose; without it the caller's own, or everybody's for who may see them."""

    user_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None


class UserChoice(Body):
    """Whose; without it the caller's own."""

    user_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None


class SessionView(View):
    """A sign-in session."""

    id: str
    user_id: str
    amr: list[str]
    acr: str
    auth_time: Timestamp
    created_at: Timestamp
    last_seen_at: Timestamp
    expires_at: Timestamp


class RefreshTokens(View):
    """A grant's family of refresh tokens."""

    issued: int
    last_used_at: Timestamp | None
    expires_at: Timestamp


class GrantView(View):
    """What a client was given in a session."""

    id: str
    client_id: str
    scope: str
    audience: str
    created_at: Timestamp
    ended_at: Timestamp | None
    refresh_tokens: RefreshTokens | None


class LogoutView(View):
    """A client that is told of the session's end (OpenID Connect Back-Channel Logout), and what has come of it."""

    client_id: str
    state: Literal["signed_in", "pending", "delivered", "failed"]
    attempts: int
    attempted_at: Timestamp | None
    reason: str | None


class SessionGraph(SessionView):
    """A session and all that stands on it."""

    ended_at: Timestamp | None
    logouts: list[LogoutView]
    grants: list[GrantView]
    clients: list[str]


class Ended(View):
    """What ended."""

    grants: list[GrantView]
    clients: list[str]


class SessionEnded(View):
    """A session that ended, and what ended with it."""

    id: str
    ended: Ended


class SessionList(View):
    """A page of sessions."""

    items: list[SessionView]
    next_cursor: str | None


class ConsentView(View):
    """What a person allowed a client."""

    client_id: str
    user_id: str
    scopes: list[str]
    created_at: Timestamp
    updated_at: Timestamp


class ConsentList(View):
    """A page of consents."""

    items: list[ConsentView]
    next_cursor: str | None


class ConsentEnded(View):
    """A consent that was taken back, with the grants that ended with it."""

    client_id: str
    grants: list[str]


class CertificateDenial(Body):
    """A client certificate by its `x5t#S256` (RFC 8705 section 3.1)."""

    thumbprint: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{43}$")]


class CertificateDenied(View):
    """Until when the denial is remembered: longer than any certificate of our CA lives."""

    thumbprint: str
    denied_until: Timestamp
