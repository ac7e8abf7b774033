"""Tenants, as they stand."""

from platforma.identity.model import Page, Tenant
from platforma.identity.ports import Tenants
from platforma.kernel.errors import NotFound
from platforma.kernel.ids import is_id


def read_tenant(tenant_id: str, *, tenants: Tenants) -> Tenant:
    """
    The tenant, whatever its status.

    Raises:
        NotFound: there is none.
    """
    tenant = tenants.get(tenant_id) if is_id(tenant_id, "ten") else None
    if tenant is None:
        raise NotFound
    return tenant


def list_tenants(*, tenants: Tenants, limit: int = 50, after: str | None = None) -> Page[Tenant]:
    """A page of all tenants, oldest first."""
    return tenants.page(limit=limit, after=after)
