"""Exports: made in parts, gone on with by whoever comes next, signed, and verified offline; nothing in them is computed."""

import csv
import gzip
import io
import json
import tempfile
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from platforma.adapters.columns import DuckDBColumns
from platforma.adapters.memory.audit import MemoryBucket
from platforma.adapters.memory.exports import MemoryExports, MemoryFiles
from platforma.audit.__main__ import main
from platforma.audit.errors import LogBroken
from platforma.audit.exports import Exporter, ask_for_export, list_exports, read_export, run_exports, work
from platforma.audit.exports.check import verify_export
from platforma.audit.exports.entries import Entries
from platforma.audit.exports.model import MANIFEST, Export
from platforma.audit.exports.rows import COLUMNS, csv_row
from platforma.audit.note import parse_key
from platforma.audit.proof import Published
from platforma.audit.relay import BATCH
from platforma.audit.segment import SegmentName, pack, parse_name
from platforma.audit.sources import Folder
from platforma.audit.verification import Report, Trusted
from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import NotFound, Unprocessable
from platforma.kernel.events import Attempt
from tests.unit.audit.world import OTHER, TENANT, Killed, World, user_id

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =cmd|' /C calc'!A0", "\uff1d1+1"]


def test_what_does_not_fit_into_memory_goes_where_a_function_may_write(tmp_path, monkeypatch):
    """DuckDB by itself spills beside the process; in a function all but /tmp is read-only."""
    settings, connect = [], duckdb.connect
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(duckdb, "connect", lambda *place, config: settings.append(config) or connect(*place, config=config))
    (tmp_path / "none.jsonl").touch()

    DuckDBColumns().write(tmp_path / "none.jsonl", tmp_path / "none.parquet")

    assert [one["temp_directory"] for one in settings] == [f"{tmp_path}/duckdb"]


class Exporting(World):
    def __init__(self) -> None:
        super().__init__(batch=4)
        self.exports = MemoryExports(self._written)
        self.files = MemoryFiles(self._written)

    def by(self, part: int = 5, **more) -> Exporter:
        usual = Exporter(
            exports=self.exports,
            files=self.files,
            columns=DuckDBColumns(),
            store=self.store,
            published=Published(self.store, self.bucket),
            envelope=self.envelope,
            signer=self.signer,
            clock=self.clock,
            part=part,
        )
        return replace(usual, **more)

    def ticking(self) -> datetime:
        """A clock that is a second further whenever somebody looks."""
        self.later(seconds=1)
        return self.now

    def with_events(self, count: int = 12, **said: str) -> "Exporting":
        for number in range(count):
            self.record(number, resource=f"cls_{number}", **said)
            self.later(seconds=1)
        return self.published()

    def published(self) -> "Exporting":
        self.later(minutes=2)
        self.attendant().ring([TENANT])
        self.later(minutes=2)
        self.attendant().sweep()
        return self

    def ask(self, kind: str = "jsonl", **wanted: str) -> Export:
        attempt = Attempt("r", "audit.events.export", self.clock, tenant_id=TENANT, principal_type="user")
        since, until = rfc3339(self.now - timedelta(days=1)), rfc3339(self.now + timedelta(days=1))
        return ask_for_export(
            TENANT, format=kind, since=since, until=until, filter=wanted, exports=self.exports, attempt=attempt
        )

    def made(self, kind: str = "jsonl", **wanted: str) -> Export:
        asked = self.ask(kind, **wanted)
        self.later(seconds=1)
        run_exports(self.by())
        made = read_export(TENANT, asked.id, exports=self.exports)
        assert made.status == "done"
        return made

    def bodies(self, export: Export) -> list[bytes]:
        files = self.exports.files(export)
        return [self.files.bodies[export.folder + file.name] for file in files if file.name.startswith("events-")]

    def folder(self, export: Export, path: Path) -> Path:
        for name, body in self.files.bodies.items():
            if name.startswith(export.folder):
                file = path / name.removeprefix(export.folder)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(body)
        return path

    def verified(self, folder: Path) -> Report:
        return verify_export(Folder(folder), Trusted(named=(parse_key(self.key()),)))


@pytest.fixture(scope="module")
def exported() -> tuple[Exporting, Export]:
    world = Exporting().with_events(12)
    return world, world.made()


@pytest.fixture
def folder(exported: tuple[Exporting, Export], tmp_path: Path) -> Path:
    world, export = exported
    return world.folder(export, tmp_path)


def test_an_export_has_each_event_once_in_order_in_parts(exported: tuple[Exporting, Export]):
    world, export = exported

    events = [json.loads(line) for body in world.bodies(export) for line in body.splitlines()]

    recorded = sorted(world.recorded, key=lambda name: (world.recorded[name].timestamp, name))
    assert [event["id"] for event in events if event["action"] != "audit.heartbeat"] == recorded
    assert (len(world.bodies(export)), export.events) == (3, len(events))
    assert events[0]["ip_address"] == "192.0.2.0"


def test_it_is_verified_offline_from_the_command_line(exported: tuple[Exporting, Export], folder: Path, capsys):
    world, export = exported

    assert main(["verify", str(folder), "--key", world.key()]) == 0
    assert f"{export.events} entries" in capsys.readouterr().out


def test_without_a_key_it_is_said_that_the_manifests_own_was_believed(
    exported: tuple[Exporting, Export], folder: Path, capsys
):
    world, _ = exported

    assert main(["verify", str(folder)]) == 0
    assert f"Believed on the file's own word: {world.key()}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "manifest", [b"[]", b"{}", b'{"signature": {"key": "a+b+c"}}', b'{"signature": {"key": 1}}', b"\xff"]
)
def test_a_manifest_that_names_no_key_is_believed_nothing(tmp_path: Path, manifest: bytes, capsys):
    (tmp_path / "manifest.json").write_bytes(manifest)

    assert main(["verify", str(tmp_path)]) == 2
    assert "Say whom to believe" in capsys.readouterr().err


def test_another_key_verifies_nothing(folder: Path):
    assert main(["verify", str(folder), "--key", World().key()]) == 1


@pytest.mark.parametrize("name", ["events-00001.jsonl", "proofs-00002.jsonl.gz", MANIFEST])
def test_a_byte_that_was_changed_is_found(exported: tuple[Exporting, Export], folder: Path, name: str):
    body = bytearray((folder / name).read_bytes())
    body[len(body) // 2] ^= 1
    (folder / name).write_bytes(bytes(body))

    report = exported[0].verified(folder)

    assert [fault.where for fault in report.faults] == [name]


def test_a_file_that_is_missing_or_not_named_is_found(exported: tuple[Exporting, Export], folder: Path):
    (folder / "events-00001.jsonl").rename(folder / "events-00009.jsonl")

    report = exported[0].verified(folder)

    assert {fault.where for fault in report.faults} >= {"events-00001.jsonl", "events-00009.jsonl"}


class Signing(Exporting):
    """One who holds the key and would still tell what the log does not: the proofs say no."""

    def forged(self, change) -> Export:
        real = work._stored

        def first_changed(export, name, file, events, by):
            change(name, file)
            return real(export, name, file, events, by)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(work, "_stored", first_changed)
            return self.made()


@pytest.mark.parametrize(
    ("before", "after"), [(b'"denied"', b'"success"'), (b"192.0.2.1", b"192.0.2.9"), (b'"cls_1"', b'"cls_7"')]
)
def test_an_event_that_says_other_than_its_entry_is_found_though_it_is_signed(tmp_path: Path, before: bytes, after: bytes):
    world = Signing()
    world.with_events(3, result="denied")

    def change(name: str, file: Path) -> None:
        if name.endswith(".jsonl"):
            file.write_bytes(file.read_bytes().replace(before, after, 1))

    report = world.verified(world.folder(world.forged(change), tmp_path))

    (fault,) = report.faults
    assert fault.where.startswith("proofs-00001.jsonl.gz line")


def test_an_event_that_is_in_no_log_is_found_though_it_is_signed(tmp_path: Path):
    world = Signing()
    world.with_events(3)

    def change(name: str, file: Path) -> None:
        if name.startswith("proofs-"):
            file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()).replace(b"cls_1", b"cls_7")))

    assert not world.verified(world.folder(world.forged(change), tmp_path)).whole


def test_what_waits_is_waited_for():
    world = Exporting().with_events(3)
    world.record(50)
    world.later(seconds=1)
    asked = world.ask()

    run_exports(world.by())
    assert read_export(TENANT, asked.id, exports=world.exports).status == "queued"
    world.published()
    run_exports(world.by())

    made = read_export(TENANT, asked.id, exports=world.exports)
    events = [json.loads(line)["id"] for body in world.bodies(made) for line in body.splitlines()]
    assert (made.status, len(set(events) & set(world.recorded))) == ("done", 4)


@pytest.mark.parametrize(
    ("kind", "dies_after"), [*(("jsonl", after) for after in range(12)), ("parquet", 5), ("parquet", 6)]
)
def test_killed_after_any_write_the_next_worker_ends_with_the_same_bytes(kind: str, dies_after: int, tmp_path: Path):
    """After taking the export, after noting what covers it, after each file, and before and after noting each part."""
    world = Exporting().with_events(12)
    asked = world.ask(kind)
    run_exports(world.by())
    undisturbed = dict(world.files.bodies)
    world.exports, world.files = MemoryExports(world._written), MemoryFiles(world._written)
    world.exports.add(asked, world.event(99))
    world.dies_after = dies_after
    with pytest.raises(Killed):
        run_exports(world.by())
    world.dies_after = None

    world.later(minutes=10)
    run_exports(world.by())

    made = read_export(TENANT, asked.id, exports=world.exports)
    manifest = made.folder + MANIFEST  # says when it was finished
    assert (made.status, made.parts) == ("done", 3)
    assert {**world.files.bodies, manifest: b""} == {**undisturbed, manifest: b""}
    assert world.verified(world.folder(made, tmp_path)).whole


def test_a_worker_whose_lease_another_took_writes_no_more_than_the_part_that_it_is_at(tmp_path: Path):
    world = Exporting().with_events(12)
    asked = world.ask()

    def taken(what: str) -> None:
        current = world.exports.get(TENANT, asked.id)
        if what == "file" and current is not None and current.parts == 1:
            assert world.exports.replace(replace(current, leased_until=int(world.now.timestamp()) + 60))

    world.files.after_write = taken
    assert run_exports(world.by()) == {"done": 0, "failed": 0}
    late = read_export(TENANT, asked.id, exports=world.exports)
    world.files.after_write = world._written
    world.later(minutes=2)
    run_exports(world.by())

    made = read_export(TENANT, asked.id, exports=world.exports)
    assert (late.status, late.parts) == ("running", 1)
    assert (made.status, made.parts) == ("done", 3)
    assert world.verified(world.folder(made, tmp_path)).whole


def test_memory_does_not_grow_with_the_number_of_parts():
    def peak(parts: int) -> int:
        world = Exporting()
        world.batch = 100
        world.with_events(200 * parts).ask()
        files = Thrown()
        tracemalloc.start()
        run_exports(world.by(200, files=files))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert files.count == 2 * parts + 1
        return most

    peak(1)

    assert peak(10) < 1.2 * peak(2)


class Thrown:
    """`Files` of which nobody has to hold the bytes."""

    def __init__(self) -> None:
        self.count = 0

    def put(self, name: str, file: Path, media_type: str) -> None:
        self.count += 1

    def link(self, name: str, valid: timedelta) -> str:
        raise NotImplementedError


def test_what_takes_longer_than_a_call_is_gone_on_with_by_the_next(tmp_path: Path):
    world = Exporting().with_events(30)
    asked, calls = world.ask(), 0

    while read_export(TENANT, asked.id, exports=world.exports).status != "done":
        run_exports(world.by(clock=world.ticking, budget=timedelta(seconds=5)))
        calls += 1

    made = read_export(TENANT, asked.id, exports=world.exports)
    events = [json.loads(line)["id"] for body in world.bodies(made) for line in body.splitlines()]
    assert calls > 2
    assert set(world.recorded) <= set(events)
    assert len(set(events)) == len(events) == made.events
    assert world.verified(world.folder(made, tmp_path)).whole


def test_a_filter_that_admits_next_to_nothing_does_not_begin_again_at_each_call():
    world = Exporting()
    world.batch = 100
    asked, calls = world.with_events(900).ask(resource="cls_899", q="no such word"), 0

    while (now := read_export(TENANT, asked.id, exports=world.exports)).status != "done":
        run_exports(world.by(clock=world.ticking, budget=timedelta(seconds=3)))
        calls += 1
        assert calls < 20, now

    assert (now.events, now.parts) == (0, 1)


def test_a_part_takes_no_more_bytes_than_a_disk_has(tmp_path: Path):
    world = Exporting()
    for number in range(9):
        world.record(number, resource=f"cls_{number}", changes={"after": {"text": "x" * 20_000}})
        world.later(seconds=1)
    asked = world.published().ask()

    run_exports(world.by(100, part_bytes=100_000))

    made = read_export(TENANT, asked.id, exports=world.exports)
    assert made.status == "done"
    assert [len(body.splitlines()) for body in world.bodies(made)][:3] == [3, 3, 3]
    assert world.verified(world.folder(made, tmp_path)).whole


def test_of_millions_of_segments_few_are_listed_and_only_those_read_that_are_needed():
    bucket = Quiet(3_000_000)

    found = Entries(bucket, TENANT).at([1_500_000, 1_500_001, 2_999_999])

    assert found == {index: b"%d" % index for index in (1_500_000, 1_500_001, 2_999_999)}
    assert bucket.listed < 2 * (BATCH + 1_001)
    assert bucket.read == 3


def test_an_entry_that_no_segment_holds_breaks_the_log():
    with pytest.raises(LogBroken):
        Entries(Quiet(10), TENANT).at([10])


class Quiet(MemoryBucket):
    """A log of which each segment holds one entry, its own index."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size, self.listed, self.read = size, 0, 0

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        for first in range(int(after.removeprefix(prefix) or 0), self.size):
            self.listed += 1
            yield str(SegmentName(TENANT, first, 1))

    def get(self, key: str) -> bytes | None:
        self.read += 1
        name = parse_name(key)
        return pack([b"%d" % name.first]) if name else None


def test_one_worker_has_an_export_at_a_time():
    world = Exporting().with_events(3)
    export = world.ask()
    taken = world.exports.replace(export)
    assert taken is not None

    assert world.exports.replace(export) is None


def test_a_log_that_is_broken_fails_the_export_and_no_other():
    world = Exporting().with_events(3)
    world.ask()
    for key in list(world.bucket.objects):
        if "/segments/" in key:
            world.bucket.objects[key].body = b"junk"

    assert run_exports(world.by()) == {"done": 0, "failed": 1}
    assert world.exports.listed(TENANT, after=None, limit=1)[0].status == "failed"


def test_news_without_end_holds_no_export_up():
    world = Exporting().with_events(4)
    asked, made = world.ask(), 0
    for number in range(100, 106):  # at no time does a checkpoint cover the newest entry
        world.later(seconds=1)
        world.record(number)
        world.attendant().ring([TENANT])
        world.later(seconds=60)
        world.attendant().sweep()
        world.record(number + 100)
        world.relay()
        head = world.store.head(TENANT)
        assert head is not None
        assert head.checkpoint_size < head.size
        made += run_exports(world.by())["done"]

    assert made == 1
    assert read_export(TENANT, asked.id, exports=world.exports).events == 4


def test_a_filter_holds():
    world = Exporting().with_events(12)

    made = world.made(user_id=user_id(1))

    events = [json.loads(line) for body in world.bodies(made) for line in body.splitlines()]
    assert {event["user_id"] for event in events} == {user_id(1)}


def test_what_was_erased_is_not_in_an_export_and_it_verifies(tmp_path: Path):
    world = Exporting().with_events(6)
    world.erase(user_id(1))

    made = world.made()

    events = [json.loads(line) for body in world.bodies(made) for line in body.splitlines()]
    assert all(event["ip_address"] is None or event["user_id"] != user_id(1) for event in events)
    assert world.verified(world.folder(made, tmp_path)).whole


def test_nothing_in_a_csv_is_computed():
    world = Exporting()
    for number, formula in enumerate(FORMULAS):
        world.record(number, user_agent=formula, resource=formula)
        world.later(seconds=1)

    made = world.published().made("csv")

    rows = [row for body in world.bodies(made) for row in csv.reader(io.StringIO(body.decode(), newline=""))]
    heads = [row for row in rows if row[0] == "timestamp"]
    cells = [cell for row in rows for cell in row]
    assert heads[0] == list(COLUMNS)
    assert not [cell for cell in cells if cell.strip().startswith(("=", "+", "-", "@", "\uff1d"))]
    assert any(cell == "'=1+1" for cell in cells)


def test_no_terminal_is_moved_by_a_csv():
    assert "\x1b" not in csv_row({"user_agent": "\x1b]0;owned\x07\x1b[2J"})


def test_parquet_has_every_event_with_its_types(tmp_path: Path):
    world = Exporting().with_events(12)
    made = world.made("parquet")
    for number, body in enumerate(world.bodies(made)):
        (tmp_path / f"{number}.parquet").write_bytes(body)

    found = duckdb.sql(f"SELECT id, sequence, action, ip_address FROM '{tmp_path}/*.parquet' ORDER BY sequence").fetchall()

    assert len(found) == made.events
    assert {row[0] for row in found} >= set(world.recorded)


def test_an_export_of_nothing_is_an_export(tmp_path: Path):
    world = Exporting().with_events(2)

    for kind in ("jsonl", "csv", "parquet", "ocsf"):
        made = world.made(kind, user_id=user_id(9999))
        assert (made.events, len(world.bodies(made))) == (0, 1)
        assert world.verified(world.folder(made, tmp_path / kind)).whole


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"action": "settings.users.update", "resource_type": "user", "resource": user_id(7)}, "account_change"),
        ({"action": "settings.users.delete", "resource_type": "user", "resource": user_id(7)}, "account_change"),
        ({"action": "oauth.tokens.issue", "resource": None}, "authentication"),
        ({"action": "infrastructure.clusters.restart", "resource": "cls_1", "resource_type": "cluster"}, "api_activity"),
        ({"action": "settings.roles.list", "resource": None, "ip_address": "not an address"}, "api_activity"),
        ({"action": "infrastructure.clusters.get", "result": "denied", "reason": "forbidden"}, "api_activity"),
    ],
)
def test_ocsf_is_as_the_published_schema_has_it(said: dict[str, str], kind: str):
    world = Exporting()
    world.record(1, changes={"after": {"name": "n"}}, **said)
    made = world.published().made("ocsf", action=said["action"])
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0")).get_class_schema(kind)

    (event,) = [json.loads(line) for body in world.bodies(made) for line in body.splitlines()]

    assert [error.message for error in Draft202012Validator(schema).iter_errors(event)] == []
    assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]


def test_another_tenants_export_does_not_exist():
    world = Exporting()
    asked = world.ask()

    with pytest.raises(NotFound):
        read_export(OTHER, asked.id, exports=world.exports)
    assert list_exports(OTHER, limit=10, after=None, exports=world.exports) == ([], None)


def test_exports_are_listed_newest_first_in_pages():
    world = Exporting()
    asked = sorted(world.ask().id for _ in range(3))

    first, after = list_exports(TENANT, limit=2, after=None, exports=world.exports)
    rest, end = list_exports(TENANT, limit=2, after=after, exports=world.exports)

    assert [one.id for one in (*first, *rest)] == asked[::-1]
    assert end is None


def test_times_in_the_wrong_order_are_refused():
    world = Exporting()
    attempt = Attempt("r", "audit.events.export", world.clock, tenant_id=TENANT, principal_type="user")
    for since, until in (("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), ("soon", "2026-01-01T00:00:00Z")):
        with pytest.raises(Unprocessable):
            ask_for_export(TENANT, format="csv", since=since, until=until, filter={}, exports=world.exports, attempt=attempt)
