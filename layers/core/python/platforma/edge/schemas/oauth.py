"""OAuth clients."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from platforma.edge.schemas.common import Body, Name, Scopes, Timestamp, View

GrantType = Literal["client_credentials"]
URI = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
RoleName = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class ClientCreate(Body):
    """A client to be registered."""

    name: Name
    type: Literal["confidential", "public"] = "confidential"
    grant_types: Annotated[list[GrantType], Field(min_length=1, max_length=5)] = ["client_credentials"]
    redirect_uris: Annotated[list[URI], Field(max_length=50)] = []
    scopes: Scopes = []
    token_endpoint_auth_method: Literal["client_secret_basic", "client_secret_post"] | None = None
    roles: Annotated[list[RoleName], Field(max_length=50)] = []


class ClientPatch(Body):
    """What may be changed of a client; what is left out stays."""

    name: Name | None = None
    grant_types: Annotated[list[GrantType], Field(min_length=1, max_length=5)] | None = None
    redirect_uris: Annotated[list[URI], Field(max_length=50)] | None = None
    token_endpoint_auth_method: Literal["client_secret_basic", "client_secret_post"] | None = None
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


class TokenResponse(View):
    """RFC 6749 section 5.1."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str


Metadata = dict[str, Any]
