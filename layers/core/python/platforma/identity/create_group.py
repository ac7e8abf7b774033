"""A group of users comes into being, empty."""

from platforma.identity.changes import made
from platforma.identity.fields import parse_description, parse_name, parse_roles
from platforma.identity.model import Group
from platforma.identity.ports import Groups
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id


def create_group(
    tenant_id: str,
    *,
    name: object,
    description: object = "",
    roles: object = (),
    known_roles: frozenset[str],
    groups: Groups,
    attempt: Attempt,
) -> Group:
    """
    A new group.

    Raises:
        Unprocessable: a field is not valid.
        GroupNameTaken: another group of the tenant has the name.
    """
    group = Group(
        id=new_id("grp"),
        tenant_id=tenant_id,
        name=parse_name(name),
        created_at=attempt.clock(),
        description=parse_description(description),
        roles=parse_roles(roles, known_roles=known_roles),
    )
    groups.add(group, attempt.event("success", resource=group.id, resource_type="group", changes=made(group)))
    return group
