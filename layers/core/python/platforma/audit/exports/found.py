"""The events that belong into an export, in order, as far as they are covered by the checkpoints that it is held to."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from platforma.audit.cold.read import Cold, open_found
from platforma.audit.exports.model import Export
from platforma.audit.model import Row
from platforma.audit.ports import LogStore
from platforma.audit.query import Query, parse_query
from platforma.audit.sealing import Opened
from platforma.audit.search import merged
from platforma.kernel.clock import parse_rfc3339
from platforma.keys.envelope import Envelope

_CHUNK = 200
_AT_ONCE = 5_000
"""Old events that are asked for at once."""


class Found(NamedTuple):
    """An event that belongs into the export."""

    log_id: str
    one: Opened
    document: dict[str, Any]


def _query(export: Export) -> Query:
    query = parse_query(export.tenant_id, dict(export.filter))
    since, until = parse_rfc3339(export.since), parse_rfc3339(export.until)
    return replace(query, since=since, until=until, ascending=True, limit=_AT_ONCE, after=export.after)


def looked_through(
    export: Export, store: LogStore, envelope: Envelope, cold: Cold | None
) -> Iterator[tuple[str, list[Found]]]:
    """
    What comes behind the parts that are written, some rows at a time: how far that is, and what of it is asked for.

    Raises:
        DoesNotOpen, LogBroken: a stored event was changed.
        Unavailable: a dependency failed.
    """
    query = _query(export)
    rows = merged(query, store, cold)
    while chunk := _chunk(rows):
        known = [
            (log_id, row)
            for log_id, row in chunk
            if row.id and row.sequence is not None and row.sequence < export.sizes.get(log_id, 0)
            if query.admits_clear(json.loads(row.body))
        ]
        opened = open_found(export.tenant_id, [row for _, row in known], envelope)
        found = [Found(log_id, one, one.document()) for (log_id, _), one in zip(known, opened, strict=True)]
        yield chunk[-1][1].position, [one for one in found if query.admits(one.document)]


def _chunk(rows: Iterator[tuple[str, Row]]) -> list[tuple[str, Row]]:
    """The next rows, up to a pause: time may be up before old events are asked for once more."""
    taken = []
    for found in rows:
        taken.append(found)
        if len(taken) == _CHUNK or not found[1].id:
            break
    return taken
