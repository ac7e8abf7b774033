"""
What a PATCH says of a group's members, where it names each one that it means: those are put in or taken out without a look
at who else is in the group. What depends on the others (a replacement of all, a filter of other parts) is not told apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from platforma.sso.scim.errors import InvalidValue
from platforma.sso.scim.filters import Compare, Either, Filter
from platforma.sso.scim.patch import MAX_PATH, target
from platforma.sso.scim.paths import find
from platforma.sso.scim.resources import shape
from platforma.sso.scim.schema import ResourceKind, kind

MAX_MEMBERS = 10_000


@dataclass(frozen=True, slots=True)
class Moves:
    """The ids of those who join a group and who leave it, each once, in the order in which they were named."""

    joining: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()


def told_apart(operations: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], Moves] | None:
    """
    The operations that say nothing of members, and what the others come to, the last one of a member counting.

    None where that depends on who is in the group, or where an operation is none that could be read.

    Raises:
        InvalidValue: a member is no value of that attribute, or there are too many.
        InvalidPath: a path is not valid.
    """
    rest: list[Mapping[str, Any]] = []
    last: dict[str, bool] = {}
    for operation in operations:
        given = {name.lower(): value for name, value in operation.items()}
        op, path = str(given.get("op")).lower(), given.get("path")
        if path is None or path == "":
            told = _without_path(op, given.get("value"), rest)
        elif not isinstance(path, str) or not _is_of_members(path):
            rest.append(operation)
            continue
        else:
            told = _at(op, path, given)
        if told is None:
            return None
        for member in told:
            last.pop(member, None)
            last[member] = op == "add"
    if len(last) > MAX_MEMBERS:
        raise InvalidValue(f"A group has at most {MAX_MEMBERS} members.")
    joining, leaving = (tuple(each for each, joins in last.items() if joins is wanted) for wanted in (True, False))
    return rest, Moves(joining, leaving)


def _without_path(op: str, value: Any, rest: list[Mapping[str, Any]]) -> list[str] | None:
    """The members of an operation without a path; what else it says goes to *rest*."""
    if not isinstance(value, Mapping):
        rest.append({"op": op, "value": value})
        return []
    named = {name: each for name, each in value.items() if _is_of_members(name)}
    others = {name: each for name, each in value.items() if name not in named}
    if others or not named:
        rest.append({"op": op, "value": others})
    if named and (op != "add" or any(_is_filtered(name) for name in named)):
        return None
    return [member for each in named.values() for member in _ids(each)]


def _at(op: str, path: str, given: Mapping[str, Any]) -> list[str] | None:
    if not _is_filtered(path):
        return _ids(given["value"]) if op in ("add", "remove") and given.get("value") is not None else None
    if op != "remove":
        return None
    _, tree, part = target(path, _group())
    return None if tree is None or part is not None else _named_by(tree)


def _named_by(tree: Filter) -> list[str] | None:
    """The ids that a filter names one by one: `value eq "..."`, or several of them."""
    terms = tree.terms if isinstance(tree, Either) else (tree,)
    named = [
        term.value.lower()
        for term in terms
        if isinstance(term, Compare)
        and term.operator == "eq"
        and isinstance(term.value, str)
        and term.place.last.name == "value"
    ]
    return named if len(named) == len(terms) else None


def _is_of_members(path: str) -> bool:
    place = find(path.partition("[")[0], _group()) if len(path) <= MAX_PATH else None
    return place is not None and place.attribute is not None and place.attribute.name == "members"


def _is_filtered(path: str) -> bool:
    """Whether it names more than the attribute: a filter, or a part."""
    place = find(path, _group())
    return place is None or place.part is not None


def _ids(value: Any) -> list[str]:
    return [str(each["value"]) for each in shape(value, _group().attributes["members"]) or ()]


def _group() -> ResourceKind:
    return kind("Group")
