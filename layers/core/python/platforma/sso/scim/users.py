"""
A directory makes, changes and removes its users (RFC 7644 sections 3.3, 3.5 and 3.6).

It governs those alone that it made: any other id is as if it did not exist. That is what keeps an address from being taken
over: a user who is there already, however they came, is a conflict and is never adopted.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from platforma.identity.changes import shown
from platforma.identity.errors import EmailTaken
from platforma.identity.lockout import AdministrationOf, by_role, settled
from platforma.identity.model import MappedRole, User, UserStatus
from platforma.identity.ports import Directory as Users
from platforma.identity.ports import Groups
from platforma.kernel.clock import Clock
from platforma.kernel.errors import NotFound, PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.kernel.ids import is_id, new_id
from platforma.oauth.sessions import end_sessions
from platforma.oauth.sessions.ports import Sessions
from platforma.sso.scim.administrators import KEPT, is_counted, may_take
from platforma.sso.scim.errors import InvalidValue, NotUnique
from platforma.sso.scim.model import Directory, ProvisionedUser
from platforma.sso.scim.people import address_of, is_active, name_of
from platforma.sso.scim.ports import ProvisionedUsers
from platforma.sso.scim.resources import canonical
from platforma.sso.scim.schema import kind, validated

MAX_DOCUMENT = 8 * 1024
"""How many bytes of JSON a directory may say of one person: before and after fit into one event."""
_TAKEN = "A user with this userName or address exists already."

Document = dict[str, Any]


def create_user(
    caller: Directory, sent: Mapping[str, Any], *, provisioned_users: ProvisionedUsers, attempt: Attempt
) -> ProvisionedUser:
    """
    A new user, active unless the directory says otherwise, with the connection's default roles. Nobody is invited.

    Raises:
        InvalidValue: a value is missing or not valid, or the person is of none of the connection's domains.
        NotUnique: another user has the `userName`, the `externalId` or the address.
    """
    document = {"active": True, **canonical(sent, kind("User"))}
    _check(document)
    now = attempt.clock()
    user = User(
        id=new_id("usr"),
        tenant_id=caller.tenant_id,
        email=address_of(document, caller.domains),
        name=name_of(document),
        status="active" if is_active(document) else "suspended",
        created_at=now,
        mapped=default_roles(caller, now),
        managed=caller.manages,
    )
    made = ProvisionedUser(user, document, now)
    changes = {"before": None, "after": _told(made)}
    try:
        provisioned_users.add_user(made, attempt.event("success", resource=user.id, resource_type="user", changes=changes))
    except EmailTaken:
        raise NotUnique(_TAKEN) from None
    return made


def read_user(caller: Directory, user_id: str, *, provisioned_users: ProvisionedUsers) -> ProvisionedUser:
    """
    The directory's user.

    Raises:
        NotFound: it made none of this id.
    """
    found = provisioned_users.user(caller.tenant_id, caller.id, user_id) if is_id(user_id, "usr") else None
    if found is None:
        raise NotFound
    return found


def change_user(
    caller: Directory,
    user_id: str,
    change: Callable[[Document], Document],
    *,
    if_match: frozenset[int] | None,
    provisioned_users: ProvisionedUsers,
    directory: Users,
    groups: Groups,
    sessions: Sessions,
    clock: Clock,
    attempt: Attempt,
    administration: AdministrationOf = by_role,
) -> ProvisionedUser:
    """
    The user after *change* of what the directory says of it; *if_match* has the versions that it is meant for; None: any.

    What the directory says of `active` counts when it says something new: one who was suspended by hand stays so while it
    repeats itself. One who is not active any more loses every session; tokens and keys are refused as the user is. The last
    administrator stays active.

    Raises:
        NotFound: the directory made no user of this id.
        PreconditionFailed: the change is meant for other versions.
        InvalidValue: a value is missing or not valid, or the person is of none of the connection's domains.
        NotUnique: another user has the `userName`, the `externalId` or the address.
        SCIMRefused: what *change* raises.
    """

    def write() -> ProvisionedUser:
        turn: int | None = directory.turn(caller.tenant_id)
        before = read_user(caller, user_id, provisioned_users=provisioned_users)
        if if_match is not None and before.user.version not in if_match:
            raise PreconditionFailed
        document = change(dict(before.document))
        after, kept = _after(caller, before, document, attempt), False
        if after == before:
            return before
        judge = administration(caller.tenant_id)
        if before.user.status != after.user.status and is_counted(before.user, judge):
            if not may_take(before.user, after.user, directory=directory, groups=groups, judge=judge):
                kept, after = True, _still_active(after)
        else:
            turn = None
        event = attempt.event(
            "success",
            resource=user_id,
            resource_type="user",
            changes=_differences(before, after),
            reason=KEPT if kept else None,
        )
        try:
            provisioned_users.change_user(before, after, event, turn=turn)
        except EmailTaken:
            raise NotUnique(_TAKEN) from None
        return after

    changed = settled(write, again_if_stale=if_match is None)
    if changed.user.status == "suspended":
        end_sessions(caller.tenant_id, user_id, attempt=attempt, sessions=sessions, clock=clock)
    return changed


def remove_user(
    caller: Directory,
    user_id: str,
    *,
    if_match: frozenset[int] | None,
    provisioned_users: ProvisionedUsers,
    directory: Users,
    groups: Groups,
    sessions: Sessions,
    clock: Clock,
    attempt: Attempt,
    administration: AdministrationOf = by_role,
) -> None:
    """
    Delete the user; the address stays a removed user's, whom no sign-in brings back, but a directory or a person here may.

    The last administrator is let go instead: it stays a user of the tenant's, and the directory has it no more.

    Raises:
        NotFound: the directory made no user of this id.
        PreconditionFailed: the deletion is meant for other versions.
    """

    def write() -> bool:
        turn: int | None = directory.turn(caller.tenant_id)
        before = read_user(caller, user_id, provisioned_users=provisioned_users)
        if if_match is not None and before.user.version not in if_match:
            raise PreconditionFailed
        judge = administration(caller.tenant_id)
        if not may_take(before.user, None, directory=directory, groups=groups, judge=judge):
            let_go = replace(before.user, managed=None, version=before.user.version + 1)
            moved = {"before": {"managed_by": "scim"}, "after": {"managed_by": "manual"}}
            event = attempt.event("success", resource=user_id, resource_type="user", changes=moved, reason=KEPT)
            provisioned_users.change_user(before, replace(before, user=let_go), event, turn=turn)
            return False
        if not is_counted(before.user, judge):
            turn = None
        changes = {"before": _told(before), "after": None}
        event = attempt.event("success", resource=user_id, resource_type="user", changes=changes)
        provisioned_users.remove_user(before, event, turn=turn)
        return True

    if settled(write, again_if_stale=if_match is None):
        end_sessions(caller.tenant_id, user_id, attempt=attempt, sessions=sessions, clock=clock)


def replaced(sent: Mapping[str, Any]) -> Callable[[Document], Document]:
    """PUT: all that was said before goes, but for `active` where nothing is said of it now (RFC 7644 section 3.5.1)."""

    def change(before: Document) -> Document:
        active = {"active": before["active"]} if "active" in before else {}
        return {**active, **canonical(sent, kind("User"))}

    return change


def default_roles(caller: Directory, now: Any) -> tuple[MappedRole, ...]:
    """The roles of those to whom no group gives one."""
    return tuple(MappedRole(role, caller.id, None, now) for role in caller.connection.provisioning.default_roles)


def _after(caller: Directory, before: ProvisionedUser, document: Document, attempt: Attempt) -> ProvisionedUser:
    status: UserStatus = before.user.status
    if is_active(document) != is_active(before.document):
        status = "active" if is_active(document) else "suspended"
    _check(document)
    told = [(said.get("userName"), said.get("emails")) for said in (before.document, document)]
    # Who keeps their address can be deactivated although the domain is not the tenant's any more.
    email = before.user.email if told[0] == told[1] else address_of(document, caller.domains)
    user = replace(before.user, email=email, name=name_of(document), status=status)
    if (user, document) == (before.user, before.document):
        return before
    return ProvisionedUser(replace(user, version=before.user.version + 1), document, attempt.clock())


def _still_active(user: ProvisionedUser) -> ProvisionedUser:
    return replace(user, user=replace(user.user, status="active"), document={**user.document, "active": True})


def _check(document: Document) -> None:
    if not document.get("userName"):
        raise InvalidValue("userName is required.")
    validated("User", document)
    if len(json.dumps(document, ensure_ascii=False).encode()) > MAX_DOCUMENT:
        raise InvalidValue(f"A user is at most {MAX_DOCUMENT} bytes of JSON.")


def _told(user: ProvisionedUser) -> dict[str, Any]:
    return {**shown(user.user), "managed_by": user.user.managed_by, "profile": dict(user.document)}


def _differences(before: ProvisionedUser, after: ProvisionedUser) -> dict[str, Any]:
    """What differs; of what the directory says, attribute by attribute."""
    old, new = shown(before.user), shown(after.user)
    names = [name for name in new if old[name] != new[name]]
    said = sorted(before.document.keys() | after.document.keys())
    moved = [name for name in said if before.document.get(name) != after.document.get(name)]
    return {
        "before": {**{name: old[name] for name in names}, "profile": {name: before.document.get(name) for name in moved}},
        "after": {**{name: new[name] for name in names}, "profile": {name: after.document.get(name) for name in moved}},
    }
