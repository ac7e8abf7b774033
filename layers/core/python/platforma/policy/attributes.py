"""
Tests of attributes: what a statement wants of a named value, and whether it is that. The answer may be *unknown* (None).

Values are JSON scalars; `1` is not `true`. Only `equals`, `not_equals`, `in` and `not_in` compare unlike types.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from platforma.kernel.errors import FieldError
from platforma.policy.globs import MAX_GLOB, compile_glob

MAX_ATTRIBUTES = 20
MAX_VALUES = 100
MAX_NAME = 128
MAX_TEXT = 1024

MISSING: Any = object()
Test = Callable[[Any], bool | None]

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "lt": lambda value, wanted: value < wanted,
    "lte": lambda value, wanted: value <= wanted,
    "gt": lambda value, wanted: value > wanted,
    "gte": lambda value, wanted: value >= wanted,
}
OPERATORS = ("equals", "not_equals", "in", "not_in", "like", "not_like", *_ORDERS, "exists")


def scalar_type(value: Any) -> str | None:
    """`null`, `boolean`, `number` or `string`; None for what is no JSON scalar."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "number" if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)) else None


def check_attributes(value: Any, at: str) -> Iterator[FieldError]:
    """What is wrong with an object of name -> test."""
    if not isinstance(value, dict) or not 1 <= len(value) <= MAX_ATTRIBUTES:
        yield FieldError(at, f"An object of 1 to {MAX_ATTRIBUTES} attribute names.")
        return
    for name, wanted in value.items():
        place = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
        if not 1 <= len(name) <= MAX_NAME:
            yield FieldError(place, f"A name of 1 to {MAX_NAME} characters.")
        if isinstance(wanted, dict):
            yield from _check_operators(wanted, place)
        elif isinstance(wanted, list):
            yield from _check_list(wanted, place)
        else:
            yield from _check_scalar(wanted, place)


def _check_operators(wanted: dict[str, Any], at: str) -> Iterator[FieldError]:
    if not wanted:
        yield FieldError(at, f"At least one of {', '.join(OPERATORS)}.")
    for name, value in wanted.items():
        place = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in OPERATORS:
            yield FieldError(place, "Unknown field.")
        elif name in {"in", "not_in"}:
            yield from _check_list(value, place)
        elif name in {"like", "not_like"}:
            if not isinstance(value, str) or not 1 <= len(value) <= MAX_GLOB or "**" in value:
                yield FieldError(place, f"A pattern of 1 to {MAX_GLOB} characters, without **.")
        elif name == "exists":
            if not isinstance(value, bool):
                yield FieldError(place, "true or false.")
        elif name in _ORDERS and scalar_type(value) not in {"number", "string"}:
            yield FieldError(place, "A number or a string.")
        else:
            yield from _check_scalar(value, place)


def _check_list(values: Any, at: str) -> Iterator[FieldError]:
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_VALUES:
        yield FieldError(at, f"A list of 1 to {MAX_VALUES} values.")
        return
    for index, value in enumerate(values):
        yield from _check_scalar(value, f"{at}/{index}")


def _check_scalar(value: Any, at: str) -> Iterator[FieldError]:
    if scalar_type(value) is None or (isinstance(value, str) and len(value) > MAX_TEXT):
        yield FieldError(at, f"A string of at most {MAX_TEXT} characters, a number, true, false or null.")


def attribute_test(wanted: Any) -> Test:
    """The test of one attribute's checked value; it takes `MISSING` for an attribute that is not there."""
    if isinstance(wanted, list):
        return _one_of(wanted, is_in=True)
    if not isinstance(wanted, dict):
        return _one_of([wanted], is_in=True)
    tests = [_operator_test(name, value) for name, value in wanted.items()]
    if len(tests) == 1:
        return tests[0]

    def test(value: Any) -> bool | None:
        answers = [each(value) for each in tests]
        return False if False in answers else None if None in answers else True

    return test


def _operator_test(name: str, wanted: Any) -> Test:
    if name == "exists":
        return lambda value: (value is not MISSING) is wanted
    if name in {"equals", "not_equals"}:
        return _one_of([wanted], is_in=name == "equals")
    if name in {"in", "not_in"}:
        return _one_of(wanted, is_in=name == "in")
    if name in {"like", "not_like"}:
        match, liked = compile_glob(wanted).fullmatch, name == "like"
        return lambda value: ((match(value) is not None) is liked) if isinstance(value, str) else None
    order, kind = _ORDERS[name], scalar_type(wanted)
    return lambda value: order(value, wanted) if scalar_type(value) == kind else None


def _one_of(wanted: list[Any], *, is_in: bool) -> Test:
    """Equality by type and value, as a set: `(type, value)` keeps `1` and `true` apart, and `1` and `1.0` together."""
    values = frozenset((scalar_type(value), value) for value in wanted)

    def test(value: Any) -> bool | None:
        kind = scalar_type(value)
        return None if kind is None else ((kind, value) in values) is is_in

    return test
