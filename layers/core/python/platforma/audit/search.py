"""
Search over what waits and what was entered, as one ordered answer.

An event moves from pending to hot, and is written there before it goes here. So each stretch of positions is read from
pending first and from hot second: whatever was recorded before the search began is found in one of the two, and what is
found in both counts once.
"""

import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, repeat
from typing import Any

from platforma.audit.index import ways
from platforma.audit.model import Row
from platforma.audit.ports import LogStore, Path, Span
from platforma.audit.query import Query, above, below
from platforma.audit.sealing import open_rows
from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import NotFound
from platforma.kernel.ids import is_id, to_bytes
from platforma.keys.envelope import Envelope

_PAGE = 200
_LOOK_AT = 4000
"""Events that one call looks at: a page may be short or empty, and the search goes on behind its cursor."""
_BEFORE_ITS_ID, _AFTER_ITS_ID = timedelta(hours=1), timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of events as the contract has them, and the position to go on behind."""

    events: tuple[dict[str, Any], ...]
    after: str | None


def search(query: Query, *, store: LogStore, envelope: Envelope) -> Found:
    """
    The events that *query* asks for, in order.

    Raises:
        DoesNotOpen: a stored event was changed.
        Unavailable: store or keys do not answer.
    """
    rows = (row for _, row in merged(query, store))
    events: list[dict[str, Any]] = []
    looked = 0
    while chunk := list(islice(rows, min(_PAGE, max(query.limit, 20)))):
        looked += len(chunk)
        clear = [row for row in chunk if query.admits_clear(json.loads(row.body))]
        for one in open_rows(query.tenant_id, clear, envelope):
            document = one.document()
            if not query.admits(document):
                continue
            events.append(document)
            if len(events) == query.limit:
                more = one.row is not chunk[-1] or next(rows, None) is not None
                return Found(tuple(events), one.row.position if more else None)
        if looked >= _LOOK_AT:
            more = next(rows, None) is not None
            return Found(tuple(events), chunk[-1].position if more else None)
    return Found(tuple(events), None)


def get_event(tenant_id: str, event_id: str, *, store: LogStore, envelope: Envelope) -> dict[str, Any]:
    """
    The event of this id.

    Raises:
        NotFound: none of the tenant's logs has it.
    """
    return locate_event(tenant_id, event_id, store=store, envelope=envelope)[1]


def locate_event(tenant_id: str, event_id: str, *, store: LogStore, envelope: Envelope) -> tuple[str, dict[str, Any]]:
    """
    The event of this id, after the log that it is in.

    Raises:
        NotFound: none of the tenant's logs has it.
    """
    position = store.claimed(tenant_id, event_id) if is_id(event_id, "evt") else None
    for log_id in store.logs_of(tenant_id) if is_id(event_id, "evt") else ():
        row = _at(log_id, position, store) if position else _by_time(log_id, event_id, store)
        if row is not None:
            return log_id, open_rows(log_id, [row], envelope)[0].document()
    raise NotFound


def merged(query: Query, store: LogStore) -> Iterator[tuple[str, Row]]:
    """Every row that *query* has to look at, in its order, after the log that it is in."""
    logs = [zip(repeat(log_id), _merged(log_id, query, store)) for log_id in store.logs_of(query.tenant_id)]
    yield from heapq.merge(*logs, key=lambda found: found[1].position, reverse=not query.ascending)


def _merged(log_id: str, query: Query, store: LogStore) -> Iterator[Row]:
    """Every row under the query's paths in order of position, none twice."""
    paths = ways(about=query.about, user_id=query.user_id, resource=query.resource, request_id=query.request_id)
    span = query.span()
    while span.low <= span.high:
        waiting = store.pending(log_id, span, ascending=query.ascending, limit=_PAGE)
        here, rest = _parted(span, waiting.rows[-1].position, query) if waiting.more else (span, None)
        entered = (_hot(log_id, path, here, query, store) for path in paths)
        last = None
        rows = heapq.merge(*entered, waiting.rows, key=lambda row: row.position, reverse=not query.ascending)
        for row in rows:  # of equals, what was entered comes first: it knows its sequence
            if row.position != last:
                yield row
            last = row.position
        if rest is None:
            return
        span = rest


def _parted(span: Span, position: str, query: Query) -> tuple[Span, Span]:
    """*span* up to *position*, and what lies behind it."""
    if query.ascending:
        return Span(span.low, position), Span(above(position), span.high)
    return Span(position, span.high), Span(span.low, below(position))


def _hot(log_id: str, path: Path, span: Span, query: Query, store: LogStore) -> Iterator[Row]:
    limit = min(_PAGE, query.limit + 1)
    while span.low <= span.high:
        page = store.hot(log_id, path, span, ascending=query.ascending, limit=limit)
        yield from page.rows
        if not page.more:
            return
        _, span = _parted(span, page.rows[-1].position, query)
        limit = _PAGE


def _at(log_id: str, position: str, store: LogStore) -> Row | None:
    return store.entered(log_id, [position]).get(position) or (
        store.waiting(log_id, [position]).get(position) or store.entered(log_id, [position]).get(position)
    )


def _by_time(log_id: str, event_id: str, store: LogStore) -> Row | None:
    """Claims are kept for days, events for longer: an id tells when it was made, and its event is of about that time."""
    made = datetime.fromtimestamp(int.from_bytes(to_bytes(event_id)[:6], "big") / 1000, UTC)
    span = Span(rfc3339(made - _BEFORE_ITS_ID), rfc3339(made + _AFTER_ITS_ID))
    query = Query(log_id, ascending=True, limit=_PAGE)
    rows = islice(_hot(log_id, Path(), span, query, store), _LOOK_AT)
    return next((row for row in rows if row.id == event_id), None)
