"""One user, and why it has its roles."""

from platforma.identity.model import RoleSource, User
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
    direct = [RoleSource(role, "direct") for role in user.roles]
    alive = groups.several(tenant_id, user.groups)
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
    grouped = [RoleSource(role, "group", group.id, group.managed_by) for group in alive for role in group.roles]
    return (*direct, *mapped, *grouped)
