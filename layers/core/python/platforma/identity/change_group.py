"""A group's name, description and roles change, and with its roles those of every member."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from platforma.identity.changes import changed
from platforma.identity.errors import KeptByDirectory
from platforma.identity.fields import parse_description, parse_name, parse_roles
from platforma.identity.lockout import AdministrationOf, Afterwards, by_role, require_administrator, settled
from platforma.identity.model import Group, sorted_roles
from platforma.identity.ports import Directory, Groups
from platforma.identity.read_group import read_group
from platforma.kernel.errors import FieldError, PreconditionFailed, Unprocessable
from platforma.kernel.events import Attempt


def change_group(
    tenant_id: str,
    group_id: str,
    changes: Mapping[str, object],
    *,
    if_match: int | None,
    known_roles: frozenset[str],
    directory: Directory,
    groups: Groups,
    attempt: Attempt,
    administration: AdministrationOf = by_role,
    may: Callable[[Group, Group], None] | None = None,
) -> Group:
    """
    The group after *changes*: `name`, `description`, `roles` (what a mapping gives stays). *if_match* None: any version.
    *may* is asked with the group before and after whether the caller may give and take that, as in `change_user`.

    Raises:
        Forbidden: *may* says so.
        NotFound: this tenant has no group of this id.
        Unprocessable: a field is not valid, or not one of these.
        PreconditionFailed: the group has another version.
        GroupNameTaken: another group of the tenant has the name.
        KeptByDirectory: a directory names the group.
        WouldLockOut: only through it does the tenant have an administrator who can sign in.
    """

    def write() -> Group:
        guarded = "roles" in changes
        turn: int | None = directory.turn(tenant_id) if guarded or may is not None else None
        before = read_group(tenant_id, group_id, groups=groups)
        if if_match not in (None, before.version):
            raise PreconditionFailed
        if before.managed is not None and "name" in changes:
            raise KeptByDirectory
        fields = _parsed(changes, known_roles)
        if "roles" in fields:
            fields["roles"] = sorted_roles((*fields["roles"], *before.mapped))
        after = replace(before, version=before.version + 1, **fields)
        if guarded:
            judge, afterwards = administration(tenant_id), Afterwards(groups={group_id: after})
            require_administrator(tenant_id, afterwards, directory=directory, groups=groups, administration=judge)
        if may is not None:
            may(before, after)
        event = attempt.event("success", resource=group_id, resource_type="group", changes=changed(before, after))
        groups.replace(before, after, event, turn=turn)
        return after

    return settled(write, again_if_stale=if_match is None)


def _parsed(changes: Mapping[str, object], known_roles: frozenset[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in changes.items():
        if name == "name":
            fields[name] = parse_name(value)
        elif name == "description":
            fields[name] = parse_description(value)
        elif name == "roles":
            fields[name] = parse_roles(value, known_roles=known_roles)
        else:
            raise Unprocessable(errors=[FieldError(f"/{name}", "Cannot be changed.")])
    return fields
