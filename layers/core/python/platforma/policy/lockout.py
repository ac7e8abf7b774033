"""The lock-out guard: a tenant keeps somebody who can surely administer it."""

from collections.abc import Iterable

from platforma.policy.actions import Action, matches, parse_pattern
from platforma.policy.compile import PolicySet
from platforma.policy.document import Statement
from platforma.policy.errors import WouldLockOut
from platforma.policy.model import Subject
from platforma.policy.ports import Holders

_ADMINISTER = Action("settings:manage", "settings", "manage", is_operation=False)


def administers(policy_set: PolicySet, subject: Subject) -> bool:
    """
    Whether this user surely administers the tenant: a role grant covers `settings:manage` and is not replaced, and no deny
    in force could match it or one of its operations, on any resource and whatever its conditions.
    """
    plan = policy_set.view(subject).plan(_ADMINISTER.name)
    return subject.active and bool(plan.grants) and not plan.denies


def administrator_roles(policy_set: PolicySet) -> frozenset[str]:
    """The roles with a grant that covers `settings:manage`."""
    return frozenset(
        name
        for name, grants in policy_set.roles.items()
        if any(matches(pattern, _ADMINISTER, "allow") for grant in grants if (pattern := parse_pattern(grant)) is not None)
    )


def check_administered(policy_set: PolicySet, holders: Holders) -> None:
    """
    Let pass a state of the tenant's rules that leaves it somebody who administers it.

    Raises:
        WouldLockOut: it leaves nobody.
    """
    candidates = holders(policy_set.tenant_id, administrator_roles(policy_set))
    if not any(member.able and administers(policy_set, member.subject) for member in candidates):
        raise WouldLockOut


def may_lock_out(statements: Iterable[Statement]) -> bool:
    """Whether these statements could take from an administrator: by a deny that may match, or by replacing a grant."""
    return any(
        matches(pattern, _ADMINISTER, statement.effect)
        for statement in statements
        for text in statement.actions
        if (pattern := parse_pattern(text)) is not None
    )
