"""
Taking a person out of the Parquet, and a tenant's Parquet away.

A person goes after the person's key is destroyed and while no compaction of the tenant's logs is open: one that read the key
before has then written its files, and one that begins later finds no key. Files that hold the person's values are written
anew without them; what else they say stays.
"""

import json
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from platforma.audit.cold.compact import as_parquet, folder_of
from platforma.audit.cold.ports import Columns, Files, Mark, Marks
from platforma.audit.cold.statement import row_of
from platforma.audit.erasure import Erasure, Erasures
from platforma.kernel.clock import Clock
from platforma.kernel.errors import Unavailable

_BUDGET = timedelta(seconds=40)


def forget_persons(*, erasures: Erasures, marks: Marks, files: Files, columns: Columns, clock: Clock) -> dict[str, int]:
    """
    Take those out of the Parquet whose keys are destroyed, as far as time allows; how many are out (*done*) or *open*.

    One that meets an open compaction or a failing dependency holds up no other, and is gone on with by the next call.
    """
    until, counts = clock() + _BUDGET, {"done": 0, "open": 0}
    for erasure in erasures.open():
        if erasure.status != "erased" or erasure.cold_place is None:
            continue
        counts["open"] += 1
        try:
            onward = _forgotten(erasure, marks, files, columns, clock, until)
        except Unavailable:
            continue
        if onward is not None and erasures.replace(erasure, onward) and onward.cold_place is None:
            counts["done"] += 1
            counts["open"] -= 1
    return counts


def forget_ended(tenants: Iterable[str], *, marks: Marks, files: Files) -> int:
    """
    Delete the Parquet of tenants whose keys are destroyed, if they have any; how many files.

    Raises:
        Unavailable: a dependency failed; the next call goes on.
    """
    count = 0
    for tenant_id in tenants:
        if written := [mark for mark in marks.of(tenant_id).values() if mark != Mark(mark.log_id)]:
            count += files.remove(folder_of(tenant_id))
            for mark in written:
                marks.replace(mark, Mark(mark.log_id))
    return count


def _forgotten(
    erasure: Erasure, marks: Marks, files: Files, columns: Columns, clock: Clock, until: datetime
) -> Erasure | None:
    """The erasure as it stands then; None if it cannot be gone on with now."""
    place = erasure.cold_place or ""
    if not place and any(mark.is_open for mark in marks.of(erasure.tenant_id).values()):
        return None
    rewritten = erasure.cold_rewritten
    for name in files.names(folder_of(erasure.tenant_id), after=place):
        if clock() >= until:
            return replace(erasure, cold_place=place, cold_rewritten=rewritten)
        rewritten += _rewritten(name, erasure.user_id, files, columns)
        place = name
    return replace(erasure, cold_place=None, cold_rewritten=rewritten)


def _rewritten(name: str, person: str, files: Files, columns: Columns) -> bool:
    """Whether the file told of the person; it does no more."""
    with tempfile.TemporaryDirectory() as folder:
        while True:
            file = Path(folder) / "found"
            tag = files.fetch(name, file)
            if tag is None or not columns.mentions(file, person):
                return False
            rows = [_without(row, person) for row in columns.rows(file)]
            if files.put(name, as_parquet(rows, Path(folder), columns), instead_of=tag):
                return True


def _without(row: dict[str, Any], person: str) -> dict[str, Any]:
    salted = json.loads(row["personal"])
    salted.pop(person, None)
    return row_of(row["log_id"], row["sequence"], json.loads(row["body"]), salted)
