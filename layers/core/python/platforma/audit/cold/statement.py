"""
What is asked of the Parquet: constant text with `?` in it, and parameters of letters, digits, `_` and `-` alone.

Whatever a caller says is a parameter in hexadecimal, which the engine turns into text: no quoting has to be right for it to
stay a value. Every statement names one tenant, whose partitions are all that is read: the table is declared so that Athena
refuses a statement that names none. Conditions may let more through than was asked for, never less: what they yield is held
to the query once more.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, NamedTuple

from platforma.audit.canonical import canonical, plain
from platforma.audit.index import subject_of
from platforma.audit.model import position_of
from platforma.audit.personal import unite
from platforma.audit.ports import Span
from platforma.audit.query import Query, folded, words_of

COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(("log_id", "place", "id", "received_at", "user_id", "action", "resource", "result"), "VARCHAR"),
    **dict.fromkeys(("request_id", "principal_id", "subject", "address", "said", "body", "personal"), "VARCHAR"),
    "sequence": "BIGINT",
}
"""What a file holds; *tenant* and *day* are its folders' names."""
ANSWER = ("log_id", "place", "id", "received_at", "sequence", "body", "personal")
LONGEST = 1000
"""Characters of a parameter; Athena takes 1,024, quotes included."""
_PARAMETER = re.compile(r"\A[0-9a-z_-]{1,1000}\Z")
_TEXT = "from_utf8(from_hex(?))"
_FROM = " ".join(("SELECT", ", ".join(ANSWER), "FROM events WHERE tenant = ? AND day BETWEEN ? AND ?"))


Salted = Mapping[str, Mapping[str, Sequence[Any]]]
"""By person, by path: salt (base64) and value, as an entry's box has them."""


class Statement(NamedTuple):
    """A statement and what stands for its question marks, in order."""

    text: str
    parameters: tuple[str, ...]


def statement(query: Query, span: Span, days: tuple[str, str], *, limit: int, event_id: str | None = None) -> Statement:
    """Ask for events of *query* with places in *span*, of these days (both included), in the query's order."""
    conditions, parameters = [_FROM], [query.tenant_id, *days]
    for condition, *texts in _conditions(query, span, event_id):
        said = [text.encode("utf-8", "surrogatepass").hex() for text in texts]
        if all(len(text) <= LONGEST for text in said):
            conditions.append(condition)
            parameters.extend(said)
    if not all(_PARAMETER.match(one) for one in parameters):
        raise ValueError("What is asked for is no parameter.")
    order = "ASC" if query.ascending else "DESC"
    return Statement(f"{' AND '.join(conditions)} ORDER BY place {order} LIMIT {limit:d}", tuple(parameters))


def _conditions(query: Query, span: Span, event_id: str | None) -> Iterator[tuple[str, ...]]:
    """Each condition, and the texts that stand for its question marks."""
    yield f"place BETWEEN {_TEXT} AND {_TEXT}", span.low, span.high
    equal = {name: getattr(query, name) for name in ("user_id", "resource", "result", "request_id")} | {"id": event_id}
    yield from ((f"{column} = {_TEXT}", value) for column, value in equal.items() if value is not None)
    if query.about is not None:
        yield f"(user_id = {_TEXT} OR resource = {_TEXT} OR subject = {_TEXT})", *[query.about] * 3
    if query.principals is not None:
        yield f"principal_id IN ({', '.join([_TEXT] * len(query.principals))})", *sorted(query.principals)
    if query.action is not None and query.action != "*":
        exact = not query.action.endswith("*")
        yield f"action = {_TEXT}" if exact else f"starts_with(action, {_TEXT})", query.action.removesuffix("*")
    if query.network is not None:
        low, high = query.network.network_address, query.network.broadcast_address
        yield f"address BETWEEN {_TEXT} AND {_TEXT}", _in_order(low), _in_order(high)
    yield from ((f"strpos(said, {_TEXT}) > 0", word) for word in folded(query.text or "").split())


def row_of(log_id: str, sequence: int, body: Mapping[str, Any], salted: Salted) -> dict[str, Any]:
    """An event as a row: *body* is its clear part, *salted* what is left of persons' own."""
    whole = unite(body, {path: value for found in salted.values() for path, (_, value) in found.items()})
    return {
        "log_id": log_id,
        "place": position_of(body["timestamp"], body["id"]),
        "sequence": sequence,
        **{name: body.get(name) for name in ("id", "received_at", "user_id", "action", "resource", "result")},
        **{name: body.get(name) for name in ("request_id", "principal_id")},
        "subject": subject_of(body),
        "address": _address(whole.get("ip_address")),
        "said": folded("\n".join(words_of(whole))),
        "body": canonical(body).decode(),
        "personal": canonical(plain(salted)).decode(),
    }


def _address(text: Any) -> str | None:
    try:
        return _in_order(ip_address(str(text)))
    except ValueError:
        return None


def _in_order(address: IPv4Address | IPv6Address) -> str:
    """An address as text that sorts as addresses do; one of IPv4 as IPv6 maps it (RFC 4291 section 2.5.5.2)."""
    return f"{0xFFFF << 32 | int(address) if address.version == 4 else int(address):032x}"
