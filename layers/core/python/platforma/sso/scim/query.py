"""
Lists of resources: filtered, sorted, and cut to a page by index (RFC 7644 section 3.4.2).

An equality of `userName`, `externalId` or `id` is one read. A list that is neither filtered nor sorted reads the ids and
opens one page. Everything else looks at each of the directory's resources in turn, up to `MAX_EXAMINED`: beyond, the request
is refused rather than answered in part.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from platforma.identity.ports import Groups
from platforma.sso.scim.errors import InvalidValue, TooMany
from platforma.sso.scim.filters import Filter, equalities, fits, parse_filter
from platforma.sso.scim.model import Directory, ProvisionedUser
from platforma.sso.scim.ports import ProvisionedUsers
from platforma.sso.scim.resources import ordered, projected
from platforma.sso.scim.schema import Kind, kind
from platforma.sso.scim.showing import groups_of, shown_user

LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH_REQUEST = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
DEFAULT_COUNT, MAX_COUNT = 100, 200
MAX_EXAMINED = 20_000
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Query:
    """What a list was asked for. *start* counts from 1."""

    filter: str | None = None
    sort_by: str | None = None
    descending: bool = False
    start: int = 1
    count: int = DEFAULT_COUNT
    only: tuple[str, ...] = ()
    but: tuple[str, ...] = ()


def query_of(asked: dict[str, Any]) -> Query:
    """
    The query that parameters, or the body of a search, ask for; what is not known is ignored.

    Raises:
        InvalidValue: one is of another kind, or both lists of attributes are given.
    """
    given = {name.lower(): value for name, value in asked.items() if value is not None}
    order = _text(given, "sortorder") or "ascending"
    if order.lower() not in ("ascending", "descending"):
        raise InvalidValue("sortOrder is ascending or descending.")
    only, but = _names(given, "attributes"), _names(given, "excludedattributes")
    if only and but:
        raise InvalidValue("attributes and excludedAttributes exclude one another.")
    return Query(
        filter=_text(given, "filter"),
        sort_by=_text(given, "sortby"),
        descending=order.lower() == "descending",
        start=max(1, _number(given, "startindex", 1)),
        count=min(MAX_COUNT, max(0, _number(given, "count", DEFAULT_COUNT))),
        only=only,
        but=but,
    )


def list_users(
    caller: Directory, query: Query, *, provisioned_users: ProvisionedUsers, groups: Groups, issuer: str
) -> dict[str, Any]:
    """
    The page of the directory's users.

    Raises:
        InvalidFilter, InvalidPath: it asks for what users do not have.
        TooMany: more would have to be looked at than one request may.
    """
    who = (caller.tenant_id, caller.id)

    def show(found: Sequence[ProvisionedUser]) -> list[dict[str, Any]]:
        known = {group.id: group for group in groups.several(caller.tenant_id, groups_of(found))}
        return [shown_user(each, caller, known, url=issuer) for each in found]

    def looked_up(named: dict[str, str]) -> list[ProvisionedUser] | None:
        finds: dict[str, Callable[[str], ProvisionedUser | None]] = {
            "id": lambda value: provisioned_users.user(*who, value),
            "userName": lambda value: provisioned_users.user_named(*who, value),
            "externalId": lambda value: provisioned_users.user_known_as(*who, value),
        }
        for name, find in finds.items():
            if name in named:
                found = find(named[name])
                return [] if found is None else [found]
        return None

    def every() -> Iterator[dict[str, Any]]:
        found = provisioned_users.every_user(*who)
        while batch := list(islice(found, _BATCH)):
            yield from show(batch)

    def page(ids: Sequence[str]) -> list[dict[str, Any]]:
        return show(provisioned_users.several_users(*who, ids))

    return answer(
        "User",
        query,
        looked_up=lambda named: None if (found := looked_up(named)) is None else show(found),
        every=every,
        ids=lambda: provisioned_users.user_ids(*who),
        page=page,
    )


def answer(
    name: Kind,
    query: Query,
    *,
    looked_up: Callable[[dict[str, str]], list[dict[str, Any]] | None],
    every: Callable[[], Iterator[dict[str, Any]]],
    ids: Callable[[], Sequence[str]],
    page: Callable[[Sequence[str]], list[dict[str, Any]]],
) -> dict[str, Any]:
    """The ListResponse to *query*; what it is made of is asked for in the cheapest way that answers it."""
    of = kind(name)
    tree: Filter | None = None if query.filter is None else parse_filter(query.filter, of)
    first = query.start - 1
    if tree is None and query.sort_by is None:
        known = ids()
        return _response(len(known), page(known[first : first + query.count]) if query.count else [], query, name)
    found = looked_up(equalities(tree)) if tree is not None else None
    examined = every() if found is None else iter(found)
    matching = [each for each in _bounded(examined) if tree is None or fits(tree, each)]
    if query.sort_by is not None:
        matching = ordered(matching, query.sort_by, of, descending=query.descending)
    return _response(len(matching), matching[first : first + query.count], query, name)


def _bounded(examined: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, each in enumerate(examined):
        if number >= MAX_EXAMINED:
            raise TooMany
        yield each


def _response(total: int, shown: list[dict[str, Any]], query: Query, name: Kind) -> dict[str, Any]:
    return {
        "schemas": [LIST_RESPONSE],
        "totalResults": total,
        "startIndex": query.start,
        "itemsPerPage": len(shown),
        "Resources": [projected(each, kind(name), only=query.only, but=query.but) for each in shown],
    }


def _text(given: dict[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidValue(f"{name} is a text.")
    return value or None


def _number(given: dict[str, Any], name: str, default: int) -> int:
    value = given.get(name, default)
    text = str(value).strip()
    if isinstance(value, bool) or not text.lstrip("-").isdigit() or not text.isascii() or len(text) > 9:
        raise InvalidValue(f"{name} is a whole number.")
    return int(text)


def _names(given: dict[str, Any], name: str) -> tuple[str, ...]:
    value = given.get(name) or ()
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or len(names) > 100 or not all(isinstance(each, str) for each in names):
        raise InvalidValue(f"{name} is a list of names.")
    return tuple(each.strip() for each in names if each.strip())
