"""
How long a search over a million events takes, hot and cold, on one core.

Hot: pages as DynamoDB would answer them, of at most 201 items, out of a million in order of place; each is counted, since on
AWS it costs a read of some milliseconds that is not in the figures. Cold: the statements that Athena gets, run by DuckDB on
one thread over the same Parquet; what Athena adds (a second or two to begin) is not in the figures either. Both are twenty
thousand events that were recorded, entered and compacted by our own code, laid out fifty times, a day apart.
"""

import bisect
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path as File
from statistics import quantiles
from typing import Any, cast

import duckdb

from platforma.adapters.memory.audit import MemoryLogStore
from platforma.adapters.memory.cold import DuckDBTable, MemoryMarks
from platforma.audit.cold import Cold
from platforma.audit.cold.compact import folder_of
from platforma.audit.cold.ports import Mark
from platforma.audit.index import paths_of
from platforma.audit.model import HOT_DAYS, Page, Row
from platforma.audit.ports import LogStore, Path, Span
from platforma.audit.query import Query, parse_query
from platforma.audit.search import search
from platforma.kernel.clock import rfc3339
from platforma.keys.envelope import Envelope

DAYS = 50
SEARCHES = 49
Ask = Callable[[Query], object]


class ManyHot:
    """The hot index of a log in which each row stands once a day, and how many pages were read of it."""

    def __init__(self, rows: Sequence[Row], last: datetime) -> None:
        self.pages = 0
        self._last, self._rows = last, {row.position[11:]: row for row in rows}
        self._order: dict[Path, list[str]] = {}
        for row in rows:
            for path in paths_of(row):
                self._order.setdefault(path, []).append(row.position[11:])
        for times in self._order.values():
            times.sort()

    def logs_of(self, tenant_id: str) -> list[str]:
        """One."""
        return [tenant_id]

    def pending(self, _log_id: str, _span: Span | None = None, **_asked: Any) -> Page:
        """Nothing."""
        return Page((), more=False)

    def hot(self, _log_id: str, path: Path, span: Span, *, ascending: bool, limit: int) -> Page:
        """A page, of as few days as have it."""
        self.pages += 1
        found: list[Row] = []
        times = self._order.get(path, [])
        for at in range(DAYS) if not ascending else reversed(range(DAYS)):
            day = rfc3339(self._last - timedelta(days=at))[:11]
            low = bisect.bisect_left(times, span.low[11:]) if span.low[:11] == day else 0 if span.low < day else len(times)
            high = (
                bisect.bisect_right(times, span.high[11:]) if span.high[:11] == day else len(times) if span.high > day else 0
            )
            within = times[low:high]
            some = islice(within if ascending else reversed(within), limit + 1 - len(found))
            found += [replace(self._rows[one], position=day + one) for one in some]
            if len(found) > limit:
                break
        return Page(tuple(found[:limit]), more=len(found) > limit)


def measured(tenant_id: str, store: MemoryLogStore, envelope: Envelope, person: str, root: File) -> dict[str, Any]:
    """Figures of searches over what *store* has in its index and, compacted, in the one file under *root*."""
    rows = list(store._hot[tenant_id, Path()].values())  # noqa: SLF001  the bench lays out what it finds
    now = datetime.now(UTC)
    hot = ManyHot(rows, now)
    asked = [
        *({}, {"action": "infrastructure.*", "result": "denied"}, {"user_id": person}, {"resource": "cls_eu01"}),
        *({"ip_address": "192.0.2.9"}, {"q": "firefox"}, {"request_id": f"{17:032x}"}),
    ]
    figures: dict[str, Any] = {"search_events": len(rows) * DAYS}
    pages: list[int] = []

    def ask_hot(query: Query) -> object:
        before = hot.pages
        found = search(query, store=cast("LogStore", hot), envelope=envelope)  # it has what a search asks for
        pages.append(hot.pages - before)
        return found

    figures |= _timed("hot", tenant_id, asked, ask_hot)
    figures["search_hot_reads_p95"] = round(quantiles(pages, n=20)[18], 1)
    marks = MemoryMarks({tenant_id: Mark(tenant_id, 1, 1, _spread(tenant_id, root, now - timedelta(days=HOT_DAYS + 1)))})
    table = DuckDBTable(root)
    cold = Cold(marks, table, lambda: now)
    empty = MemoryLogStore()
    figures |= _timed("cold", tenant_id, asked, lambda query: search(query, store=empty, envelope=envelope, cold=cold))
    figures["search_cold_questions"] = round(len(table.asked) / SEARCHES, 1)
    figures["cold_bytes_per_event"] = round(
        sum(file.stat().st_size for file in root.rglob("*.parquet")) / figures["search_events"], 1
    )
    return figures


def _spread(tenant_id: str, root: File, last: datetime) -> str:
    """Lay the one day that is in *root* out over many, ended by *last*; the first of them."""
    (file,) = root.rglob("*.parquet")
    days = [(last - timedelta(days=at)).date().isoformat() for at in range(DAYS)]
    with duckdb.connect(":memory:", config={"memory_limit": "1GB", "threads": 1}) as database:
        for day in days:
            place = root / folder_of(tenant_id) / f"day={day}" / file.name
            place.parent.mkdir(parents=True)
            database.read_parquet(str(file), hive_partitioning=False).project(
                f"* REPLACE ('{day}' || substr(place, 11) AS place)"
            ).write_parquet(str(place), compression="zstd", row_group_size=20_000)
    file.unlink()
    return days[-1]


def _timed(kind: str, tenant_id: str, asked: Sequence[dict[str, str]], ask: Ask) -> dict[str, float]:
    """The median and the 95th percentile of a page of 50, by what people ask for, in milliseconds of the processor."""
    taken = []
    for number in range(SEARCHES):
        query = parse_query(tenant_id, {**asked[number % len(asked)], "limit": "50"})
        started = time.process_time()
        ask(query)
        taken.append((time.process_time() - started) * 1000)
    cuts = quantiles(taken, n=20)
    return {f"search_{kind}_p50_milliseconds": round(cuts[9], 2), f"search_{kind}_p95_milliseconds": round(cuts[18], 2)}
