"""A user's fields, status and roles change."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from platforma.identity.changes import changed
from platforma.identity.email_address import parse_email
from platforma.identity.errors import NotYetAccepted
from platforma.identity.fields import merged_attributes, parse_name, parse_roles
from platforma.identity.lockout import (
    AdministrationOf,
    Afterwards,
    by_role,
    could_administer,
    require_administrator,
    settled,
)
from platforma.identity.model import User, UserStatus
from platforma.identity.ports import Directory, Groups
from platforma.identity.read_user import read_user
from platforma.kernel.errors import FieldError, PreconditionFailed, Unprocessable
from platforma.kernel.events import Attempt


def change_user(
    tenant_id: str,
    user_id: str,
    changes: Mapping[str, object],
    *,
    if_match: int | None,
    known_roles: frozenset[str],
    directory: Directory,
    groups: Groups,
    attempt: Attempt,
    administration: AdministrationOf = by_role,
    may: Callable[[User, User], None] | None = None,
) -> User:
    """
    The user after *changes*: `email`, `name`, `status` (`active` or `suspended`), `roles`, `attributes` (merged).

    *may* is asked with the user before and after whether the caller may give and take that, at the turn at which it is then
    written: what changes in between is judged anew. *if_match* None means any version. A suspended user without a password
    or an identity, whom no connection provisions, is invited again when made active: nobody knows that it is theirs.

    Raises:
        Forbidden: *may* says so.
        NotFound: this tenant has no user of this id.
        Unprocessable: a field is not valid, or not one of these.
        PreconditionFailed: the user has another version.
        EmailTaken: another user of the tenant has the address.
        NotYetAccepted: an invited user is active when it has set a password.
        WouldLockOut: the user is the last administrator who can sign in.
    """

    def write() -> User:
        guarded = not changes.keys().isdisjoint({"status", "roles"})
        turn = directory.turn(tenant_id) if guarded or may is not None else None
        before = read_user(tenant_id, user_id, directory=directory)
        if if_match not in (None, before.version):
            raise PreconditionFailed
        after = replace(before, version=before.version + 1, **_parsed(before, changes, known_roles))
        taking = guarded and (before.status, before.roles) != (after.status, after.roles)
        if taking and could_administer(before, judge := administration(tenant_id)):
            afterwards = Afterwards(users={user_id: after})
            require_administrator(tenant_id, afterwards, directory=directory, groups=groups, administration=judge)
        elif may is None:
            turn = None
        if may is not None:
            may(before, after)
        event = attempt.event("success", resource=user_id, resource_type="user", changes=changed(before, after))
        directory.replace(before, after, event, turn=turn)
        return after

    return settled(write, again_if_stale=if_match is None)


def _made_active(user: User) -> UserStatus:
    if user.status == "invited":
        raise NotYetAccepted
    known = user.has_password or user.identities or user.managed is not None
    return "active" if user.status == "active" or known else "invited"


def _parsed(before: User, changes: Mapping[str, object], known_roles: frozenset[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in changes.items():
        if name == "email":
            fields[name] = parse_email(value)
        elif name == "name":
            fields[name] = parse_name(value)
        elif name == "roles":
            fields[name] = parse_roles(value, known_roles=known_roles)
        elif name == "attributes":
            fields[name] = merged_attributes(before.attributes, value)
        elif name == "status" and value == "active":
            fields[name] = _made_active(before)
        elif name == "status" and value == "suspended":
            fields[name] = value
        elif name == "status":
            raise Unprocessable(errors=[FieldError("/status", "Must be active or suspended.")])
        else:
            raise Unprocessable(errors=[FieldError(f"/{name}", "Cannot be changed.")])
    return fields
