"""A user's fields, status and roles change."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from platforma.identity.changes import changed
from platforma.identity.email_address import parse_email
from platforma.identity.fields import merged_attributes, parse_name, parse_roles
from platforma.identity.lockout import (
    AdministrationOf,
    Afterwards,
    by_role,
    could_administer,
    require_administrator,
    settled,
)
from platforma.identity.model import User
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
) -> User:
    """
    The user after *changes*: `email`, `name`, `status` (`active` or `suspended`), `roles`, `attributes` (merged).

    Whoever lets `roles` through from a caller must have checked that the caller may give them: here they only have to exist.
    *if_match* None means any version. A suspended user made active that never had a password is active without one.

    Raises:
        NotFound: this tenant has no user of this id.
        Unprocessable: a field is not valid, or not one of these.
        PreconditionFailed: the user has another version.
        EmailTaken: another user of the tenant has the address.
        WouldLockOut: the user is the last administrator who can sign in.
    """

    def write() -> User:
        turn = None if changes.keys().isdisjoint({"status", "roles"}) else directory.turn(tenant_id)
        before = read_user(tenant_id, user_id, directory=directory)
        if if_match not in (None, before.version):
            raise PreconditionFailed
        after = replace(before, version=before.version + 1, **_parsed(before, changes, known_roles))
        if turn is not None:
            judge, afterwards = administration(tenant_id), Afterwards(users={user_id: after})
            if (before.status, before.roles) == (after.status, after.roles) or not could_administer(before, judge):
                turn = None
            else:
                require_administrator(tenant_id, afterwards, directory=directory, groups=groups, administration=judge)
        event = attempt.event("success", resource=user_id, resource_type="user", changes=changed(before, after))
        directory.replace(before, after, event, turn=turn)
        return after

    return settled(write, again_if_stale=if_match is None)


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
        elif name == "status" and value in ("active", "suspended"):
            fields[name] = value
        elif name == "status":
            raise Unprocessable(errors=[FieldError("/status", "Must be active or suspended.")])
        else:
            raise Unprocessable(errors=[FieldError(f"/{name}", "Cannot be changed.")])
    return fields
