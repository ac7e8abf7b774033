"""Groups, as they stand."""

from platforma.identity.model import Group, Page
from platforma.identity.ports import Groups
from platforma.kernel.errors import NotFound
from platforma.kernel.ids import is_id


def read_group(tenant_id: str, group_id: str, *, groups: Groups) -> Group:
    """
    The group.

    Raises:
        NotFound: this tenant has none of this id.
    """
    group = groups.group(tenant_id, group_id) if is_id(group_id, "grp") else None
    if group is None:
        raise NotFound
    return group


def list_groups(tenant_id: str, *, groups: Groups, limit: int = 50, after: str | None = None) -> Page[Group]:
    """A page of the tenant's groups, oldest first."""
    return groups.page(tenant_id, limit=limit, after=after)
