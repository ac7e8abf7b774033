"""
Making an export: part by part, so that memory is bounded and whoever is stopped is followed by one who goes on.

    1  take the export, for as long as a worker may run; wait until nothing asked for waits to enter the log any more and
       checkpoints cover it, and note these
    2  write a part and the proofs of its events, note how far it is; again until there is no more
    3  write the signed manifest; the export is done

A part that is written twice says the same twice: what came later than the noted checkpoints is left out.
"""

import base64
import gzip
import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from platforma.audit import tree
from platforma.audit.cold.read import Cold, open_found
from platforma.audit.entry import salts_of
from platforma.audit.exports.entries import Entries
from platforma.audit.exports.manifest import signed_manifest
from platforma.audit.exports.model import MANIFEST, Export, File
from platforma.audit.exports.ports import Columns, Exports, Files
from platforma.audit.exports.rows import csv_header, csv_row, json_row, ocsf_row
from platforma.audit.ports import CheckpointSigner, LogStore, Span
from platforma.audit.proof import Published
from platforma.audit.query import Query, parse_query
from platforma.audit.sealing import Opened
from platforma.audit.search import merged
from platforma.kernel.clock import Clock, parse_rfc3339, system_clock
from platforma.kernel.errors import Broken, Conflict
from platforma.keys.envelope import Envelope

PART = 20_000
"""Events of one part."""
_CHUNK = 200
_AT_ONCE = 5_000
"""Old events that are asked for at once."""
_ENDINGS = {"jsonl": "jsonl", "csv": "csv", "ocsf": "jsonl", "parquet": "parquet"}
_ROWS = {"jsonl": json_row, "csv": csv_row, "ocsf": ocsf_row, "parquet": json_row}
_TYPES = {
    "jsonl": "application/jsonl",
    "csv": "text/csv; charset=utf-8",
    "gz": "application/gzip",
    "parquet": "application/vnd.apache.parquet",
}


class _Overtaken(Conflict):
    """Another worker has the export."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """What exporting needs. *budget* is how long one call goes on beginning parts, *lease* how long it may take in all."""

    exports: Exports
    files: Files
    columns: Columns
    store: LogStore
    published: Published
    envelope: Envelope
    signer: CheckpointSigner
    clock: Clock = system_clock
    part: int = PART
    budget: timedelta = timedelta(seconds=150)
    lease: timedelta = timedelta(seconds=300)
    cold: Cold | None = None


def run_exports(by: Exporter) -> dict[str, int]:
    """
    Work on every open export, as far as time allows; how many are *done* and how many *failed*.

    Raises:
        Unavailable: a dependency failed; what was begun is gone on with.
    """
    started, done = by.clock(), {"done": 0, "failed": 0}
    for export in by.exports.open():
        now = by.clock()
        if now - started > by.budget:
            break
        if export.leased_until > now.timestamp():
            continue
        taken = by.exports.replace(replace(export, leased_until=int((now + by.lease).timestamp())))
        if taken is None:
            continue
        try:
            ended = _worked_on(taken, by, started + by.budget)
        except _Overtaken:
            continue
        except Broken as error:
            # What is broken stays so; whoever waits for the export is told.
            current = by.exports.get(export.tenant_id, export.id) or taken
            by.exports.replace(replace(current, status="failed", reason=error.code, leased_until=0))
            done["failed"] += 1
        else:
            done["done"] += ended
    return done


def _worked_on(export: Export, by: Exporter, until: datetime) -> bool:
    """Whether it is done now; else it goes on later."""
    if not export.sizes:
        export = replace(export, wanted=export.wanted or _entered(export, by))
        if not (sizes := _covered(export, by)):
            _kept(replace(export, leased_until=0), by)
            return False
        export = _kept(replace(export, status="running", sizes=sizes), by)
    ended = False
    while not ended:
        if by.clock() >= until:
            _kept(replace(export, leased_until=0), by)
            return False
        with tempfile.TemporaryDirectory() as folder:
            found, ended = _part(export, by, Path(folder))
        export = _kept(found, by) if found is not export else export
    _finish(export, by)
    return True


def _kept(export: Export, by: Exporter) -> Export:
    kept = by.exports.replace(export)
    if kept is None:
        raise _Overtaken
    return kept


def _entered(export: Export, by: Exporter) -> dict[str, int]:
    """The logs' sizes with all in them that was asked for; empty as long as some of it waits."""
    sizes = {}
    for log_id in by.store.logs_of(export.tenant_id):
        if by.store.pending(log_id, Span(export.since, export.until), limit=1).rows:
            return {}
        head = by.store.head(log_id)  # after what waits: an event stands there until an intent has it
        sizes[log_id] = 0 if head is None else head.intent.size if head.intent is not None else head.size
    return sizes if any(sizes.values()) else {}


def _covered(export: Export, by: Exporter) -> dict[str, int]:
    """The sizes of the logs' checkpoints once they cover what was *wanted*, and empty until then; news makes them larger."""
    heads = {log_id: by.store.head(log_id) for log_id in export.wanted}
    sizes = {log_id: head.checkpoint_size if head is not None else 0 for log_id, head in heads.items()}
    return sizes if all(sizes[log_id] >= size for log_id, size in export.wanted.items()) else {}


def _part(export: Export, by: Exporter, folder: Path) -> tuple[Export, bool]:
    """The export with one more part, if there is anything left to write, and whether that was the last."""
    number = export.parts + 1
    lines, proofs = folder / "events", folder / "proofs"
    count, last, row_of = 0, export.after, _ROWS[export.format]
    events, proving = _events(export, by), _Proving(export, by)
    with lines.open("w", encoding="utf-8", newline="") as out, gzip.open(proofs, "wt", encoding="utf-8") as proved:
        if export.format == "csv":
            out.write(csv_header())
        for log_id, one in islice(events, by.part):
            out.write(row_of(one.document()))
            proved.write(json_row(proving.of(log_id, one)))
            count, last = count + 1, one.row.position
    ended = count < by.part
    if count == 0 and number > 1:
        return export, True
    if export.format == "parquet":
        lines, text = folder / "parquet", lines
        by.columns.write(text, lines)
    files = (
        _stored(export, f"events-{number:05d}.{_ENDINGS[export.format]}", lines, count, by),
        _stored(export, f"proofs-{number:05d}.jsonl.gz", proofs, 0, by),
    )
    return replace(export, after=last, events=export.events + count, files=(*export.files, *files)), ended


def _query(export: Export) -> Query:
    query = parse_query(export.tenant_id, dict(export.filter))
    since, until = parse_rfc3339(export.since), parse_rfc3339(export.until)
    return replace(query, since=since, until=until, ascending=True, limit=_AT_ONCE, after=export.after)


def _events(export: Export, by: Exporter) -> Iterator[tuple[str, Opened]]:
    query = _query(export)
    rows = merged(query, by.store, by.cold)
    while chunk := list(islice(rows, _CHUNK)):
        known = [
            (log_id, row)
            for log_id, row in chunk
            if row.id and row.sequence is not None and row.sequence < export.sizes.get(log_id, 0)
            if query.admits_clear(json.loads(row.body))
        ]
        opened = open_found(export.tenant_id, [row for _, row in known], by.envelope)
        for (log_id, _), one in zip(known, opened, strict=True):
            if query.admits(one.document()):
                yield log_id, one


class _Proving:
    """Proofs of one part's events; what it read of the logs is kept until the part is written, and no longer."""

    def __init__(self, export: Export, by: Exporter) -> None:
        self._sizes, self._published = export.sizes, by.published
        self._logs: dict[str, tuple[Entries, tree.Node]] = {}

    def of(self, log_id: str, one: Opened) -> dict[str, Any]:
        """The entry as it lies in the log, its audit path to the checkpoint's root, and what opens its commitments."""
        index, size = one.row.sequence, self._sizes[log_id]
        assert index is not None
        if log_id not in self._logs:
            self._logs[log_id] = (Entries(self._published.bucket, log_id), self._published.tree(log_id, size).node)
        entries, node = self._logs[log_id]
        return {
            "id": one.row.id,
            "log_id": log_id,
            "index": index,
            "entry": entries.at(index).decode(),
            "hashes": [base64.b64encode(hash_).decode() for hash_ in tree.inclusion(index, size, node)],
            "salts": salts_of(one.values, one.seed) if one.salts is None else one.salts,
        }


def _stored(export: Export, name: str, file: Path, events: int, by: Exporter) -> File:
    with file.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    by.files.put(export.folder + name, file, _TYPES[name.rpartition(".")[2]])
    return File(name, digest, file.stat().st_size, events)


def _finish(export: Export, by: Exporter) -> None:
    logs = {
        log_id: {"size": size, "checkpoint": by.published.signed(log_id, size).decode()}
        for log_id, size in export.sizes.items()
        if size
    }
    origin = by.published.head(next(iter(logs))).origin
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / MANIFEST
        file.write_bytes(signed_manifest(export, logs, origin, by.signer, by.clock))
        by.files.put(export.folder + MANIFEST, file, "application/json")
    _kept(replace(export, status="done", leased_until=0), by)
