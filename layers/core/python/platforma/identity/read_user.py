"""One user, and why it has its roles."""

from collections.abc import Iterable

from platforma.identity.model import Group, RoleSource, User
from platforma.identity.ports import Directory, Groups
from platforma.kernel.errors import NotFound
from platforma.kernel.ids import is_id


def read_user(tenant_id: str, user_id: str, *, directory: Directory) -> User:
    """
    The user.

    Raises:
        NotFound: this tenant has none of this id.
    """
    user = directory.user(tenant_id, user_id) if is_id(user_id, "usr") else None
    if user is None:
        raise NotFound
    return user


def explain_roles(tenant_id: str, user_id: str, *, directory: Directory, groups: Groups) -> tuple[RoleSource, ...]:
    """
    Each role of the user with each of its sources.

    Raises:
        NotFound: this tenant has no user of this id.
    """
    user = read_user(tenant_id, user_id, directory=directory)
    return sources(user, groups.several(tenant_id, user.groups))


def sources(user: User, alive: Iterable[Group]) -> tuple[RoleSource, ...]:
    """Each role of the user with each of its sources; *alive* are the groups that there are among the user's."""
    direct = [RoleSource(role, "direct", giver=user.givers.get(role)) for role in user.roles]
    mapped = [
        RoleSource(
            each.role,
            "mapping",
            managed_by=each.managed_by,
            connection_id=each.connection_id,
            mapped_group=each.group,
            at=each.at,
        )
        for each in user.mapped
    ]
    return (*direct, *mapped, *(_by_group(user, group, role) for group in alive for role in group.roles))


def _by_group(user: User, group: Group, role: str) -> RoleSource:
    joined, got = user.givers.get(group.id), group.givers.get(role)
    later = max(joined, got, key=lambda given: given.at) if joined and got else None
    return RoleSource(role, "group", group.id, group.managed_by, giver=later)
