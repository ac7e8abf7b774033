"""A tenant's connections, read."""

from platforma.identity.model import Page
from platforma.kernel.errors import NotFound
from platforma.kernel.ids import is_id
from platforma.sso.model import Connection
from platforma.sso.ports import Connections


def read_connection(connection_id: str, *, tenant_id: str, connections: Connections) -> Connection:
    """
    The tenant's connection.

    Raises:
        NotFound: this tenant has none of this id.
    """
    connection = connections.get(connection_id) if is_id(connection_id, "sso") else None
    if connection is None or connection.tenant_id != tenant_id:
        raise NotFound
    return connection


def connection_in_use(connection_id: str, *, connections: Connections) -> Connection:
    """
    The connection of this id, of whatever tenant, to sign in by.

    Raises:
        NotFound: there is none, or it is not in use.
    """
    connection = connections.get(connection_id) if is_id(connection_id, "sso") else None
    if connection is None or not connection.enabled:
        raise NotFound
    return connection


def list_connections(
    tenant_id: str, *, connections: Connections, limit: int = 50, after: str | None = None
) -> Page[Connection]:
    """A page of the tenant's connections, oldest first."""
    return connections.page(tenant_id, limit=limit, after=after)
