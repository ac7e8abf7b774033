"""A tenant's own roles. The built-in ones are fixed, and their names are taken."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from platforma.kernel.clock import Clock, rfc3339
from platforma.kernel.errors import Conflict, FieldError, NotFound, PreconditionFailed, Unprocessable
from platforma.kernel.events import Attempt
from platforma.policy.actions import within
from platforma.policy.attempts import on_current
from platforma.policy.document import MAX_ACTIONS, action_fault
from platforma.policy.guarded import with_role, write_guarded
from platforma.policy.model import Role
from platforma.policy.ports import Holders, RoleStore
from platforma.policy.roles import BUILT_IN, PLATFORM_ROLE

MAX_ROLES = 200
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_ADMINISTER = ("settings:manage",)


def list_roles(tenant_id: str, *, store: RoleStore) -> tuple[Role, ...]:
    """All roles of the tenant: the built-in ones, then its own by name."""
    return (*(_built_in(tenant_id, name) for name in BUILT_IN), *store.roles(tenant_id))


def get_role(tenant_id: str, name: str, *, store: RoleStore) -> Role:
    """
    The role of this name, built-in or the tenant's own.

    Raises:
        NotFound: the tenant has no such role.
    """
    if name in BUILT_IN:
        return _built_in(tenant_id, name)
    role = store.role(tenant_id, name) if _NAME.fullmatch(name) else None
    if role is None:
        raise NotFound
    return role


def create_role(
    tenant_id: str,
    *,
    name: str,
    actions: Sequence[Any],
    description: str | None = None,
    store: RoleStore,
    attempt: Attempt,
    clock: Clock,
) -> Role:
    """
    Keep a new role, with its event. Whether the caller may give what it grants is not looked at here.

    Raises:
        Unprocessable: the name or an action pattern is not valid.
        Conflict: a role of this name exists, or there are as many as there may be.
    """
    errors = _check_actions(actions)
    if not _NAME.fullmatch(name):
        errors.insert(0, FieldError("/name", "A lower-case word of at most 64 letters, digits, - and _."))
    if errors:
        raise Unprocessable("The role is not valid.", errors=errors)
    if name in BUILT_IN or name == PLATFORM_ROLE:
        raise Conflict("This is the name of a built-in role.")
    own = store.roles(tenant_id)
    if any(role.name == name for role in own):
        raise Conflict("A role of this name exists already.")
    if len(own) >= MAX_ROLES:
        raise Conflict(f"A tenant has at most {MAX_ROLES} roles of its own.")
    role = Role(tenant_id=tenant_id, name=name, actions=tuple(actions), description=description, created_at=rfc3339(clock()))
    store.put_role(role, attempt.event("success", resource=name, resource_type="role", changes={"after": role.as_json()}))
    return role


def change_role(
    tenant_id: str,
    name: str,
    *,
    if_match: int | None,
    actions: Sequence[Any] | None = None,
    description: str | None = None,
    store: RoleStore,
    holders: Holders,
    attempt: Attempt,
) -> Role:
    """
    Change what a role grants, or its description (None leaves either as it is), with the event.

    Raises:
        NotFound: the tenant has no such role of its own.
        Conflict: the role is built in.
        PreconditionFailed: another version stands.
        Unprocessable: an action pattern is not valid.
        WouldLockOut: nobody would surely administer the tenant any more.
    """
    if errors := _check_actions(actions or ()) if actions is not None else []:
        raise Unprocessable("The role is not valid.", errors=errors)

    def change() -> Role:
        before = _own(tenant_id, name, if_match, store)
        after = replace(
            before,
            actions=before.actions if actions is None else tuple(actions),
            description=before.description if description is None else description,
            version=before.version + 1,
        )
        changes = {"before": before.as_json(), "after": after.as_json()}
        event = attempt.event("success", resource=name, resource_type="role", changes=changes)
        write_guarded(
            tenant_id,
            lambda unmoved: store.put_role(after, event, unmoved=unmoved),
            takes=_administers(before) and not _administers(after),
            after=with_role(name, after),
            source=store,
            holders=holders,
        )
        return after

    return on_current(change, if_match)


def delete_role(
    tenant_id: str, name: str, *, if_match: int | None, store: RoleStore, holders: Holders, attempt: Attempt
) -> None:
    """
    Take a role away, with its event; who had it has nothing by it from then on.

    Raises:
        NotFound: the tenant has no such role of its own.
        Conflict: the role is built in.
        PreconditionFailed: another version stands.
        WouldLockOut: nobody would surely administer the tenant any more.
    """

    def change() -> None:
        before = _own(tenant_id, name, if_match, store)
        event = attempt.event("success", resource=name, resource_type="role", changes={"before": before.as_json()})
        write_guarded(
            tenant_id,
            lambda unmoved: store.delete_role(before, event, unmoved=unmoved),
            takes=_administers(before),
            after=with_role(name, None),
            source=store,
            holders=holders,
        )

    on_current(change, if_match)


def _own(tenant_id: str, name: str, if_match: int | None, store: RoleStore) -> Role:
    if name in BUILT_IN:
        raise Conflict("The built-in roles are fixed.")
    role = get_role(tenant_id, name, store=store)
    if if_match not in (None, role.version):
        raise PreconditionFailed
    return role


def _built_in(tenant_id: str, name: str) -> Role:
    return Role(tenant_id=tenant_id, name=name, actions=BUILT_IN[name])


def _administers(role: Role) -> bool:
    return within(_ADMINISTER, role.actions)


def _check_actions(actions: Sequence[Any]) -> list[FieldError]:
    if not 1 <= len(actions) <= MAX_ACTIONS:
        return [FieldError("/actions", f"A list of 1 to {MAX_ACTIONS}.")]
    faults = ((index, action_fault(action)) for index, action in enumerate(actions))
    return [FieldError(f"/actions/{index}", fault) for index, fault in faults if fault is not None]
