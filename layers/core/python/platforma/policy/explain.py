"""
Why a request was denied: the statement that came nearest to another answer. It reveals policies, so it is for callers
with `settings:read` only.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from platforma.policy.actions import matches, parse_pattern
from platforma.policy.attributes import MISSING
from platforma.policy.compile import Plan, View
from platforma.policy.conditions import Facts
from platforma.policy.document import parse_resource_pattern
from platforma.policy.globs import compile_glob
from platforma.policy.index import Compiled, ResourceIndex
from platforma.policy.model import Cause

MAX_LOOKED_AT = 500
"""Statements that a denial is explained by, so that it costs little where tens of thousands are in force."""
_TELLING = frozenset({"deny_statement", "no_match", "unknown_domain", "owner"})


def nearest_miss(view: View, plan: Plan, facts: Facts, cause: Cause) -> tuple[Mapping[str, Any], ...] | None:
    """
    The statement that came nearest, with its `misses`: each thing that it required, and what it saw (or that it was
    `missing`). At most `MAX_LOOKED_AT` statements are looked at, those about this resource first.

    If a statement denied, it is that one, and the misses are the facts that were unknown to it. Grants that would cover the
    action if no statement `replaced` them follow. None if nothing is about the action.
    """
    if plan.action is None or cause not in _TELLING:
        return None
    if cause == "deny_statement":
        applying = (one for index in plan.denies for one in index.candidates(facts) if one.applies(facts))
        return (_described(min(applying, key=_order), facts),)
    asked = plan.alone if cause == "owner" and plan.alone is not None else plan
    looked_at = islice(_likeliest(asked.allows, facts), MAX_LOOKED_AT)
    nearest = min(looked_at, key=lambda one: (_missed(one, facts), _order(one)), default=None)
    found = [] if nearest is None else [_described(nearest, facts)]
    for grant in view.replaced:
        pattern = parse_pattern(str(grant.statement))
        if pattern is not None and matches(pattern, plan.action, "allow"):
            found.append({**grant.as_json(), "replaced": True})
    return tuple(found) or None


def _likeliest(indexes: tuple[ResourceIndex, ...], facts: Facts) -> Iterator[Compiled]:
    """Every statement, once or more: those about the resource, then all."""
    for index in indexes:
        yield from index.about(facts)
    for index in indexes:
        yield from index.all()


def _missed(compiled: Compiled, facts: Facts) -> int:
    """How many things *compiled* wanted and did not see."""
    failed = sum(condition.test(facts) is not True for condition in compiled.conditions)
    return failed + (not any(_is_about(text, facts) for text in compiled.statement.resources))


def _order(compiled: Compiled) -> tuple[str, int]:
    return compiled.match.policy_id or "", int(compiled.match.statement)


def _described(compiled: Compiled, facts: Facts) -> dict[str, Any]:
    return {**compiled.match.as_json(), "misses": _misses(compiled, facts)}


def _misses(compiled: Compiled, facts: Facts) -> list[dict[str, Any]]:
    """What *compiled* wanted and did not see; for a deny that applies, what was unknown to it."""
    misses: list[dict[str, Any]] = []
    if not any(_is_about(text, facts) for text in compiled.statement.resources):
        misses.append({"wants": "resources", "of": list(compiled.statement.resources), **_seen(facts.key or MISSING)})
    misses += [
        {"wants": condition.name, "of": condition.wanted, **_seen(condition.saw(facts))}
        for condition in compiled.conditions
        if condition.test(facts) is not True
    ]
    return misses


def _seen(value: Any) -> dict[str, Any]:
    return {"missing": True} if value is MISSING else {"saw": value}


def _is_about(text: str, facts: Facts) -> bool:
    pattern = parse_resource_pattern(text)
    if pattern is None:
        return False
    request = facts.request
    if pattern.type not in ("*", request.resource_type):
        return False
    if not request.resource_id:
        return pattern.glob == "*"
    return compile_glob(pattern.glob).fullmatch(request.resource_id) is not None
