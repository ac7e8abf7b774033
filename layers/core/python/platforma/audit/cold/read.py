"""
Old events as a search reads them: newest or oldest first, a stretch of days at a time.

A stretch begins with eight days and doubles as long as answers come quickly; between two a *pause* is yielded, a row without
id at the edge of what was looked at, so that whoever searches may stop there and go on behind a cursor. So no call has to
wait for more than one answer.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from platforma.audit.cold.ports import Marks, Table
from platforma.audit.cold.statement import statement
from platforma.audit.model import HOT_DAYS, Row
from platforma.audit.ports import Span
from platforma.audit.query import Query, above, below
from platforma.audit.sealing import Opened, open_rows
from platforma.kernel.clock import Clock, rfc3339
from platforma.kernel.errors import Unavailable
from platforma.keys.envelope import Envelope

_SLACK = timedelta(minutes=10)
"""How much later than its event an entry may have begun to be hot: a writer's clock may be five minutes ahead."""
_STRETCH, _LONGEST = 8, 512
_QUICK = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Cold:
    """What reads old events."""

    marks: Marks
    table: Table
    clock: Clock

    def rows(self, query: Query) -> Iterator[tuple[str, Row]]:
        """
        Old events of the query's tenant that it may admit, in its order, each after its log, and pauses.

        Raises:
            Unavailable: the table does not answer, or not for even the shortest stretch.
        """
        within = self._within(query.tenant_id, query.span())
        if within is None:
            return
        span, young = within
        if young and not query.ascending:
            yield "", _pause(f"{span.high}#evt_" + "z" * 26)  # nothing is asked before all that is newer was taken
        first, last = date.fromisoformat(span.low[:10]), date.fromisoformat(span.high[:10])
        length, longest, limit = _STRETCH, _LONGEST, query.limit + 1
        at = first if query.ascending else last
        while first <= at <= last:
            far, started = timedelta(days=length - 1), self.clock()
            days = (at, min(last, at + far)) if query.ascending else (max(first, at - far), at)
            found = self.table.ask(statement(query, span, (str(days[0]), str(days[1])), limit=limit))
            if found is None:
                if length == _STRETCH:
                    raise Unavailable("Old events take too long to be found.", retry_after=30)
                length = longest = _STRETCH  # too much for one answer: again from here, in shorter stretches
                continue
            rows = [_row(one) for one in found]
            yield from rows
            if len(rows) == limit:
                place = rows[-1][1].position
                at = date.fromisoformat(place[:10])
                span = Span(above(place), span.high) if query.ascending else Span(span.low, below(place))
                continue
            length = min(longest, 2 * length) if self.clock() - started < _QUICK else length
            at = days[1] + timedelta(days=1) if query.ascending else days[0] - timedelta(days=1)
            yield "", _pause(_edge(days, ascending=query.ascending))

    def find(self, tenant_id: str, span: Span, event_id: str) -> tuple[str, Row] | None:
        """
        The tenant's old event of this id, whose place is in *span*, after its log.

        Raises:
            Unavailable: the table does not answer.
        """
        within = self._within(tenant_id, span)
        if within is None:
            return None
        (low, high), _ = within
        query = Query(tenant_id, ascending=True)
        found = self.table.ask(statement(query, Span(low, high), (low[:10], high[:10]), limit=1, event_id=event_id))
        if found is None:
            raise Unavailable("An old event takes too long to be found.", retry_after=30)
        return _row(found[0]) if found else None

    def _within(self, tenant_id: str, span: Span) -> tuple[Span, bool] | None:
        """What of *span* is old and compacted, and whether younger ones may be in the span; None if nothing is."""
        oldest_hot = rfc3339(self.clock() - timedelta(days=HOT_DAYS) + _SLACK)
        if span.low > oldest_hot:
            return None
        days = [mark.first_day for mark in self.marks.of(tenant_id).values() if mark.first_day]
        if not days:
            return None
        low, high = max(span.low, _first_of(min(days))), min(span.high, oldest_hot)
        return (Span(low, high), high == oldest_hot) if low <= high else None


def open_found(tenant_id: str, rows: Sequence[Row], envelope: Envelope) -> list[Opened]:
    """
    Rows of both indexes, opened, in order.

    Raises:
        DoesNotOpen, LogBroken: one was changed.
        Unavailable: no key is to be had.
    """
    sealed = [row for row in rows if row.personal is None]
    opened = {one.row.position: one for one in open_rows(tenant_id, sealed, envelope)}
    return [opened[row.position] if row.personal is None else _opened(row, row.personal) for row in rows]


def _opened(row: Row, personal: bytes) -> Opened:
    salted = json.loads(personal)
    values = {person: {path: value for path, (_, value) in found.items()} for person, found in salted.items()}
    salts = {path: salt for found in salted.values() for path, (salt, _) in found.items()}
    return Opened(row, json.loads(row.body), values, b"", salts)


def _row(found: Sequence[Any]) -> tuple[str, Row]:
    log_id, place, event_id, received_at, sequence, body, personal = found
    return log_id, Row(event_id, place, received_at, body.encode(), b"", int(sequence), personal.encode())


def _edge(days: tuple[date, date], *, ascending: bool) -> str:
    """Where whoever reads in this order leaves these days."""
    return f"{days[1]}T23:59:59.999Z#evt_" + "z" * 26 if ascending else _first_of(str(days[0]))


def _first_of(day: str) -> str:
    return f"{day}T00:00:00.000Z#evt_" + "0" * 26


def _pause(position: str) -> Row:
    return Row("", position, "", b"", b"")
