"""
A directory makes, changes and removes its groups, and says who is in them (RFC 7644; RFC 7643 section 4.2).

What a group gives is the connection's mapping of its name, applied whenever the directory changes it, and what people here
gave it by hand; nothing that the directory sends says more. Its members are the directory's own users.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from unicodedata import normalize

from platforma.identity.changes import changed, shown
from platforma.identity.errors import GroupNameTaken, WouldLockOut
from platforma.identity.fields import parse_name
from platforma.identity.lockout import AdministrationOf, Afterwards, by_role, require_administrator, settled
from platforma.identity.model import Group, sorted_roles
from platforma.identity.ports import MAX_MOVED, Groups
from platforma.identity.ports import Directory as Users
from platforma.kernel.errors import NotFound, PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.kernel.ids import is_id, new_id
from platforma.sso.mapping import matches
from platforma.sso.scim.errors import InvalidValue, NotUnique
from platforma.sso.scim.member_changes import MAX_MEMBERS, Moves
from platforma.sso.scim.memberships import Work, members_of, move, require_own
from platforma.sso.scim.model import Directory, ProvisionedGroup
from platforma.sso.scim.ports import ProvisionedUsers
from platforma.sso.scim.resources import canonical
from platforma.sso.scim.schema import kind, validated

_MAX_EXTERNAL_ID = 256
_NAME_TAKEN = "Another group has this displayName."

Document = dict[str, Any]


def create_group(
    caller: Directory,
    sent: Mapping[str, Any],
    *,
    provisioned_users: ProvisionedUsers,
    directory: Users,
    groups: Groups,
    attempt: Attempt,
    administration: AdministrationOf = by_role,
) -> ProvisionedGroup:
    """
    A new group, and its members in it. Where the making of a group of this name and external id was cut short, that is gone
    on with, whatever members were named then: a directory sends the same request again.

    Raises:
        InvalidValue: a value is missing or not valid, or a member is no user of the directory's.
        NotUnique: another group of the tenant has the name.
        Unavailable: the group is there, and a part of its members is not in it.
    """
    document = canonical(sent, kind("Group"))
    name, external_id, wanted = _read(document)
    by = _work(provisioned_users, directory, groups, administration, attempt)
    if (begun := groups.named(caller.tenant_id, name)) is not None:
        if not begun.unfinished or (begun.managed, begun.name, begun.external_id) != (caller.manages, name, external_id):
            raise NotUnique(_NAME_TAKEN)
        return ProvisionedGroup(_finished(caller, begun, wanted, by), tuple(wanted))
    require_own(caller, wanted, by=by)
    mapped = mapped_roles(caller, name)
    now = attempt.clock()
    group = Group(
        id=new_id("grp"),
        tenant_id=caller.tenant_id,
        name=name,
        created_at=now,
        roles=mapped,
        managed=caller.manages,
        mapped=mapped,
        external_id=external_id,
        modified_at=now,
        size=0,
        unfinished=bool(wanted),
    )
    after = {**shown(group), "managed_by": "scim", "external_id": external_id}
    try:
        groups.add(group, by.event(group.id, "group", {"before": None, "after": after}))
    except GroupNameTaken:
        raise NotUnique(_NAME_TAKEN) from None
    by.committed += 1
    made = move(caller, group, Moves(joining=tuple(wanted)), by=by, making=True)
    return ProvisionedGroup(made, tuple(wanted))


def read_group(caller: Directory, group_id: str, *, groups: Groups, with_members: bool = True) -> ProvisionedGroup:
    """
    The directory's group.

    Raises:
        NotFound: it made none of this id.
    """
    group = _group(caller, group_id, groups)
    return ProvisionedGroup(group, tuple(members_of(caller.tenant_id, group_id, groups=groups)) if with_members else ())


def change_group(
    caller: Directory,
    group_id: str,
    change: Callable[[Document], Document],
    *,
    moves: Moves | None = None,
    if_match: frozenset[int] | None,
    provisioned_users: ProvisionedUsers,
    directory: Users,
    groups: Groups,
    attempt: Attempt,
    administration: AdministrationOf = by_role,
) -> ProvisionedGroup:
    """
    The group after *change* of name, external id and members, its mapped roles as the connection says now.

    With *moves* the members change by those alone, whatever *change* makes of them, and nobody else's membership is read;
    what comes back has then no members. A version that is meant stands in the moment of the first write.

    Raises:
        NotFound: the directory made no group of this id.
        PreconditionFailed: the change is meant for other versions.
        InvalidValue: a value is missing or not valid, or a new member is no user of the directory's.
        NotUnique: another group of the tenant has the name.
        Unavailable: a part of the members is done.
        SCIMRefused: what *change* raises.
    """
    by = _work(provisioned_users, directory, groups, administration, attempt)
    whole = moves is None and is_id(group_id, "grp")
    current = members_of(caller.tenant_id, group_id, groups=groups) if whole else []
    wanted: list[str] = current
    moving = moves or Moves()

    def write() -> Group:
        nonlocal wanted, moving
        turn: int | None = directory.turn(caller.tenant_id)
        before = _group(caller, group_id, groups)
        if if_match is not None and before.version not in if_match:
            raise PreconditionFailed
        name, external_id, wanted = _read(change(_document(before, current)))
        if moves is None:
            moving = _between(current, wanted)
        require_own(caller, moving.joining, by=by)
        _require_room(caller, before, moving, by)
        after = _renamed(caller, before, name, external_id)
        if after == before:
            return before
        after = replace(after, version=before.version + 1, modified_at=attempt.clock())
        kept = False
        if set(before.roles) - set(after.roles):
            kept = _keep_administrator(caller, after, by)
        else:
            turn = None
        event = by.event(group_id, "group", _differences(before, after), kept=kept)
        try:
            groups.replace(before, after, event, turn=None if kept else turn)
        except GroupNameTaken:
            raise NotUnique(_NAME_TAKEN) from None
        by.committed += 1
        return after

    group = settled(write, again_if_stale=if_match is None)
    group = move(caller, group, moving, by=by, exactly=if_match is not None and not by.committed)
    return ProvisionedGroup(group, tuple(wanted))


def remove_group(
    caller: Directory,
    group_id: str,
    *,
    if_match: frozenset[int] | None,
    provisioned_users: ProvisionedUsers,
    directory: Users,
    groups: Groups,
    attempt: Attempt,
    administration: AdministrationOf = by_role,
) -> None:
    """
    Delete the group, its members out of it first; of a large one its roles before those, so that it gives nothing at once.

    Raises:
        NotFound: the directory made no group of this id.
        PreconditionFailed: the deletion is meant for other versions.
        Unavailable: a part of the members is out of it.
    """
    group = _group(caller, group_id, groups)
    if if_match is not None and group.version not in if_match:
        raise PreconditionFailed
    by = _work(provisioned_users, directory, groups, administration, attempt)
    members = members_of(caller.tenant_id, group_id, groups=groups)
    if len(members) > MAX_MOVED and group.roles and caller.connection.provisioning.deprovision_on_group_loss:
        _emptied(caller, group_id, by)
    move(caller, group, Moves(leaving=tuple(members)), by=by)

    def write() -> None:
        turn: int | None = directory.turn(caller.tenant_id)
        before = _group(caller, group_id, groups)
        kept = _keep_administrator(caller, replace(before, roles=()), by)
        changes = {"before": {**shown(before), "external_id": before.external_id}, "after": None}
        event = by.event(group_id, "group", changes, kept=kept)
        groups.remove(before, event, turn=None if kept else turn)

    settled(write, again_if_stale=True)


def replaced_group(sent: Mapping[str, Any]) -> Callable[[Document], Document]:
    """PUT: the members stay where nothing is said of them; an empty list takes them all (RFC 7644 section 3.5.1)."""
    named = {name.lower() for name in sent}

    def change(before: Document) -> Document:
        kept = {} if "members" in named else {"members": before.get("members", [])}
        return {**kept, **canonical(sent, kind("Group"))}

    return change


def mapped_roles(caller: Directory, name: str) -> tuple[str, ...]:
    """The roles that the connection's mappings give to a group of this name; case counts, and NFC is compared."""
    named = normalize("NFC", name)
    return sorted_roles(each.role for each in caller.connection.group_mappings if matches(each, named))


def _work(
    provisioned_users: ProvisionedUsers, directory: Users, groups: Groups, administration: AdministrationOf, attempt: Attempt
) -> Work:
    return Work(provisioned_users, directory, groups, administration, attempt)


def _group(caller: Directory, group_id: str, groups: Groups) -> Group:
    group = groups.group(caller.tenant_id, group_id) if is_id(group_id, "grp") else None
    if group is None or group.managed != caller.manages:
        raise NotFound
    return group


def _document(group: Group, members: Sequence[str]) -> Document:
    document: Document = {"displayName": group.name, "members": [{"value": each} for each in members]}
    return document if group.external_id is None else {**document, "externalId": group.external_id}


def _read(document: Document) -> tuple[str, str | None, list[str]]:
    """Name, external id and the members' ids, each once."""
    members = document.get("members", [])
    if len(members) > MAX_MEMBERS:
        raise InvalidValue(f"A group has at most {MAX_MEMBERS} members.")
    if any(set(each) != {"value"} for each in members):
        raise InvalidValue("A member has a value.")
    validated("Group", {name: value for name, value in document.items() if name != "members"})
    external_id = document.get("externalId")
    if external_id is not None and len(external_id) > _MAX_EXTERNAL_ID:
        raise InvalidValue(f"externalId has at most {_MAX_EXTERNAL_ID} characters.")
    name = parse_name(document.get("displayName"), pointer="/displayName")
    return name, external_id, list(dict.fromkeys(str(each["value"]) for each in members))


def _between(current: Sequence[str], wanted: Sequence[str]) -> Moves:
    """What makes of *current* members the *wanted* ones."""
    before, after = set(current), set(wanted)
    joining = tuple(each for each in wanted if each not in before)
    return Moves(joining, tuple(each for each in current if each not in after))


def _require_room(caller: Directory, group: Group, moving: Moves, by: Work) -> None:
    """
    Require that the group holds those who join; only where it could be too few are all its members read.

    Raises:
        InvalidValue: it does not.
    """
    if not moving.joining or (group.size is not None and group.size + len(moving.joining) <= MAX_MEMBERS):
        return
    members = set(members_of(caller.tenant_id, group.id, groups=by.groups)) - set(moving.leaving)
    if len(members.union(moving.joining)) > MAX_MEMBERS:
        raise InvalidValue(f"A group has at most {MAX_MEMBERS} members.")


def _renamed(caller: Directory, before: Group, name: str, external_id: str | None) -> Group:
    mapped = mapped_roles(caller, name)
    if not caller.connection.provisioning.deprovision_on_group_loss:
        mapped = sorted_roles((*before.mapped, *mapped))
    by_hand = set(before.roles) - set(before.mapped)
    roles = sorted_roles((*by_hand, *mapped))
    return replace(before, name=name, external_id=external_id, mapped=mapped, roles=roles, unfinished=False)


def _finished(caller: Directory, group: Group, wanted: Sequence[str], by: Work) -> Group:
    """The group that was begun, with the *wanted* members and no others."""
    moving = _between(members_of(caller.tenant_id, group.id, groups=by.groups), wanted)
    require_own(caller, moving.joining, by=by)
    moved = move(caller, group, moving, by=by, making=True)
    if not moved.unfinished:
        return moved

    def write() -> Group:
        before = _group(caller, group.id, by.groups)
        after = replace(before, version=before.version + 1, modified_at=by.attempt.clock(), unfinished=False)
        by.groups.replace(before, after, by.event(group.id, "group", changed(before, after)), turn=None)
        return after

    return settled(write, again_if_stale=True)


def _emptied(caller: Directory, group_id: str, by: Work) -> None:
    """Have the group give nothing."""

    def write() -> None:
        turn = by.directory.turn(caller.tenant_id)
        before = _group(caller, group_id, by.groups)
        after = replace(before, roles=(), mapped=(), version=before.version + 1)
        kept = _keep_administrator(caller, after, by)
        event = by.event(group_id, "group", changed(before, after), kept=kept)
        by.groups.replace(before, after, event, turn=None if kept else turn)
        by.committed += 1

    settled(write, again_if_stale=True)


def _keep_administrator(caller: Directory, after: Group, by: Work) -> bool:
    """
    See that one administrator keeps by hand what the group gave, if nobody would be one once it is *after*; whether one did.

    The group is written afterwards, and not at the turn: the rights that this gave are there by then.
    """
    judge = by.administration(caller.tenant_id)
    given = Afterwards(groups={after.id: after})
    try:
        require_administrator(caller.tenant_id, given, directory=by.directory, groups=by.groups, administration=judge)
    except WouldLockOut:
        pass
    else:
        return False
    for standing in by.directory.holders(caller.tenant_id, roles=judge.roles, groups=frozenset({after.id})):
        user = by.directory.user(caller.tenant_id, standing.user_id)
        if user is None or user.status != "active" or not user.has_password or after.id not in user.groups:
            continue
        roles = sorted_roles((*user.roles, *judge.roles & set(_roles_now(caller, after.id, by))))
        if not judge.administers(user.id, frozenset(roles), frozenset(user.groups)):
            continue
        keeping = replace(user, roles=roles, version=user.version + 1)
        by.directory.replace(user, keeping, by.event(user.id, "user", changed(user, keeping), kept=True), turn=None)
        by.committed += 1
        return True
    return False


def _roles_now(caller: Directory, group_id: str, by: Work) -> tuple[str, ...]:
    group = by.groups.group(caller.tenant_id, group_id)
    return () if group is None else group.roles


def _differences(before: Group, after: Group) -> dict[str, Any]:
    told = changed(before, after)
    if before.external_id != after.external_id:
        told["before"]["external_id"], told["after"]["external_id"] = before.external_id, after.external_id
    return told
