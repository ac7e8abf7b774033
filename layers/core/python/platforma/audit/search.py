"""
Search over pending, indexed (*hot*) and old (*cold*) events, as one ordered answer.

An event moves from pending to hot: it is written to the index before it is removed from pending. So each range of positions
is read from pending first and from hot second. Whatever was recorded before the search began is then found in one of the
two, and what is found in both counts once. Events older than the index are read from Parquet (`cold`).
"""

import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, repeat
from typing import Any

from platforma.audit.cold.read import Cold, open_found
from platforma.audit.index import ways
from platforma.audit.model import Row, position_of
from platforma.audit.ports import LogStore, Path, Span
from platforma.audit.query import Query, above, below
from platforma.kernel.clock import Clock, rfc3339, system_clock
from platforma.kernel.errors import NotFound
from platforma.kernel.ids import is_id, to_bytes
from platforma.keys.envelope import Envelope

_PAGE = 200
_PATIENCE = timedelta(seconds=15)
"""How long one call looks through old events: a gateway waits 29 s."""
_LOOK_AT = 4000
"""Events that one call looks at: a page may be short or empty, and the search goes on behind its cursor."""
_NO_TIME = datetime(9999, 1, 1, tzinfo=UTC).timestamp() * 1000
_ITS_REQUEST = (timedelta(seconds=1), timedelta(seconds=30))
_ITS_TIME = (timedelta(hours=1), timedelta(minutes=15))
"""How long before and after its id was made an event may be: nearly always while its request was answered."""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of events as the contract has them, and the position to go on behind."""

    events: tuple[dict[str, Any], ...]
    after: str | None


def search(
    query: Query, *, store: LogStore, envelope: Envelope, cold: Cold | None = None, clock: Clock = system_clock
) -> Found:
    """
    The events that *query* asks for, in order; without *cold* those of the index alone.

    Raises:
        DoesNotOpen: a stored event was changed.
        Unavailable: store or keys do not answer.
    """
    rows = (row for _, row in merged(query, store, cold))
    until = clock() + _PATIENCE
    events: list[dict[str, Any]] = []
    looked = 0
    while chunk := _chunk(rows, min(_PAGE, max(query.limit, 20))):
        looked += len(chunk)
        clear = [row for row in chunk if row.id and query.admits_clear(json.loads(row.body))]
        for one in open_found(query.tenant_id, clear, envelope):
            document = one.document()
            if not query.admits(document):
                continue
            events.append(document)
            if len(events) == query.limit:
                more = one.row is not clear[-1] or _goes_on(rows, until, clock)
                return Found(tuple(events), one.row.position if more else None)
        if looked >= _LOOK_AT or clock() > until:
            more = _goes_on(rows, until, clock)
            return Found(tuple(events), chunk[-1].position if more else None)
    return Found(tuple(events), None)


def _chunk(rows: Iterator[Row], size: int) -> list[Row]:
    """The next rows, at most *size*, up to a pause: nothing old is read before the newer answers are known."""
    taken: list[Row] = []
    for row in rows:
        taken.append(row)
        if len(taken) == size or not row.id:
            break
    return taken


def _goes_on(rows: Iterator[Row], until: datetime, clock: Clock) -> bool:
    """Whether there is another row, or old events to look for, or no time left to see."""
    return clock() > until or next((True for _ in rows), False)


def get_event(
    tenant_id: str, event_id: str, *, store: LogStore, envelope: Envelope, cold: Cold | None = None
) -> dict[str, Any]:
    """
    The event of this id.

    Raises:
        NotFound: none of the tenant's logs has it.
    """
    return locate_event(tenant_id, event_id, store=store, envelope=envelope, cold=cold)[1]


def locate_event(
    tenant_id: str, event_id: str, *, store: LogStore, envelope: Envelope, cold: Cold | None = None
) -> tuple[str, dict[str, Any]]:
    """
    The event of this id, after the log that it is in.

    Raises:
        NotFound: none of the tenant's logs has it.
    """
    if not is_id(event_id, "evt"):
        raise NotFound
    claimed, made = store.claimed(tenant_id, event_id), _made(event_id)
    position = claimed or position_of(rfc3339(made), event_id)  # another service's id is made of its event's time
    logs = store.logs_of(tenant_id)
    for log_id in logs:
        if (row := _at(log_id, position, store)) is not None:
            return log_id, open_found(tenant_id, [row], envelope)[0].document()
    for log_id in logs if claimed is None else ():
        if (row := _by_time(log_id, made, event_id, store)) is not None:
            return log_id, open_found(tenant_id, [row], envelope)[0].document()
    span = Span(claimed, claimed) if claimed else _about(made, *_ITS_TIME)
    if cold is None or (old := cold.find(tenant_id, span, event_id)) is None:
        raise NotFound
    return old[0], open_found(tenant_id, [old[1]], envelope)[0].document()


def merged(query: Query, store: LogStore, cold: Cold | None = None) -> Iterator[tuple[str, Row]]:
    """
    Every row that *query* has to look at, in its order, after the log that it is in, and pauses (see `cold`).

    None comes twice: an old one may still be in the index as well.
    """
    logs = [zip(repeat(log_id), _recent(log_id, query, store)) for log_id in store.logs_of(query.tenant_id)]
    old = iter(()) if cold is None else cold.rows(query)
    last = None
    for found in heapq.merge(*logs, old, key=lambda found: found[1].position, reverse=not query.ascending):
        if found[1].position != last:
            yield found
        last = found[1].position


def _recent(log_id: str, query: Query, store: LogStore) -> Iterator[Row]:
    """What waits and what is hot."""
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
    return (
        store.entered(log_id, [position]).get(position)
        or store.waiting(log_id, [position]).get(position)
        or store.entered(log_id, [position]).get(position)
    )


def _made(event_id: str) -> datetime:
    """
    When an id was made (RFC 9562 section 5.7).

    Raises:
        NotFound: later than a calendar goes, so that no event has it.
    """
    if (milliseconds := int.from_bytes(to_bytes(event_id)[:6], "big")) >= _NO_TIME:
        raise NotFound
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _about(made: datetime, before: timedelta, after: timedelta) -> Span:
    return Span(rfc3339(made - before), rfc3339(made + after))


def _by_time(log_id: str, made: datetime, event_id: str, store: LogStore) -> Row | None:
    """Claims are kept for days, events for longer: an id tells when it was made, and its event is of about that time."""
    query = Query(log_id, ascending=True, limit=_PAGE)
    for before, after in (_ITS_REQUEST, _ITS_TIME):
        rows = islice(_hot(log_id, Path(), _about(made, before, after), query, store), _LOOK_AT)
        if (found := next((row for row in rows if row.id == event_id), None)) is not None:
            return found
    return None
