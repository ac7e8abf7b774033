"""
From the log's entries into Parquet, hourly: each file has a range of one log's entries that are of one day.

    1  note which range is begun, so that whoever comes next makes files of the same names
    2  see which of these files there are, then read the persons' keys, then write the files in these ones' place
    3  note that the range is written

A file is written only in the place of what was there before the keys were read. So of two who make one at once the slower
stores nothing, and begins again: whatever stands once a range is closed was made with keys that were there when it stood.
"""

import json
import tempfile
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from platforma.audit.cold.ports import Columns, Files, Mark, Marks
from platforma.audit.cold.statement import row_of
from platforma.audit.model import tenant_of
from platforma.audit.opened_entry import open_entries
from platforma.audit.person_keys import PersonKeys
from platforma.audit.ports import Bucket, LogStore
from platforma.audit.proof import read_entries
from platforma.kernel.clock import Clock
from platforma.kernel.errors import PlatformaError
from platforma.keys.errors import NoSuchKey

RANGE = 20_000
"""Entries that are compacted at once."""
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Compactor:
    """What compacting needs. *budget* is how long one call goes on beginning ranges."""

    store: LogStore
    bucket: Bucket
    persons: PersonKeys
    marks: Marks
    files: Files
    columns: Columns
    clock: Clock
    at_once: int = RANGE
    budget: timedelta = timedelta(seconds=200)


def folder_of(tenant_id: str) -> str:
    """Where the tenant's files lie."""
    return f"events/tenant={tenant_id}/"


def compact(by: Compactor) -> dict[str, int]:
    """
    Compact what is new in every log, as far as time allows: how many *events* are, and how many are still *behind*.

    Each call begins with another log, so that none waits for ever.

    Raises:
        PlatformaError: a log could not be read or its files not be written; all others were seen to.
    """
    started, counts = by.clock(), {"events": 0, "behind": 0}
    logs, failed = sorted(by.store.logs()), None
    turn = int(started.timestamp()) // _HOUR % len(logs) if logs else 0
    for log_id in logs[turn:] + logs[:turn]:
        try:
            _compacted(log_id, by, by.clock() - started < by.budget, counts)
        except NoSuchKey:
            continue  # its tenant was shredded
        except PlatformaError as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return counts


def _compacted(log_id: str, by: Compactor, begin: bool, counts: dict[str, int]) -> None:
    started = by.clock()
    head = by.store.head(log_id)
    mark = by.marks.of(tenant_of(log_id)).get(log_id, Mark(log_id))
    size = head.size if head is not None else 0
    while mark.entries < size:
        if not begin or by.clock() - started >= by.budget:
            counts["behind"] += size - mark.entries
            return
        if not mark.is_open:
            begun = replace(mark, until=min(size, mark.entries + by.at_once))
            if not by.marks.replace(mark, begun):
                return  # another is at it
            mark = begun
        first_day = _written(mark, by)
        days = [day for day in (mark.first_day, first_day) if day]
        done = replace(mark, entries=mark.until, first_day=min(days))
        if not by.marks.replace(mark, done):
            return
        counts["events"] += done.entries - mark.entries
        mark = done


def _written(mark: Mark, by: Compactor) -> str:
    """Write the files of an open range; the first day that one is of."""
    lines = read_entries(by.bucket, mark.log_id, mark.entries, mark.until)
    days = sorted({json.loads(line)["timestamp"][:10] for line in lines})
    tenant_id = tenant_of(mark.log_id)
    names = {
        day: f"{folder_of(tenant_id)}day={day}/{mark.log_id}-{mark.entries:020d}-{mark.until:020d}.parquet" for day in days
    }
    left = set(days)
    while left:
        tags = {day: by.files.tag(names[day]) for day in left}
        rows: dict[str, list[dict[str, Any]]] = {}
        for one in open_entries(tenant_id, lines, by.persons):
            row = row_of(mark.log_id, one.sequence, one.body, one.salted)
            rows.setdefault(row["place"][:10], []).append(row)
        for day, tag in tags.items():
            with tempfile.TemporaryDirectory() as folder:
                if by.files.put(names[day], as_parquet(rows[day], Path(folder), by.columns), instead_of=tag):
                    left.discard(day)
    return str(days[0])


def as_parquet(rows: list[dict[str, Any]], folder: Path, columns: Columns) -> Path:
    """These rows as a file in *folder*."""
    text, parquet = folder / "rows", folder / "parquet"
    with text.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    columns.write(text, parquet)
    return parquet
