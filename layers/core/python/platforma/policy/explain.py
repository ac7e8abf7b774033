"""
Why not: for a denial, what came nearest to another answer. It tells of policies, so it is for those with `settings:read`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from platforma.policy.actions import matches, parse_pattern
from platforma.policy.attributes import MISSING
from platforma.policy.compile import Plan, View
from platforma.policy.conditions import Facts
from platforma.policy.index import Compiled, ResourceIndex
from platforma.policy.model import Cause


def nearest_miss(view: View, plan: Plan, facts: Facts, cause: Cause) -> Mapping[str, Any] | None:
    """
    The statement that came nearest, and each thing that it wanted and did not see; None where none is about the action.

    Of a denial by statement it is the denying one, and its conditions that would have to be false. `replaced` names the
    grants that would have allowed it, were they not replaced by a statement.
    """
    if plan.action is None or cause in {"unknown", "suspended", "expired", "environment", "scope"}:
        return None
    found: dict[str, Any] = {}
    if cause == "deny_statement":
        applying = [one for index in plan.denies for one in index.candidates(facts) if one.applies(facts)]
        found.update(_described(min(applying, key=_order), facts))
    else:
        allows = (plan.alone or plan).allows if cause == "owner" else plan.allows
        misses = [(_misses(one, facts, matched), one) for one, matched in _candidates(allows, facts)]
        if misses:
            _, nearest = min(misses, key=lambda miss: (len(miss[0]), _order(miss[1])))
            found.update(_described(nearest, facts))
    action = plan.action
    replaced = [
        {"role": grant.role, "grant": grant.statement}
        for grant in view.replaced
        if (pattern := parse_pattern(str(grant.statement))) and matches(pattern, action, "allow")
    ]
    if replaced and cause != "deny_statement":
        found["replaced"] = replaced
    return found or None
