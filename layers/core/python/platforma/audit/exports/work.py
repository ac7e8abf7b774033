"""
Making an export: part by part, so that memory is bounded and whoever is stopped is followed by one who goes on.

    1  take the export, for as long as a worker may run; wait until nothing asked for waits to enter the log any more and
       checkpoints cover it, and note these
    2  write a part and the proofs of its events, note how far it is; again until there is no more
    3  write the signed manifest; the export is done

A part has so many events, or so many bytes, or what a call had time to look through, however little of that was asked for.
One that is written twice is the same twice, byte by byte: what came later than the noted checkpoints is left out. Only where
a call's time ran out in one of the two does it end elsewhere; nobody else writes it then, since a lease outlives its call.
"""

import gzip
import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from platforma.audit.cold.read import Cold
from platforma.audit.exports.found import looked_through
from platforma.audit.exports.manifest import signed_manifest
from platforma.audit.exports.model import MANIFEST, Export, File, part_names
from platforma.audit.exports.ports import Columns, Exports, Files
from platforma.audit.exports.proving import Proving
from platforma.audit.exports.rows import csv_header, csv_row, json_row, ocsf_row
from platforma.audit.ports import CheckpointSigner, LogStore, Span
from platforma.audit.proof import Published
from platforma.kernel.clock import Clock, system_clock
from platforma.kernel.errors import Broken, Conflict, Unavailable
from platforma.keys.envelope import Envelope
from platforma.keys.errors import NoSuchKey

PART, PART_BYTES = 20_000, 128 * 2**20
"""Events of one part at most; bytes, its proofs included, from which on it takes no more."""
_COMPRESSION = 1
"""Most of a proof is hashes, which no level makes smaller."""
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
    """What exporting needs. *budget* is how long one call goes on, *lease* longer than it can take in all."""

    exports: Exports
    files: Files
    columns: Columns
    store: LogStore
    published: Published
    envelope: Envelope
    signer: CheckpointSigner
    clock: Clock = system_clock
    part: int = PART
    part_bytes: int = PART_BYTES
    budget: timedelta = timedelta(seconds=150)
    lease: timedelta = timedelta(seconds=330)
    cold: Cold | None = None


def run_exports(by: Exporter) -> dict[str, int]:
    """
    Work on every open export, as far as time allows; how many are *done* and how many *failed*. One that meets a failing
    dependency holds up no other.

    Raises:
        Unavailable: a dependency failed; what was begun is gone on with.
    """
    started, done = by.clock(), {"done": 0, "failed": 0}
    unavailable: Unavailable | None = None
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
        except Unavailable as error:
            unavailable = unavailable or error
        except Broken as error:
            # What is broken stays so; whoever waits for the export is told.
            current = by.exports.get(export.tenant_id, export.id) or taken
            by.exports.replace(replace(current, status="failed", reason=error.code, leased_until=0))
            done["failed"] += not isinstance(error, NoSuchKey)  # its tenant was deleted, which is nobody's failure
        else:
            done["done"] += ended
    if unavailable is not None:
        raise unavailable
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
            found, files, ended = _part(export, by, Path(folder), until)
        export = _kept(found, by, files) if found is not export else export
    _finish(export, by)
    return True


def _kept(export: Export, by: Exporter, files: Sequence[File] = ()) -> Export:
    kept = by.exports.replace(export, files)
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


def _part(export: Export, by: Exporter, folder: Path, until: datetime) -> tuple[Export, Sequence[File], bool]:
    """The export with one more part, if there is anything to write, that part's files, and whether it was the last."""
    number = export.parts + 1
    lines, proofs = folder / "events", folder / "proofs"
    count, size, after, ended = 0, 0, export.after, True
    row_of, proving = _ROWS[export.format], Proving(export.sizes, by.published)
    with lines.open("wb") as out, proofs.open("wb") as kept, _zipped(kept) as proved:
        if export.format == "csv":
            out.write(csv_header().encode())
        for place, found in looked_through(export, by.store, by.envelope, by.cold):
            taken = found[: by.part - count]
            for (_, one, document), proof in zip(taken, proving.of(taken), strict=True):
                line, proof_line = row_of(document).encode(), json_row(proof).encode()
                size += out.write(line) + proved.write(proof_line)
                count, after = count + 1, one.row.position
                if size >= by.part_bytes:
                    break
            if count == by.part or size >= by.part_bytes:
                ended = False
                break
            after = place
            if by.clock() >= until:
                ended = False
                break
    if count == 0 and (number > 1 or not ended):
        return export if ended else replace(export, after=after), (), ended
    if export.format == "parquet":
        lines, text = folder / "parquet", lines
        by.columns.write(text, lines)
    names = part_names(export, number)
    files = (_stored(export, names[0], lines, count, by), _stored(export, names[1], proofs, 0, by))
    return replace(export, after=after, events=export.events + count, parts=number), files, ended


def _zipped(out: IO[bytes]) -> gzip.GzipFile:
    """What compresses into *out*; neither time nor name is in it."""
    return gzip.GzipFile("", "wb", _COMPRESSION, out, mtime=0)


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
        files = by.exports.files(export)
        file.write_bytes(signed_manifest(export, files, logs, origin, by.signer, by.clock))
        by.files.put(export.folder + MANIFEST, file, "application/json")
    _kept(replace(export, status="done", leased_until=0), by)
