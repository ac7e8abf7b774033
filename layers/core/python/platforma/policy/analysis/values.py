"""Values of an attribute that tests can tell apart: one of each class, none (`MISSING`) first."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from platforma.policy.analysis.texts import telling_texts
from platforma.policy.attributes import MAX_TEXT, MISSING, scalar_type

_ORDERS = frozenset({"lt", "lte", "gt", "gte"})
_GLOBS = frozenset({"like", "not_like"})
_LONGEST_NUMBER = 10**4000
"""Python's JSON reader takes no integer much longer, so no request has one."""
NOTHING_SCALAR = ["a list"]
"""Of a value that is no scalar, all that a test can know is that it is there."""


def telling_values(tests: Iterable[Any]) -> list[Any]:
    """
    A value of each class that *tests* (an attribute's checked values in conditions) can tell apart.

    Raises:
        TooComplex: they are too many.
    """
    named: list[Any] = []
    globs: list[str] = []
    bounds: list[Any] = []
    for test in tests:
        for operator, wanted in test.items() if isinstance(test, dict) else [("in", test)]:
            if operator in _GLOBS:
                globs.append(wanted)
            elif operator in _ORDERS:
                bounds.append(wanted)
            elif operator != "exists":
                named += wanted if isinstance(wanted, list) else [wanted]
    return [
        MISSING,
        *_texts(named, globs, bounds),
        *_numbers(named, bounds),
        True,
        False,
        None,
        NOTHING_SCALAR,
    ]


def _texts(named: list[Any], globs: list[str], bounds: list[Any]) -> Iterator[str]:
    literals = list(dict.fromkeys(value for value in named if isinstance(value, str)))
    orders = list(dict.fromkeys(value for value in bounds if isinstance(value, str)))
    found = telling_texts(list(dict.fromkeys(globs)), orders, literals=literals, longest=MAX_TEXT)
    yield from (text for text, _ in found)


def _numbers(named: list[Any], bounds: list[Any]) -> Iterator[int | float]:
    ordered = sorted({value for value in bounds if scalar_type(value) == "number"})
    equal = {value for value in named if scalar_type(value) == "number"}
    points = sorted(equal.union(ordered))
    yield from points
    if not points:
        yield 1
        return
    for outside in (int(points[0]) - 1, int(points[-1]) + 1):
        if abs(outside) < _LONGEST_NUMBER:
            yield outside
    if ordered:
        for low, high in pairwise(points):
            yield from _between(low, high)


def _between(low: float, high: float) -> Iterator[int | float]:
    """A number between these two, if JSON can write one."""
    if low < int(low) + 1 < high:
        yield int(low) + 1
        return
    try:
        middle = (low + high) / 2
    except OverflowError:
        return
    if low < middle < high:
        yield middle
