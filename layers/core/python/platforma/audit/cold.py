"""
Events that left the hot index, read from the log itself: its locked segments are the cold store, there is no second copy.

So nothing of a person has to be erased there: an entry's personal values open by the person's key alone, and are gone with
it. The *chart* says which segments have events of each ten minutes (`SLOT`); a slot is read whole, and what no clear
part of an entry can answer is passed over before it is parsed. Between slots a *pause* is yielded, so that whoever searches
may stop there: a row without id, at the edge of what was looked at.
"""

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from platforma.audit import segment
from platforma.audit.canonical import canonical
from platforma.audit.entry import boxes_of, open_salted
from platforma.audit.errors import LogBroken
from platforma.audit.model import HOT_DAYS, SLOT, Row, position_of, tenant_of
from platforma.audit.person_keys import PersonKeys
from platforma.audit.ports import Bucket, LogStore, Span
from platforma.audit.query import Query
from platforma.audit.sealing import Opened, open_rows
from platforma.audit.segment import SegmentName
from platforma.kernel.clock import Clock, rfc3339
from platforma.keys.envelope import Envelope

_SLACK = timedelta(minutes=10)
"""How much later than its event an entry may have begun to be hot: a writer's clock may be five minutes ahead."""
_AT_ONCE, _HELD = 16, 32
_NOT_CLEAR = ("sealed", "also_sealed", "sequence")


@dataclass(frozen=True, slots=True)
class Cold:
    """What reads old events; keeps what it fetched last, since neighbouring slots share segments."""

    store: LogStore
    bucket: Bucket
    persons: PersonKeys
    clock: Clock
    _fetched: OrderedDict[str, list[bytes]] = field(default_factory=OrderedDict)

    def rows(self, log_id: str, query: Query, span: Span) -> Iterator[Row]:
        """
        Old events of *span* that *query* may admit, in its order, and pauses.

        Raises:
            LogBroken: a segment that is charted is not whole, or not there.
            Unavailable: a dependency failed.
        """
        oldest_hot = rfc3339(self.clock() - timedelta(days=HOT_DAYS) + _SLACK)
        high = min(span.high, oldest_hot)
        if span.low > high:
            return
        if not query.ascending and high == oldest_hot:
            yield _pause(f"{oldest_hot}#evt_" + "z" * 26)  # nothing is read before all that is newer was taken
        needles = _needles(query)
        for slot, segments in self.store.charted(log_id, span.low[:SLOT], high[:SLOT], ascending=query.ascending):
            edge = _edge(slot, ascending=query.ascending)
            if (span.low > edge) if query.ascending else (high < edge):
                continue  # this slot was looked through up to its edge
            found = {}
            for line in self._lines(segments):
                if all(needle in line for needle in needles) and (row := _row(line, slot, span, high)):
                    found[row.position] = row
            yield from (found[position] for position in sorted(found, reverse=not query.ascending))
            yield _pause(edge)

    def _lines(self, segments: Sequence[SegmentName]) -> Iterator[bytes]:
        for at in range(0, len(segments), _AT_ONCE):
            names = [str(name) for name in segments[at : at + _AT_ONCE]]
            self._fetch([name for name in names if name not in self._fetched])
            for name in names:
                yield from self._fetched[name]
                self._fetched.move_to_end(name)
            while len(self._fetched) > _HELD:
                self._fetched.popitem(last=False)

    def _fetch(self, names: Sequence[str]) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            bodies = list(pool.map(self.bucket.get, names))
        for name, body in zip(names, bodies, strict=True):
            if body is None:
                raise LogBroken("A charted segment is gone.", key=name)
            self._fetched[name] = segment.unpack(body, name)


def open_found(log_id: str, rows: Sequence[Row], envelope: Envelope, cold: Cold | None) -> list[Opened]:
    """
    Rows of the index and of the log, opened, in order.

    Raises:
        DoesNotOpen, LogBroken: one was changed.
        Unavailable: no key is to be had.
    """
    hot = [row for row in rows if row.sealed]
    opened = {one.row.position: one for one in open_rows(log_id, hot, envelope)}
    if cold is not None and len(hot) < len(rows):
        entries = {row.position: (row, json.loads(row.body)) for row in rows if not row.sealed}
        names = {box["key"] for _, entry in entries.values() for box in boxes_of(entry)}
        keys = {name: one.key for name, one in cold.persons.by_name(tenant_of(log_id), names).items()}
        opened |= {position: _opened(row, entry, keys) for position, (row, entry) in entries.items()}
    return [opened[row.position] for row in rows]


def _opened(row: Row, entry: Mapping[str, Any], keys: Mapping[str, bytes]) -> Opened:
    """An entry, with what the keys that are left open of it."""
    salted = {box["key"]: open_salted(entry, box, keys[box["key"]]) for box in boxes_of(entry) if box["key"] in keys}
    body = {name: value for name, value in entry.items() if name not in _NOT_CLEAR}
    values = {person: {path: value for path, (_, value) in found.items()} for person, found in salted.items()}
    salts = {path: salt for found in salted.values() for path, (salt, _) in found.items()}
    return Opened(row, body, values, b"", salts)


def _needles(query: Query) -> list[bytes]:
    """What occurs, as it is written, in every entry that answers: canonical JSON writes a value in one way."""
    asked = (query.about, query.user_id, query.resource, query.request_id)
    return [canonical(value) for value in asked if value is not None]


def _row(line: bytes, slot: str, span: Span, high: str) -> Row | None:
    """The entry as a row, if it is of this slot and within the span; its personal values stay sealed in it."""
    try:
        entry = json.loads(line)
        position = position_of(entry["timestamp"], entry["id"])
        if not position.startswith(slot) or not span.low <= position <= min(span.high, high + "~"):
            return None
        return Row(entry["id"], position, entry["received_at"], line, b"", entry["sequence"])
    except (ValueError, KeyError, TypeError) as error:
        raise LogBroken("An entry cannot be read.") from error


def _edge(slot: str, *, ascending: bool) -> str:
    """Where whoever reads in this order leaves the slot."""
    return slot + ("9:59.999Z#evt_" + "z" * 26 if ascending else "0:00.000Z#evt_" + "0" * 26)


def _pause(position: str) -> Row:
    return Row("", position, "", b"", b"")
