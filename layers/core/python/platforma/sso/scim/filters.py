"""
The filters of RFC 7644 section 3.4.2.2: a text becomes a tree, and a tree says of a resource whether it fits.

A text is bounded in length, in terms and in how deep it nests, and read once from left to right; nothing of it reaches a
query language. What compares in which way stands in the schema: attributes that are not `caseExact` without regard to case,
times as times. An attribute without a value fits `ne`, `not` and nothing else.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import Malformed
from platforma.sso.scim.errors import InvalidFilter
from platforma.sso.scim.paths import Place, find
from platforma.sso.scim.schema import Attribute, ResourceKind

MAX_LENGTH = 4096
MAX_TERMS = 100
MAX_DEPTH = 10

_TOKEN = re.compile(
    r"""\s*(?:(?P<mark>[()\[\]])|(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)(?![\w.])"""
    r"""|(?P<word>[A-Za-z$][A-Za-z0-9$_:.-]*))"""
)
_COMPARISONS = frozenset({"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"})
_CONSTANTS: Mapping[str, Any] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Compare:
    """`userName eq "bjensen"`; an *operator* of `pr` has no value."""

    place: Place
    operator: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Within:
    """`emails[type eq "work"]`: one value of the attribute fits the filter."""

    place: Place
    inner: "Filter"


@dataclass(frozen=True, slots=True)
class Not:
    """`not (...)`."""

    inner: "Filter"


@dataclass(frozen=True, slots=True)
class All:
    """Terms joined by `and`."""

    terms: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Terms joined by `or`."""

    terms: tuple["Filter", ...]


Filter = Compare | Within | Not | All | Either


def parse_filter(text: str, of: ResourceKind) -> Filter:
    """
    The filter that *text* is, of resources of this type.

    Raises:
        InvalidFilter: it is none, names what they do not have, or is too long or too deep.
    """
    reader = Reader(text, of)
    tree = reader.either(1)
    reader.end()
    return tree


def fits(tree: Filter, resource: Mapping[str, Any]) -> bool:
    """Whether *resource*, in its canonical form, fits."""
    if isinstance(tree, All):
        return all(fits(term, resource) for term in tree.terms)
    if isinstance(tree, Either):
        return any(fits(term, resource) for term in tree.terms)
    if isinstance(tree, Not):
        return not fits(tree.inner, resource)
    if isinstance(tree, Within):
        return any(isinstance(each, Mapping) and fits(tree.inner, each) for each in tree.place.values(resource))
    if tree.operator == "ne":
        return not _any_compares("eq", tree, resource)
    return _any_compares(tree.operator, tree, resource)


def equalities(tree: Filter) -> dict[str, str]:
    """Of a filter that is one comparison, or several joined by `and`: the texts that top-level attributes must equal."""
    terms = tree.terms if isinstance(tree, All) else (tree,)
    return {
        term.place.attribute.name: term.value
        for term in terms
        if isinstance(term, Compare)
        and term.operator == "eq"
        and isinstance(term.value, str)
        and term.place.attribute is not None
        and term.place.part is None
        and term.place.extension is None
    }


def member_of(tree: Filter) -> str | None:
    """Whose groups alone can fit: the one member that the filter requires, if it does."""
    for term in tree.terms if isinstance(tree, All) else (tree,):
        inner = term.inner if isinstance(term, Within) else term
        place = term.place if isinstance(term, (Within, Compare)) else None
        if place is None or place.attribute is None or place.attribute.name != "members":
            continue
        if isinstance(inner, Compare) and inner.operator == "eq" and isinstance(inner.value, str):
            return inner.value
    return None


class Reader:
    """Reads a filter's tokens, looking one ahead. Each rule of the grammar is a method."""

    def __init__(self, text: str, of: ResourceKind) -> None:
        if len(text) > MAX_LENGTH:
            raise InvalidFilter(f"A filter has at most {MAX_LENGTH} characters.")
        self._text, self._of, self._at, self._terms = text, of, 0, 0
        self._within: Attribute | None = None
        self._next()

    def either(self, depth: int) -> Filter:
        """Terms joined by `or`, which binds least."""
        terms = [self._both(depth)]
        while self._is_word("or"):
            self._next()
            terms.append(self._both(depth))
        return terms[0] if len(terms) == 1 else Either(tuple(terms))

    def end(self) -> None:
        """Nothing follows."""
        if self._kind != "end":
            raise InvalidFilter(f"There is more than a filter, from character {self._at}.")

    def _both(self, depth: int) -> Filter:
        terms = [self._one(depth)]
        while self._is_word("and"):
            self._next()
            terms.append(self._one(depth))
        return terms[0] if len(terms) == 1 else All(tuple(terms))

    def _one(self, depth: int) -> Filter:
        if depth > MAX_DEPTH:
            raise InvalidFilter(f"A filter nests at most {MAX_DEPTH} deep.")
        if self._is_word("not"):
            self._next()
            self._take("(")
            return Not(self._closed(depth, ")"))
        if self._here == "(":
            self._next()
            return self._closed(depth, ")")
        return self._term(depth)

    def _closed(self, depth: int, mark: str) -> Filter:
        tree = self.either(depth + 1)
        self._take(mark)
        return tree

    def _term(self, depth: int) -> Filter:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise InvalidFilter(f"A filter has at most {MAX_TERMS} terms.")
        if self._kind != "word":
            raise InvalidFilter(f"An attribute is missing before character {self._at}.")
        place = self._place(self._here)
        self._next()
        if self._here == "[" and self._kind == "mark":
            return self._values(place, depth)
        operator = self._here.lower() if self._kind == "word" else ""
        self._next()
        if operator == "pr":
            return Compare(place, "pr")
        if operator not in _COMPARISONS:
            raise InvalidFilter(f"An operator is missing before character {self._at}.")
        return self._comparison(place, operator, self._value())

    def _values(self, place: Place, depth: int) -> Filter:
        attribute = place.last
        if not attribute.parts or self._within is not None:
            raise InvalidFilter(f"{attribute.name} has no values that could be filtered.")
        self._within = attribute
        self._next()
        inner = self._closed(depth, "]")
        self._within = None
        return Within(place, inner)

    def _place(self, text: str) -> Place:
        if self._within is not None:
            part = self._within.parts.get(text.lower())
            place = None if part is None else Place(part)
        else:
            place = find(text, self._of)
        if place is None or place.attribute is None:
            raise InvalidFilter(f"No attribute is called {text[:100]}.")
        return place

    def _comparison(self, place: Place, operator: str, value: Any) -> Filter:
        last = place.last
        if last.type == "complex":
            part = last.parts.get("value")
            if part is None:
                raise InvalidFilter(f"{last.name} is compared by one of its sub-attributes.")
            place = Place(place.attribute, place.extension, part)
            last = part
        ordered = operator not in ("eq", "ne")
        if ordered and (last.type in ("boolean", "binary") or isinstance(value, bool) or value is None):
            raise InvalidFilter(f"{operator} does not compare {last.name}.")
        if last.type == "boolean" and isinstance(value, str) and value.lower() in ("true", "false"):
            value = value.lower() == "true"
        if last.type == "dateTime" and value is not None:
            try:
                value = parse_rfc3339(str(value))
            except Malformed:
                raise InvalidFilter(f"{last.name} is compared with a time.") from None
        return Compare(place, operator, value)

    def _value(self) -> Any:
        token, kind = self._here, self._kind
        self._next()
        if kind == "word" and token.lower() in _CONSTANTS:
            return _CONSTANTS[token.lower()]
        if kind in ("text", "number"):
            try:
                return json.loads(token)
            except ValueError:
                raise InvalidFilter("A value is not as JSON has it.") from None
        raise InvalidFilter(f"A value is missing before character {self._at}.")

    def _is_word(self, word: str) -> bool:
        return self._kind == "word" and self._here.lower() == word

    def _take(self, mark: str) -> None:
        if self._kind != "mark" or self._here != mark:
            raise InvalidFilter(f"{mark} is missing before character {self._at}.")
        self._next()

    def _next(self) -> None:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            if self._text[self._at :].strip():
                raise InvalidFilter(f"Character {self._at} is of no filter.")
            self._kind, self._here = "end", ""
            return
        self._at = match.end()
        self._kind = str(match.lastgroup)
        self._here = match[self._kind]


def _any_compares(operator: str, term: Compare, resource: Mapping[str, Any]) -> bool:
    found = term.place.values(resource)
    if operator == "pr":
        return any(value not in ("", [], {}) for value in found)
    if term.value is None:
        return not found
    return any(_compares(operator, value, term.value, term.place.last) for value in found)


def _compares(operator: str, value: Any, wanted: Any, attribute: Attribute) -> bool:
    if attribute.type == "dateTime":
        return isinstance(wanted, datetime) and _ordered(operator, parse_rfc3339(value), wanted)
    if isinstance(value, bool) or isinstance(wanted, bool):
        return operator == "eq" and value is wanted
    if isinstance(value, str) and isinstance(wanted, str):
        if not attribute.exact:
            value, wanted = value.casefold(), wanted.casefold()
        if operator in ("co", "sw", "ew"):
            return bool({"co": wanted in value, "sw": value.startswith(wanted), "ew": value.endswith(wanted)}[operator])
        return _ordered(operator, value, wanted)
    numbers = isinstance(value, (int, float)) and isinstance(wanted, (int, float))
    return numbers and operator not in ("co", "sw", "ew") and _ordered(operator, value, wanted)


def _ordered(operator: str, value: Any, wanted: Any) -> bool:
    if operator == "eq":
        return bool(value == wanted)
    if operator in ("gt", "ge") and value > wanted:
        return True
    if operator in ("lt", "le") and value < wanted:
        return True
    return operator in ("ge", "le") and bool(value == wanted)
