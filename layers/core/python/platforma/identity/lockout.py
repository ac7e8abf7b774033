"""
The lock-out guard: no write may leave a tenant without somebody who can administer it.

Only writes that may take away are judged, one at a time per tenant: each reads the *turn* before all that it judges on, and
passes the turn with its commit, so that of two writes judged at the same turn one is refused and looks again. That is what
keeps two administrators from removing each other in the same moment. The turn is the tenant's policy version, so that the
writes of policies, which are judged at it too, wait for these and these for them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from platforma.identity.errors import TurnTaken, WouldLockOut
from platforma.identity.model import Group, Standing, User
from platforma.identity.ports import Directory, Groups
from platforma.identity.principals import read_all
from platforma.kernel.errors import PreconditionFailed, Unavailable

_TRIES = 20

T = TypeVar("T")


class Administration(Protocol):
    """How a tenant's roles and policies, as they stand at a turn, say who administers it."""

    @property
    def roles(self) -> frozenset[str]:
        """The roles that can make an administrator; nobody without one of them is one."""

    def administers(self, user_id: str, roles: frozenset[str], groups: frozenset[str]) -> bool:
        """Whether the user, active and with exactly these roles and groups, surely administers the tenant."""


@dataclass(frozen=True, slots=True)
class ByRole:
    """Administration where no policy takes from a role's grants: whoever has one of *roles* administers."""

    roles: frozenset[str] = frozenset({"admin"})

    def administers(self, user_id: str, roles: frozenset[str], groups: frozenset[str]) -> bool:  # noqa: ARG002  as promised
        """Whether one of *roles* is among ours."""
        return not self.roles.isdisjoint(roles)


AdministrationOf = Callable[[str], Administration]
"""The administration of a tenant, read anew at each call."""


def by_role(tenant_id: str) -> Administration:  # noqa: ARG001  every tenant has the built-in roles
    """The built-in roles alone (policy, built-in roles)."""
    return ByRole()


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What a write leaves of the users and groups that it touches; None where one is gone."""

    users: Mapping[str, User | None] = field(default_factory=dict)
    groups: Mapping[str, Group | None] = field(default_factory=dict)


def could_administer(user: User, administration: Administration) -> bool:
    """Whether the user has such a role itself, or groups: what those give may change without the user's version."""
    return bool(user.groups) or not administration.roles.isdisjoint(user.given)


def require_administrator(
    tenant_id: str, afterwards: Afterwards, *, directory: Directory, groups: Groups, administration: Administration
) -> None:
    """
    See that a write does not take the last administrator; it must be conditioned on the turn read before.

    Raises:
        WouldLockOut: it does.
    """
    alive = read_all(tenant_id, groups=groups)

    def somebody(then: Afterwards) -> bool:
        standing = {group.id: group for group in {**alive, **then.groups}.values() if group is not None}
        giving = frozenset(id_ for id_, group in standing.items() if not administration.roles.isdisjoint(group.roles))
        touched = (user for user in then.users.values() if user is not None)
        if any(_administers(user.id, user, standing, administration) for user in touched):
            return True
        return any(
            _administers(user.user_id, user, standing, administration)
            for user in directory.holders(tenant_id, roles=administration.roles, groups=giving)
            if user.user_id not in then.users
        )

    if not somebody(afterwards) and somebody(Afterwards()):
        raise WouldLockOut


def _administers(user_id: str, user: User | Standing, standing: Mapping[str, Group], administration: Administration) -> bool:
    """Whether the user is active, can sign in without SSO, and surely administers."""
    groups = frozenset(user.groups) & standing.keys()
    own = user.given if isinstance(user, User) else user.roles
    roles = frozenset(own).union(*(standing[group_id].roles for group_id in groups))
    return user.status == "active" and user.has_password and administration.administers(user_id, roles, groups)


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
