"""
Who is in a directory's group, changed in pages: a transaction holds so many users, and a group has thousands.

Each page is one transaction with its event, and bites at once. What is left when a request's time is over is refused with a
503: the same request sent again goes on from there, since what is done already needs no doing.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from platforma.identity.errors import WouldLockOut
from platforma.identity.lockout import Administration, AdministrationOf, Afterwards, require_administrator, settled
from platforma.identity.model import MAX_GROUPS_OF_A_USER, Group, MappedRole, User
from platforma.identity.ports import MAX_MOVED, Groups
from platforma.identity.ports import Directory as Users
from platforma.kernel.errors import NotFound, PreconditionFailed, Unavailable
from platforma.kernel.events import Attempt, Event
from platforma.sso.scim.administrators import KEPT, is_counted
from platforma.sso.scim.errors import InvalidValue
from platforma.sso.scim.member_changes import Moves
from platforma.sso.scim.model import Directory
from platforma.sso.scim.ports import ProvisionedUsers
from platforma.sso.scim.users import default_roles

_LISTED = 10_000


@dataclass(slots=True)
class Work:
    """One request's changes, which are several transactions: what they take, and how many are committed."""

    provisioned_users: ProvisionedUsers
    directory: Users
    groups: Groups
    administration: AdministrationOf
    attempt: Attempt
    committed: int = 0

    def event(self, resource: str, kind: str, changes: Mapping[str, Any], *, kept: bool = False) -> Event:
        """The event of the next transaction."""
        return self.attempt.event(
            "success",
            resource=resource,
            resource_type=kind,
            changes=changes,
            reason=KEPT if kept else None,
            part=self.committed + 1,
        )


def members_of(tenant_id: str, group_id: str, *, groups: Groups) -> list[str]:
    """The ids of all the group's members, by age."""
    found: list[str] = []
    after: str | None = None
    while True:
        page = groups.members(tenant_id, group_id, limit=_LISTED, after=after)
        found += page.items
        if (after := page.after) is None:
            return found


def require_own(caller: Directory, user_ids: Sequence[str], *, by: Work) -> None:
    """
    Require that all of these are users of the directory's.

    Raises:
        InvalidValue: one is not.
    """
    known = {each.user.id for each in by.provisioned_users.several_users(caller.tenant_id, caller.id, user_ids)}
    for user_id in user_ids:
        if user_id not in known:
            raise InvalidValue(f"No user of this directory has the id {user_id[:64]}.")


def move(caller: Directory, group: Group, moves: Moves, *, by: Work, exactly: bool = False, making: bool = False) -> Group:
    """
    The group without those who leave, and with those who join, its version moved by each page. The last administrator keeps
    by hand what the group gave. *making*: it stays unfinished until the last page.
    *exactly*: only if the group is still of this version when the first page is written.

    Raises:
        PreconditionFailed: it is not.
        InvalidValue: one who joins is in as many groups as anybody may be.
        Unavailable: it is done in part.
    """
    pages = [
        (user_ids[first : first + MAX_MOVED], how)
        for user_ids, how in ((moves.leaving, _left), (moves.joining, _joined))
        for first in range(0, len(user_ids), MAX_MOVED)
    ]
    for left, (page, how) in enumerate(pages, 1 - len(pages)):
        group = _moved(caller, group, page, how, by, exactly=exactly and not by.committed, on=making and left < 0)
    return group


Move = Callable[[Directory, Group, User, Mapping[str, Group]], User]


def _moved(caller: Directory, group: Group, page: Sequence[str], how: Move, by: Work, *, exactly: bool, on: bool) -> Group:
    if time.monotonic() >= caller.until:
        raise Unavailable("A part of the members is done: send the request again to go on.", retry_after=1)
    latest: Group | None = group

    def write() -> Group | None:
        nonlocal latest
        # What the page before left is most likely what is there still; where it is not, it is read.
        before = latest or by.groups.group(caller.tenant_id, group.id)
        latest = None
        if before is None:
            raise NotFound
        if exactly and before.version != group.version:
            return None
        pairs, turn = _pairs(caller, before, page, how, by), None
        kept = False
        if any(old.has_password for old, _ in pairs):  # nobody else is an administrator whom the guard would count
            turn = by.directory.turn(caller.tenant_id)
            pairs, judge = _pairs(caller, before, page, how, by), by.administration(caller.tenant_id)
            pairs, kept = _administered(caller, before, pairs, judge, by)
            turn = turn if any(is_counted(old, judge) for old, _ in pairs) else None
        if not pairs:
            return before
        ids = [new.id for _, new in pairs]
        joined = group.id in pairs[0][1].groups
        changes = {"before": {"members": [] if joined else ids}, "after": {"members": ids if joined else []}}
        size = None if before.size is None else before.size + (len(ids) if joined else -len(ids))
        unfinished, now = before.unfinished and on, by.attempt.clock()
        changed = replace(before, version=before.version + 1, modified_at=now, size=size, unfinished=unfinished)
        by.groups.regroup(before, changed, pairs, by.event(group.id, "group", changes, kept=kept), turn=turn)
        by.committed += 1
        return changed

    moved = settled(write, again_if_stale=True)
    if moved is None:
        raise PreconditionFailed
    return moved


def _pairs(caller: Directory, group: Group, page: Sequence[str], how: Move, by: Work) -> list[tuple[User, User]]:
    """Those of the page whom it moves, before and after."""
    users = [each.user for each in by.provisioned_users.several_users(caller.tenant_id, caller.id, page)]
    others = tuple(sorted({each for user in users for each in user.groups} - {group.id}))
    alive = {each.id: each for each in (*by.groups.several(caller.tenant_id, others), group)}
    return [(user, after) for user in users if (after := how(caller, group, user, alive)) != user]


def _administered(
    caller: Directory, group: Group, pairs: list[tuple[User, User]], judge: Administration, by: Work
) -> tuple[list[tuple[User, User]], bool]:
    """The same, but that the last administrator among them keeps what made it one; and whether one had to."""
    counted = [old.id for old, _ in pairs if is_counted(old, judge)]
    for candidate in (None, *counted):
        tried = [(old, _keeping(old, new, group, judge) if old.id == candidate else new) for old, new in pairs]
        try:
            if counted:
                afterwards = Afterwards(users={new.id: new for _, new in tried})
                require_administrator(
                    caller.tenant_id, afterwards, directory=by.directory, groups=by.groups, administration=judge
                )
        except WouldLockOut:
            continue
        return tried, candidate is not None
    return [(old, new) for old, new in pairs if old.id not in counted], True


def _keeping(old: User, new: User, group: Group, judge: Administration) -> User:
    roles = sorted({*new.roles, *(judge.roles & {*group.roles, *old.given})})
    return replace(new, roles=tuple(roles))


def _joined(caller: Directory, group: Group, user: User, alive: Mapping[str, Group]) -> User:
    if group.id in user.groups:
        return user
    ids = {each for each in user.groups if each in alive} | {group.id}
    if len(ids) > MAX_GROUPS_OF_A_USER:
        raise InvalidValue(f"A user can be in {MAX_GROUPS_OF_A_USER} groups.")
    return _with_defaults(caller, replace(user, groups=tuple(sorted(ids)), version=user.version + 1), alive)


def _left(caller: Directory, group: Group, user: User, alive: Mapping[str, Group]) -> User:
    if group.id not in user.groups:
        return user
    ids = tuple(each for each in user.groups if each != group.id)
    after = replace(user, groups=ids, version=user.version + 1)
    if not caller.connection.provisioning.deprovision_on_group_loss:
        now = group.modified_at or group.created_at
        kept = {(each.role, each.group) for each in user.mapped}
        stays = [MappedRole(role, caller.id, group.name, now) for role in group.mapped if (role, group.name) not in kept]
        after = replace(after, mapped=(*after.mapped, *stays))
    return _with_defaults(caller, after, alive)


def _with_defaults(caller: Directory, user: User, alive: Mapping[str, Group]) -> User:
    """The user with the connection's default roles, if no group of the directory's gives it any."""
    others = tuple(each for each in user.mapped if each.connection_id != caller.id or each.group is not None)
    mine = [alive[each] for each in user.groups if each in alive and alive[each].managed == caller.manages]
    given = any(group.mapped for group in mine) or any(each.connection_id == caller.id for each in others)
    held = {each.role: each for each in user.mapped if each.connection_id == caller.id and each.group is None}
    defaults = default_roles(caller, user.created_at)
    stand = () if given else tuple(held.get(each.role, each) for each in defaults)
    mapped = (*others, *stand)
    return user if mapped == user.mapped else replace(user, mapped=mapped)
