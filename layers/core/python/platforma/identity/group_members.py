"""Who is in a group."""

from collections.abc import Callable
from dataclasses import replace

from platforma.identity.errors import KeptByDirectory
from platforma.identity.lockout import (
    AdministrationOf,
    Afterwards,
    by_role,
    could_administer,
    require_administrator,
    settled,
)
from platforma.identity.model import MAX_GROUPS_OF_A_USER, Group, Page
from platforma.identity.ports import Directory, Groups
from platforma.identity.read_group import read_group
from platforma.identity.read_user import read_user
from platforma.kernel.errors import Conflict
from platforma.kernel.events import Attempt


def list_members(tenant_id: str, group_id: str, *, groups: Groups, limit: int = 50, after: str | None = None) -> Page[str]:
    """
    A page of the ids of the group's members.

    Raises:
        NotFound: this tenant has no group of this id.
    """
    read_group(tenant_id, group_id, groups=groups)
    return groups.members(tenant_id, group_id, limit=limit, after=after)


def add_member(
    tenant_id: str,
    group_id: str,
    user_id: str,
    *,
    directory: Directory,
    groups: Groups,
    attempt: Attempt,
    administration: AdministrationOf = by_role,
    may: Callable[[Group], None] | None = None,
) -> None:
    """
    Put the user into the group; one who is in it stays. *may* is asked whether the caller may give what the group gives, at
    the turn at which it is then written: what changes in between is judged anew.

    Raises:
        Forbidden: *may* says so.
        NotFound: this tenant has no such group or user.
        Conflict: the user is in as many groups as anybody may be.
        KeptByDirectory: a directory says who is in the group.
        WouldLockOut: the group's policies would take the last administrator's rights.
    """

    def write() -> None:
        turn: int | None = directory.turn(tenant_id)
        group = read_group(tenant_id, group_id, groups=groups)
        if may is not None:
            may(group)
        if group.managed is not None:
            raise KeptByDirectory
        user = read_user(tenant_id, user_id, directory=directory)
        if group_id in user.groups:
            return
        alive = {other.id for other in groups.several(tenant_id, user.groups)}
        if len(alive) >= MAX_GROUPS_OF_A_USER:
            raise Conflict(f"A user can be in {MAX_GROUPS_OF_A_USER} groups.")
        after = replace(user, version=user.version + 1, groups=tuple(sorted(alive | {group_id})))
        judge, afterwards = administration(tenant_id), Afterwards(users={user_id: after})
        if could_administer(user, judge):
            require_administrator(tenant_id, afterwards, directory=directory, groups=groups, administration=judge)
        elif may is None:
            turn = None
        changes = {"before": None, "after": {"user_id": user_id, "group_id": group_id}}
        event = attempt.event("success", resource=group_id, resource_type="group", changes=changes)
        groups.add_member(group, user, after, event, turn=turn)

    settled(write, again_if_stale=True)


def remove_member(
    tenant_id: str,
    group_id: str,
    user_id: str,
    *,
    directory: Directory,
    groups: Groups,
    attempt: Attempt,
    administration: AdministrationOf = by_role,
    may: Callable[[Group], None] | None = None,
) -> None:
    """
    Take the user out of the group; one who is not in it stays out. *may* is as in `add_member`.

    Raises:
        Forbidden: *may* says so.
        NotFound: this tenant has no such group or user.
        KeptByDirectory: a directory says who is in the group.
        WouldLockOut: only as its member is the tenant's last administrator one.
    """

    def write() -> None:
        turn = directory.turn(tenant_id)
        group = read_group(tenant_id, group_id, groups=groups)
        if may is not None:
            may(group)
        if group.managed is not None:
            raise KeptByDirectory
        user = read_user(tenant_id, user_id, directory=directory)
        if group_id not in user.groups:
            return
        after = replace(user, version=user.version + 1, groups=tuple(other for other in user.groups if other != group_id))
        judge, afterwards = administration(tenant_id), Afterwards(users={user_id: after})
        require_administrator(tenant_id, afterwards, directory=directory, groups=groups, administration=judge)
        changes = {"before": {"user_id": user_id, "group_id": group_id}, "after": None}
        event = attempt.event("success", resource=group_id, resource_type="group", changes=changes)
        groups.remove_member(group, user, after, event, turn=turn)

    settled(write, again_if_stale=True)
