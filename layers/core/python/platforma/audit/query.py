"""What readers may ask of the log, and which events answer it."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, get_args

from platforma.audit.index import subject_of
from platforma.audit.personal import OF_THE_ACTOR
from platforma.audit.ports import Span
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import FieldError, Malformed, Unprocessable
from platforma.kernel.events import Result

MAX_LIMIT, LIMIT = 200, 50
OTHERS = ("principal_type", "principal_id", "source", "resource_type", "reason", "client_request_id", "user_agent")
"""Fields that are looked at in what the others yield: by what they are, or by a beginning that ends in `*`."""
_MAX_TEXT = 256
_ACTION = re.compile(r"\A(?:\*|[a-z0-9_-]+(?:[.:][a-z0-9_-]+)*(?:[.:]\*)?)\Z")
_POSITION = re.compile(r"\A[0-9T:.-]{23}Z#evt_[0-9a-z]{26}\Z")
_FIRST, _LAST = "0", "~"
_MAPPED = 96
"""Bits before the IPv4 address in an IPv6 address that stands for one (RFC 4291 section 2.5.5.2)."""


@dataclass(frozen=True, slots=True)
class Query:
    """
    A search in one tenant's events. All conditions must hold; *since* is included, *until* is not.

    *action* is a name or a beginning of names, ended by `*`; *text* are words, each of which must occur in some value.
    *after* is the position behind which to go on, as a former answer gave it. *principals* are ids of which one acted.
    *about* is a person who acted, was changed or was asked about. *others* are fields with what they are, or with a
    beginning that ends in `*`.
    """

    tenant_id: str
    since: datetime | None = None
    until: datetime | None = None
    user_id: str | None = None
    action: str | None = None
    resource: str | None = None
    result: Result | None = None
    network: IPv4Network | IPv6Network | None = None
    request_id: str | None = None
    text: str | None = None
    ascending: bool = False
    limit: int = LIMIT
    after: str | None = None
    principals: frozenset[str] | None = None
    about: str | None = None
    others: tuple[tuple[str, str], ...] = ()

    def span(self) -> Span:
        """The positions that remain to be looked at."""
        low = rfc3339(self.since) if self.since else _FIRST
        high = rfc3339(self.until) if self.until else _LAST
        if self.after is None:
            return Span(low, high)
        return Span(max(low, above(self.after)), high) if self.ascending else Span(low, min(high, below(self.after)))

    def admits_clear(self, body: Mapping[str, Any]) -> bool:
        """Whether an event with this clear part may be an answer."""
        return (
            self.user_id in (None, body.get("user_id"))
            and self.about in (None, body.get("user_id"), body.get("resource"), subject_of(body))
            and (self.principals is None or body.get("principal_id") in self.principals)
            and self.resource in (None, body.get("resource"))
            and self.result in (None, body.get("result"))
            and self.request_id in (None, body.get("request_id"))
            and (self.action is None or _covers(self.action, str(body.get("action", ""))))
            and all(_is(pattern, body.get(name)) for name, pattern in self.others if name not in OF_THE_ACTOR)
        )

    def admits(self, document: Mapping[str, Any]) -> bool:
        """Whether the whole event, whose clear part was admitted, is an answer."""
        if self.network is not None and not _within(self.network, document.get("ip_address")):
            return False
        if not all(_is(pattern, document.get(name)) for name, pattern in self.others if name in OF_THE_ACTOR):
            return False
        if self.text is None:
            return True
        said = folded("\n".join(words_of(document)))
        return all(word in said for word in folded(self.text).split())


def above(position: str) -> str:
    """A text between *position* and every later one."""
    return position + "!"


def below(position: str) -> str:
    """A text between *position* and every earlier one."""
    return position[:-1] + chr(ord(position[-1]) - 1) + "~"


def parse_query(tenant_id: str, parameters: Mapping[str, str], *, after: str | None = None) -> Query:
    """
    The query that these parameters of a URL ask; `cursor` is not among them, *after* is what it held.

    Raises:
        Unprocessable: with every parameter that is unknown or says nothing.
    """
    faults: list[FieldError] = []

    def read(name: str, parse: Any, otherwise: Any = None) -> Any:
        if name not in parameters:
            return otherwise
        try:
            return parse(parameters[name])
        except (ValueError, Malformed) as error:
            faults.append(FieldError(f"/{name}", str(error) or "Not valid."))
            return otherwise

    known = {
        "from",
        "to",
        "user_id",
        "action",
        "resource",
        "result",
        "ip_address",
        "request_id",
        "q",
        "order",
        "limit",
        *OTHERS,
    }
    faults += [FieldError(f"/{name}", "There is no such parameter.") for name in parameters if name not in known]
    query = Query(
        tenant_id,
        since=read("from", bound),
        until=read("to", bound),
        user_id=read("user_id", _short),
        action=read("action", _action),
        resource=read("resource", _short),
        result=read("result", _result),
        network=read("ip_address", _network),
        request_id=read("request_id", _short),
        text=read("q", _short),
        ascending=read("order", _ascending, otherwise=False),
        limit=read("limit", _limit, otherwise=LIMIT),
        after=after,
        others=tuple((name, read(name, _short, otherwise="*")) for name in OTHERS if name in parameters),
    )
    if after is not None and not _POSITION.match(after):
        faults.append(FieldError("/cursor", "Not a cursor of this list."))
    if faults:
        raise Unprocessable("The query is not valid.", errors=faults)
    return query


def bound(text: str) -> datetime:
    """
    The moment that *text* names as the beginning or end of what is asked for: events' times are whole milliseconds, so that
    those before it are the ones before the next whole one.

    Raises:
        Malformed: not an RFC 3339 time.
    """
    moment = parse_rfc3339(text)
    try:
        return moment + timedelta(microseconds=-moment.microsecond % 1000)
    except OverflowError:
        return moment


def _short(text: str) -> str:
    if not 0 < len(text.encode("utf-8", "surrogatepass")) <= _MAX_TEXT:
        raise ValueError("Must be 1 to 256 bytes.")
    return text


def _action(text: str) -> str:
    if len(text) > _MAX_TEXT or not _ACTION.match(text):
        raise ValueError("Must be an action's name, or a beginning of names that ends in `.*`.")
    return text


def _result(text: str) -> str:
    if text not in get_args(Result):
        raise ValueError("Must be one of success, denied, failure and error.")
    return text


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError("Must be an address or a network in CIDR notation.") from None
    mapped = (
        network.network_address.ipv4_mapped if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED else None
    )
    return network if mapped is None else ip_network((mapped, network.prefixlen - _MAPPED))


def _ascending(text: str) -> bool:
    if text not in ("asc", "desc"):
        raise ValueError("Must be asc or desc.")
    return text == "asc"


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MAX_LIMIT):
        raise ValueError("Must be a number from 1 to 200.")
    return int(text)


def _covers(pattern: str, action: str) -> bool:
    return action.startswith(pattern[:-1]) if pattern.endswith("*") else action == pattern


def _is(pattern: str, value: Any) -> bool:
    return value is not None and _covers(pattern, str(value))


def _within(network: IPv4Network | IPv6Network, address: Any) -> bool:
    try:
        found = ip_address(str(address))
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found in network


def words_of(value: Any) -> Iterator[str]:
    """Every value that an event says, its members' names left out."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from words_of(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from words_of(inner)
    elif value is not None:
        yield str(value)


def folded(text: str) -> str:
    """*text* as words are compared: compatible characters and cases are one."""
    return unicodedata.normalize("NFKC", text).casefold()
