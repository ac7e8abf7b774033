"""Which connection signs somebody in, by the domain of their address alone: addresses are never searched."""

from dataclasses import dataclass

from platforma.identity.email_address import parse_email
from platforma.kernel.errors import Unprocessable
from platforma.sso.model import Connection
from platforma.sso.ports import Connections, Domains


@dataclass(frozen=True, slots=True)
class Home:
    """The tenant whose domain it is, and its connection for that, if it has one."""

    tenant_id: str
    connection: Connection | None


def find_home(email: str, *, connections: Connections, domains: Domains) -> Home | None:
    """Where people of the address's domain belong; None where no tenant has proved it, or it is no address."""
    try:
        domain = parse_email(email.strip()).rpartition("@")[2]
    except Unprocessable:
        return None
    owner = domains.owner(domain)
    if owner is None:
        return None
    found = (each for each in enabled_connections(owner, connections=connections) if domain in each.domains)
    return Home(owner, next(found, None))


def enabled_connections(tenant_id: str, *, connections: Connections) -> list[Connection]:
    """The tenant's connections that are in use, oldest first; the first two hundred."""
    page = connections.page(tenant_id, limit=200, after=None)
    return [each for each in page.items if each.enabled and not each.draft]
