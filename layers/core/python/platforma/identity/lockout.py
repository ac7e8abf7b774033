"""
The lock-out guard: no write may leave a tenant without somebody who can administer it.

Only writes that take away are judged, one at a time per tenant: each reads the *turn* before all that it judges on, and
passes the turn with its commit, so that of two writes judged at the same turn one is refused and looks again. That is what
keeps two administrators from removing each other in the same moment.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from platforma.identity.errors import TurnTaken, WouldLockOut
from platforma.identity.model import Group, Standing, User
from platforma.identity.ports import Directory, Groups
from platforma.kernel.errors import PreconditionFailed, Unavailable

ADMINISTRATOR_ROLES = frozenset({"admin"})
"""The built-in roles that grant `settings:manage` (policy, built-in roles)."""

_TRIES = 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Loss:
    """A write as the guard sees it: what of today's rights will be gone after it."""

    without_user: str | None = None
    group_roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    membership: tuple[str, str] | None = None


def administers(user: User | Standing, groups: tuple[Group, ...], roles: frozenset[str]) -> bool:
    """Whether the user is active, can sign in without SSO, and has one of *roles*, by hand or by one of *groups*."""
    held = set(user.roles).union(*(group.roles for group in groups if group.id in user.groups))
    return user.status == "active" and user.has_password and not roles.isdisjoint(held)


def could_administer(user: User, roles: frozenset[str]) -> bool:
    """Whether the user has one of *roles* by hand, or groups: what those give may change without the user's version."""
    return bool(user.groups) or not roles.isdisjoint(user.roles)


def require_administrator(
    tenant_id: str, loss: Loss, *, directory: Directory, groups: Groups, roles: frozenset[str] = ADMINISTRATOR_ROLES
) -> None:
    """
    See that *loss* leaves an administrator; the write must be conditioned on the turn read before.

    Raises:
        WouldLockOut: it leaves none.
    """
    giving: set[str] = set()
    after: str | None = None
    while True:
        page = groups.page(tenant_id, limit=200, after=after)
        giving.update(group.id for group in page.items if not roles.isdisjoint(loss.group_roles.get(group.id, group.roles)))
        if (after := page.after) is None:
            break
    for user in directory.candidates(tenant_id, roles=roles, groups=frozenset(giving)):
        if user.user_id == loss.without_user:
            continue
        through = giving.intersection(user.groups)
        if loss.membership is not None and loss.membership[0] == user.user_id:
            through.discard(loss.membership[1])
        if through or not roles.isdisjoint(user.roles):
            return
    raise WouldLockOut


def settled(write: Callable[[], T], *, again_if_stale: bool = False) -> T:
    """
    The result of *write*, which is tried anew when another write came first.

    It must read what it judges on each time. *again_if_stale* for a caller who named no version.
    """
    for _ in range(_TRIES):
        try:
            return write()
        except TurnTaken:
            continue
        except PreconditionFailed:
            if not again_if_stale:
                raise
    raise Unavailable(cause="contention")
