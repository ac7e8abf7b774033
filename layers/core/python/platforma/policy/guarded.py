"""A write of rules under the lock-out guard: checked against the rules as they will be, done only if they stood still."""

from collections.abc import Callable
from dataclasses import replace

from platforma.kernel.errors import NotFound
from platforma.policy.compile import PolicySet, compile_rules
from platforma.policy.errors import Moved
from platforma.policy.lockout import check_administered
from platforma.policy.model import Policy, Role, Versions
from platforma.policy.ports import Holders, Rules, RulesSource

_ATTEMPTS = 5

Refuse = Callable[[PolicySet, PolicySet], None]
"""Raises what speaks against a change, seeing the rules before it and after it."""


def with_policy(policy: Policy) -> Callable[[Rules], Rules]:
    """Rules as they are with *policy* in place of the one of its id, if there is one."""

    def after(rules: Rules) -> Rules:
        others = tuple(other for other in rules.policies if other.id != policy.id)
        return replace(rules, policies=(*others, policy))

    return after


def with_role(name: str, role: Role | None) -> Callable[[Rules], Rules]:
    """Rules as they are with *role* in place of the one of this *name*; None takes it away."""

    def after(rules: Rules) -> Rules:
        others = tuple(other for other in rules.roles if other.name != name)
        return replace(rules, roles=others if role is None else (*others, role))

    return after


def write_guarded(
    tenant_id: str,
    write: Callable[[Versions | None], None],
    *,
    takes: bool,
    after: Callable[[Rules], Rules],
    source: RulesSource,
    holders: Holders,
    refuse: Refuse | None = None,
) -> None:
    """
    Do *write*, which is given the counters that must not have moved (None where that does not matter).

    Only a write that *takes*, from somebody who may be an administrator, is checked for that; *refuse*, where given, raises
    what it has against the rules *after* it.

    Raises:
        WouldLockOut: with the rules *after* it nobody would surely administer the tenant any more.
        Moved: the rules moved each time it was tried.
    """
    if not takes and refuse is None:
        write(None)
        return
    for attempt in range(_ATTEMPTS):
        versions = source.versions(tenant_id)
        if versions is None:
            raise NotFound
        rules = source.load(tenant_id)
        changed = compile_rules(tenant_id, after(rules))
        if takes:
            check_administered(changed, holders)
        if refuse is not None:
            refuse(compile_rules(tenant_id, rules), changed)
        try:
            write(versions)
        except Moved:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return
