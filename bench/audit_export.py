"""
An export of a million events: the memory that its worker needs, and how many events a second of the processor it exports.

The log is real: events recorded and entered by our own code, its bucket a folder, its index a file of SQLite, so that what
the stores hold is not counted as the worker's. Each worker is a process of its own, as a function's instance is. It tells
its peak of resident memory over what it had once its code was loaded; beside it stands the peak at a twentieth of the
events: memory that grows with the log would show. What the network adds is for the deployed stack to show.
"""

import json
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path as File
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.audit import record
from platforma.adapters.columns import DuckDBColumns
from platforma.adapters.memory.audit import MemoryLogStore, MemoryOutbox, MemoryPersonKeys, MemorySigner
from platforma.adapters.memory.exports import MemoryExports
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.audit.attend import Attendant
from platforma.audit.errors import WrittenBefore
from platforma.audit.exports import Exporter, Format, ask_for_export, read_export, run_exports
from platforma.audit.exports.check import verify_export
from platforma.audit.model import Head, Page, Row
from platforma.audit.person_keys import PersonKeys
from platforma.audit.ports import LogStore, Path, Span
from platforma.audit.proof import Published
from platforma.audit.relay import Relay
from platforma.audit.sources import Folder
from platforma.audit.verification import Trusted
from platforma.kernel.clock import rfc3339, system_clock
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope

EVENTS = 1_000_000
FEW = EVENTS // 20
"""Two parts and a half."""
_APART = timedelta(milliseconds=20)
"""Fewer a second than a tenant gets a further log for."""
_PERSONS = 500
_BATCH = 20_000
_SCHEMA = "CREATE TABLE rows (position TEXT PRIMARY KEY, id, received_at, body, sealed, sequence) WITHOUT ROWID"


class FolderBucket:
    """`Bucket` in a folder."""

    def __init__(self, root: File) -> None:
        self._root = root

    def put(self, key: str, body: bytes, *, retain_until: datetime, legal_hold: bool = False) -> None:  # noqa: ARG002  as promised
        """Store it once."""
        file = self._root / key
        if file.exists():
            raise WrittenBefore(key=key)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)

    def get(self, key: str) -> bytes | None:
        """Its bytes."""
        file = self._root / key
        return file.read_bytes() if file.exists() else None

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        """Names of one folder, in order."""
        folder = self._root / prefix
        found = sorted(f"{prefix}{file.name}" for file in folder.iterdir()) if folder.is_dir() else []
        return (name for name in found if name > after)


class SQLiteIndex:
    """The hot index of one log, with every event under its time alone, and the log's state."""

    def __init__(self, file: File, head: Head) -> None:
        self._rows = sqlite3.connect(file)
        self._head = head

    def logs_of(self, tenant_id: str) -> list[str]:
        """One."""
        return [tenant_id]

    def head(self, _log_id: str) -> Head:
        """Its state."""
        return self._head

    def pending(self, _log_id: str, _span: Span | None = None, **_asked: Any) -> Page:
        """Nothing."""
        return Page((), more=False)

    def hot(self, _log_id: str, _path: Path, span: Span, *, ascending: bool, limit: int) -> Page:
        """A page."""
        if not ascending:
            raise NotImplementedError("Exports read in order of time.")
        asked = "SELECT * FROM rows WHERE position BETWEEN ? AND ? ORDER BY position LIMIT ?"
        found = self._rows.execute(asked, (*span, limit + 1)).fetchall()
        rows = [
            Row(event_id, place, received, body, sealed, sequence)
            for place, event_id, received, body, sealed, sequence in found
        ]
        return Page(tuple(rows[:limit]), more=len(rows) > limit)


class FolderFiles:
    """`Files` of exports in a folder."""

    def __init__(self, root: File) -> None:
        self._root = root

    def put(self, name: str, file: File, media_type: str) -> None:  # noqa: ARG002  as promised
        """Copy it."""
        (self._root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, self._root / name)

    def fetch(self, name: str, file: File) -> bool:
        """Copy it back."""
        found = (self._root / name).exists()
        if found:
            shutil.copyfile(self._root / name, file)
        return found

    def remove(self, names: Iterable[str]) -> None:
        """Delete them."""
        for name in names:
            (self._root / name).unlink(missing_ok=True)

    def link(self, name: str, valid: timedelta) -> str:  # noqa: ARG002  as promised
        """Where it is."""
        return str(self._root / name)


def run(events: int = EVENTS, few: int = FEW) -> dict[str, Any]:
    """Build the log, export all of it and a part of it, and verify both, each in a process of its own."""
    figures: dict[str, Any] = {"events": events}
    with tempfile.TemporaryDirectory() as folder:
        _in_a_process("build", folder, str(events))
        for kind, many in (("jsonl", events), ("jsonl", few), ("csv", few), ("parquet", few), ("ocsf", few)):
            name = f"{kind}_{many}"
            made = _in_a_process("export", folder, kind, str(many))
            checked = _in_a_process("verify", made["folder"], made["key"], str(many))
            figures[name] = {
                "exported_per_second": made["per_second"],
                "export_megabytes": made["megabytes"],
                "calls": made["calls"],
                "parts": made["parts"],
                "largest_part_megabytes": made["largest"],
                "verified_per_second": checked["per_second"],
                "verify_megabytes": checked["megabytes"],
            }
            shutil.rmtree(made["folder"])
    return figures


def _in_a_process(*arguments: str) -> dict[str, Any]:
    ran = subprocess.run([sys.executable, "-m", "bench.audit_export", *arguments], stdout=subprocess.PIPE, check=True)
    return dict(json.loads(ran.stdout))


def build(folder: File, events: int) -> dict[str, Any]:
    """A log of *events* events that ended a few minutes ago, in *folder*."""
    tenant, now = new_id("ten"), system_clock() - timedelta(minutes=10) - events * _APART

    def clock() -> datetime:
        return now

    keys, signer = MemoryDataKeys(tenant), MemorySigner()
    envelope = Envelope(keys, clock)
    store, bucket = MemoryLogStore(), FolderBucket(folder / "bucket")
    outbox = MemoryOutbox(store, envelope)
    relay = Relay(
        store,
        cast("Any", bucket),
        envelope,
        PersonKeys(MemoryPersonKeys(), envelope, clock),
        clock,
        budget=timedelta(hours=1),
    )
    attendant = Attendant(relay, signer, outbox, "bench.example")
    persons = [new_id("usr") for _ in range(_PERSONS)]
    rows = sqlite3.connect(folder / "index")
    rows.execute(_SCHEMA)
    for number in range(events):
        now += _APART
        record(outbox, tenant, persons[number % _PERSONS], number, clock)
        if (number + 1) % _BATCH and number + 1 < events:
            continue
        attendant.ring([tenant])
        _spill(store, tenant, rows)
    now += timedelta(minutes=2)
    attendant.sweep()
    head = store.head(tenant)
    if head is None or not head.checkpoint_size == head.size == events:
        raise RuntimeError(f"The log is not whole: {head}")
    versions = {version: (key.hex(), at.isoformat()) for version, (key, at) in keys._keys[tenant].items()}  # noqa: SLF001  carried over to the worker
    state = {"tenant": tenant, "origin": head.origin, "size": head.size, "keys": versions}
    state["signer"] = signer._keys[-1].private_bytes_raw().hex()  # noqa: SLF001  carried over to the worker
    (folder / "state.json").write_text(json.dumps(state))
    return {}


def _spill(store: MemoryLogStore, tenant: str, rows: sqlite3.Connection) -> None:
    """Move what was entered from memory to the file."""
    with rows:
        rows.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)",
            (
                (row.position, row.id, row.received_at, row.body, row.sealed, row.sequence)
                for row in store._hot[tenant, Path()].values()  # noqa: SLF001  carried over to the worker
            ),
        )
    store.forget_index()
    store._claims.clear()  # noqa: SLF001  carried over to the worker


def export(folder: File, kind: Format, events: int) -> dict[str, Any]:
    """Export the log's first *events* events; what that took."""
    state = json.loads((folder / "state.json").read_text())
    tenant, keys, signer = state["tenant"], MemoryDataKeys(), MemorySigner()
    keys._keys[tenant] = {  # noqa: SLF001  carried over to the worker
        int(version): (bytes.fromhex(key), datetime.fromisoformat(at)) for version, (key, at) in state["keys"].items()
    }
    signer._keys = [Ed25519PrivateKey.from_private_bytes(bytes.fromhex(state["signer"]))]  # noqa: SLF001  carried over to the worker
    head = Head(tenant, state["origin"], size=state["size"], checkpoint_size=state["size"])
    store = cast("LogStore", SQLiteIndex(folder / "index", head))  # it has what an export asks for
    exports, out = MemoryExports(), folder / f"{kind}_{events}"
    by = Exporter(
        exports=exports,
        files=FolderFiles(out),
        columns=DuckDBColumns(),
        store=store,
        published=Published(store, cast("Any", FolderBucket(folder / "bucket"))),
        envelope=Envelope(keys),
        signer=signer,
    )
    (until,) = (
        sqlite3.connect(folder / "index")
        .execute("SELECT position FROM rows ORDER BY position LIMIT 1 OFFSET ?", (events - 1,))
        .fetchone()
    )
    asked = ask_for_export(
        tenant,
        format=kind,
        since=rfc3339(datetime(2020, 1, 1, tzinfo=UTC)),
        until=rfc3339(datetime.fromisoformat(until.partition("#")[0]) + _APART / 2),
        filter={},
        exports=exports,
        attempt=Attempt("r", "audit.events.export", system_clock, tenant_id=tenant, principal_type="user"),
    )
    at_rest, started, calls = _peak(), time.process_time(), 0
    while (made := read_export(tenant, asked.id, exports=exports)).status in ("queued", "running"):
        run_exports(by)
        calls += 1
    if made.status != "done" or made.events != events:
        raise RuntimeError(f"The export is not whole: {made.status}, {made.events} events")
    files = list((out / made.folder).iterdir())
    return {
        "folder": str(out / made.folder),
        "key": signer.public_keys()[1].hex(),
        "per_second": round(events / (time.process_time() - started)),
        "megabytes": round(_peak() - at_rest, 1),
        "calls": calls,
        "parts": made.parts,
        "largest": round(max(file.stat().st_size for file in files) / 2**20, 1),
    }


def verify(folder: File, key: str, events: int) -> dict[str, Any]:
    """Verify the export in *folder*; what that took."""
    at_rest, started = _peak(), time.process_time()
    report = verify_export(Folder(folder), Trusted(raw=(bytes.fromhex(key),)))
    seconds = time.process_time() - started
    if not report.whole or report.logs[0].entries != events:
        raise RuntimeError(f"The export is not whole: {report.faults}")
    return {"per_second": round(events / seconds), "megabytes": round(_peak() - at_rest, 1)}


def _peak() -> float:
    """The most resident memory that this process had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(arguments: list[str]) -> None:
    """Do one step, and say what it took; without arguments, all of it."""
    if not arguments:
        done = run()
    elif arguments[0] == "build":
        done = build(File(arguments[1]), int(arguments[2]))
    elif arguments[0] == "export":
        done = export(File(arguments[1]), cast("Format", arguments[2]), int(arguments[3]))
    else:
        done = verify(File(arguments[1]), arguments[2], int(arguments[3]))
    print(json.dumps(done, indent=None if arguments else 1))


if __name__ == "__main__":
    main(sys.argv[1:])
