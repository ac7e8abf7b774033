"""From a user's id to what a decision needs of it."""

from platforma.identity.model import Principal
from platforma.identity.ports import Directory, Groups
from platforma.kernel.ids import is_id


def read_principal(tenant_id: str, user_id: str, *, directory: Directory, groups: Groups) -> Principal | None:
    """
    The user as decisions see it, read consistently; None where there is none.

    Groups that are gone give nothing and are not among its groups.
    """
    standing = directory.standing(tenant_id, user_id) if is_id(user_id, "usr") else None
    if standing is None:
        return None
    alive = groups.several(tenant_id, standing.groups)
    return Principal(
        id=user_id,
        tenant_id=tenant_id,
        active=standing.status != "suspended",
        roles=frozenset(standing.roles).union(*(group.roles for group in alive)),
        groups=frozenset(group.id for group in alive),
        attributes=standing.attributes,
    )
