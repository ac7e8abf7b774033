"""
Lists of resources: filtered, sorted, and cut to a page by index (RFC 7644 section 3.4.2).

An equality of `userName`, `externalId` or `id` is one read. A list that is neither filtered nor sorted reads the ids and
opens one page. Everything else looks at each of the directory's resources in turn, up to `MAX_EXAMINED` and for as long as
the request has time: beyond, it is refused rather than answered in part.

By a cursor (RFC 9865) a page begins where the one before ended, whatever came in between, so that a whole list costs what
its resources cost; how many there are is told only where it is known. A page may be short, or empty, while a cursor follows.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from platforma.identity.model import Group, Page
from platforma.identity.ports import Groups
from platforma.identity.principals import read_all
from platforma.sso.scim.errors import InvalidCursor, InvalidValue, TooMany
from platforma.sso.scim.filters import Filter, equalities, fits, member_of, parse_filter
from platforma.sso.scim.memberships import members_of
from platforma.sso.scim.model import Directory, ProvisionedGroup, ProvisionedUser
from platforma.sso.scim.paths import find
from platforma.sso.scim.ports import ProvisionedUsers
from platforma.sso.scim.resources import ordered, projected
from platforma.sso.scim.schema import Kind, ResourceKind, kind
from platforma.sso.scim.showing import groups_of, shown_group, shown_user

LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH_REQUEST = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
DEFAULT_COUNT, MAX_COUNT = 100, 200
MAX_EXAMINED = 20_000
MAX_MEMBERS_EXAMINED, MAX_MEMBERS_SHOWN = 100_000, 10_000
_BATCH, _MAX_CURSOR = 100, 512
_LOOKED_UP = frozenset({"id", "userName", "externalId"})


@dataclass(frozen=True, slots=True)
class Query:
    """
    What a list was asked for. *start* counts from 1; a *cursor*, empty for the first page, stands for the position *after*
    which the page begins.
    """

    filter: str | None = None
    sort_by: str | None = None
    descending: bool = False
    start: int = 1
    count: int = DEFAULT_COUNT
    only: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    cursor: str | None = None
    after: str | None = None

    @property
    def by_cursor(self) -> bool:
        """Whether the page begins at a cursor rather than at *start*."""
        return self.cursor is not None and self.count > 0


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
        cursor=_cursor(given.get("cursor")),
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

    known: dict[str, Group] = {}

    def show(found: Sequence[ProvisionedUser]) -> list[dict[str, Any]]:
        unknown = tuple(each for each in groups_of(found) if each not in known)
        known.update((group.id, group) for group in groups.several(caller.tenant_id, unknown))
        return [shown_user(each, caller, known, url=issuer) for each in found]

    def looked_up(named: dict[str, str]) -> list[ProvisionedUser] | None:
        finds: dict[str, Callable[[str], ProvisionedUser | None]] = {
            "id": lambda value: provisioned_users.user(*who, value),
            "userName": lambda value: provisioned_users.user_named(*who, value),
            "externalId": lambda value: provisioned_users.user_known_as(*who, value),
        }
        for name, look in finds.items():
            if name in named:
                found = look(named[name])
                return [] if found is None else [found]
        return None

    def every(after: str | None) -> Iterator[dict[str, Any]]:
        found = provisioned_users.every_user(*who, after=after)
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
        following=lambda limit, after: provisioned_users.user_ids_after(*who, limit=limit, after=after),
        page=page,
        until=caller.until,
    )


def list_groups(
    caller: Directory, query: Query, *, provisioned_users: ProvisionedUsers, groups: Groups, issuer: str
) -> dict[str, Any]:
    """
    The page of the directory's groups. Members are read where they are asked for or shown; a page ends early rather than
    hold more than `MAX_MEMBERS_SHOWN` of them.

    Raises:
        InvalidFilter, InvalidPath: it asks for what groups do not have.
        TooMany: more would have to be looked at than one request may.
    """
    tree = None if query.filter is None else parse_filter(query.filter, kind("Group"))
    asked = tree is not None and "members" in (query.filter or "").lower()
    with_members = shows(query, "members", kind("Group")) or asked
    mine = {id_: each for id_, each in read_all(caller.tenant_id, groups=groups).items() if each.managed == caller.manages}
    if tree is not None and (member := member_of(tree)) is not None:
        found = provisioned_users.user(caller.tenant_id, caller.id, member)
        mine = {} if found is None else {each: mine[each] for each in found.user.groups if each in mine}

    def show(ids: Iterable[str]) -> Iterator[dict[str, Any]]:
        seen = 0
        for group_id in ids:
            members = members_of(caller.tenant_id, group_id, groups=groups) if with_members else []
            seen += len(members)
            if seen > MAX_MEMBERS_EXAMINED:
                raise TooMany
            yield shown_group(ProvisionedGroup(mine[group_id], tuple(members)), issuer=issuer)

    def following(limit: int, after: str | None) -> Page[str]:
        ids = [each for each in mine if after is None or each > after]
        return Page(tuple(ids[:limit]), ids[limit - 1] if len(ids) > limit else None)

    def page(ids: Sequence[str]) -> list[dict[str, Any]]:
        shown: list[dict[str, Any]] = []
        room = MAX_MEMBERS_SHOWN
        for each in show(ids):
            room -= len(each.get("members", ()))
            if shown and room < 0:
                break
            shown.append(each)
        return shown

    return answer(
        "Group",
        query,
        looked_up=lambda named: list(show([named["id"]] if named["id"] in mine else [])) if "id" in named else None,
        every=lambda after: show(each for each in mine if after is None or each > after),
        ids=lambda: mine,
        following=following,
        page=page,
        until=caller.until,
    )


def shows(query: Query, attribute: str, of: ResourceKind) -> bool:
    """Whether an attribute, or a part of it, is shown."""

    def named(names: Sequence[str]) -> bool:
        places = [find(each, of) for each in names]
        return any(place is not None and place.attribute is of.attributes[attribute] for place in places)

    return named(query.only) if query.only else attribute not in {each.lower() for each in query.but}


def answer(
    name: Kind,
    query: Query,
    *,
    looked_up: Callable[[dict[str, str]], list[dict[str, Any]] | None],
    every: Callable[[str | None], Iterator[dict[str, Any]]],
    ids: Callable[[], Iterable[str]],
    following: Callable[[int, str | None], Page[str]],
    page: Callable[[Sequence[str]], list[dict[str, Any]]],
    until: float,
) -> dict[str, Any]:
    """
    The ListResponse to *query*, with the position `after` which a cursor goes on, if more may follow; what it is made of is
    asked for in the cheapest way that answers it.
    """
    of = kind(name)
    tree: Filter | None = None if query.filter is None else parse_filter(query.filter, of)
    if query.by_cursor and query.sort_by is None:
        if tree is None:
            return _followed(following(query.count, query.after), page, query, name)
        if _LOOKED_UP.isdisjoint(equalities(tree)):
            return _examined(tree, every(query.after), query, name, until)
    first = int(query.after or 0) if query.by_cursor else query.start - 1
    if tree is None and query.sort_by is None:
        known = list(_in_time(ids(), until))
        return _response(len(known), page(known[first : first + query.count]) if query.count else [], query, name)
    found = looked_up(equalities(tree)) if tree is not None else None
    examined = every(None) if found is None else iter(found)
    matching = [each for each in _bounded(examined, until) if tree is None or fits(tree, each)]
    if query.sort_by is not None:
        matching = ordered(matching, query.sort_by, of, descending=query.descending)
    return _response(len(matching), matching[first : first + query.count], query, name)


def _followed(
    listed: Page[str], page: Callable[[Sequence[str]], list[dict[str, Any]]], query: Query, name: Kind
) -> dict[str, Any]:
    """The page of what is *listed*; where that of groups ends early, the next one begins there."""
    shown = page(listed.items)
    cut = name == "Group" and len(shown) < len(listed.items)
    return _response(None, shown, query, name, after=shown[-1]["id"] if cut else listed.after)


def _examined(tree: Filter, examined: Iterator[dict[str, Any]], query: Query, name: Kind, until: float) -> dict[str, Any]:
    """The page of those that fit; what there is no time for is left to the next."""
    matching: list[dict[str, Any]] = []
    last: str | None = None
    for number, each in enumerate(examined):
        if len(matching) == query.count or number >= MAX_EXAMINED or time.monotonic() >= until:
            return _response(None, matching, query, name, after=last or query.after)
        last = each["id"]
        if fits(tree, each):
            matching.append(each)
    return _response(None, matching, query, name)


def _in_time(ids: Iterable[str], until: float) -> Iterator[str]:
    for each in ids:
        if time.monotonic() >= until:
            raise TooMany("There is no time to count so many: ask for them by cursor (RFC 9865).")
        yield each


def _bounded(examined: Iterator[dict[str, Any]], until: float) -> Iterator[dict[str, Any]]:
    for number, each in enumerate(examined):
        if number >= MAX_EXAMINED or time.monotonic() >= until:
            raise TooMany
        yield each


def _response(
    total: int | None, shown: list[dict[str, Any]], query: Query, name: Kind, *, after: str | None = None
) -> dict[str, Any]:
    if query.by_cursor and total is not None and (end := int(query.after or 0) + query.count) < total:
        after = str(end)
    return {
        "schemas": [LIST_RESPONSE],
        **({} if total is None else {"totalResults": total}),
        **({} if query.by_cursor else {"startIndex": query.start}),
        **({} if after is None else {"after": after}),
        "itemsPerPage": len(shown),
        "Resources": [projected(each, kind(name), only=query.only, but=query.but) for each in shown],
    }


def _text(given: dict[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidValue(f"{name} is a text.")
    return value or None


def _cursor(value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or len(value) > _MAX_CURSOR):
        raise InvalidCursor
    return value


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
