"""What an operator asks of the set-up."""

from typing import Annotated, Literal

from pydantic import Field

from platforma.edge.schemas.common import Body, Name, Scopes
from platforma.edge.schemas.oauth import RoleName


class FirstClient(Body):
    """A tenant's first client; its scopes are all, its roles cap it."""

    name: Name
    roles: Annotated[list[RoleName], Field(max_length=10)]


class FirstKey(Body):
    """A key of that client's."""

    name: Name
    environment: Literal["live", "test"]
    scopes: Scopes


class NamedService(Body):
    """A service of the tenant's, by the name that its client certificate has."""

    name: Name
    roles: Annotated[list[RoleName], Field(max_length=10)]


class Setup(Body):
    """The platform itself, or, with *tenant_id*, a tenant."""

    rotate_secret: bool = False
    tenant_id: str | None = None
    first_client: FirstClient | None = None
    first_key: FirstKey | None = None
    service: NamedService | None = None
