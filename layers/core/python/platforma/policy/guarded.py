"""A write of a policy under the lock-out guard: checked against the rules as they will be, done only if they stood still."""

from collections.abc import Callable, Iterable

from platforma.kernel.errors import NotFound
from platforma.policy.compile import compile_rules
from platforma.policy.document import Statement
from platforma.policy.errors import Moved
from platforma.policy.lockout import check_administered, may_lock_out
from platforma.policy.model import Policy, Versions
from platforma.policy.ports import Holders, PolicyStore, Rules

_ATTEMPTS = 5


def write_guarded(
    policy: Policy,
    statements: Iterable[Statement],
    write: Callable[[Versions | None], None],
    *,
    store: PolicyStore,
    holders: Holders,
) -> None:
    """
    Do *write*, which is given the counters that must not have moved (None where that does not matter).

    Only statements that could take from an administrator are checked.

    Raises:
        WouldLockOut: with *policy* in force nobody would surely administer the tenant any more.
        Moved: the rules moved each time it was tried.
    """
    if not policy.attachments or not may_lock_out(statements):
        write(None)
        return
    for attempt in range(_ATTEMPTS):
        versions = store.versions(policy.tenant_id)
        if versions is None:
            raise NotFound
        rules = store.load(policy.tenant_id)
        others = tuple(other for other in rules.policies if other.id != policy.id)
        after = Rules(rules.roles, (*others, policy), rules.apis)
        check_administered(compile_rules(policy.tenant_id, after), holders)
        try:
            write(versions)
        except Moved:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return
