"""One suite over where exports are kept: in memory, and in DynamoDB (moto)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from platforma.adapters.dynamodb.audit import Outbox
from platforma.adapters.dynamodb.exports import DynamoDBExports
from platforma.adapters.memory.exports import MemoryExports, MemoryFiles
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.adapters.s3_files import S3Files
from platforma.audit.exports.model import Export, File
from platforma.audit.exports.ports import Exports, Files
from platforma.kernel.clock import system_clock
from platforma.kernel.events import Attempt, Event
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from tests.contract.on_moto import REGION, isolate, tables_on_moto

TENANT, OTHER = new_id("ten"), new_id("ten")
RACERS = 20


@pytest.fixture(params=["memory", "dynamodb"])
def kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exports]:
    if request.param == "memory":
        yield MemoryExports()
        return
    isolate(monkeypatch)
    with tables_on_moto("audit") as tables:
        yield DynamoDBExports(tables, Outbox(tables, Envelope(MemoryDataKeys(TENANT, OTHER))))


def an_export() -> Export:
    made = "2026-11-28T12:00:00.000Z"
    return Export(new_id("exp"), TENANT, "jsonl", made, made, {"action": "orders.*"}, "usr_x", made)


def an_event() -> Event:
    return Attempt("r", "audit.events.export", system_clock, tenant_id=TENANT, principal_type="user").event("success")


def files_of(part: int) -> tuple[File, File]:
    return File(f"events-{part:05d}.jsonl", "a" * 64, 10, 5), File(f"proofs-{part:05d}.jsonl.gz", "b" * 64, 10)


def with_parts(kept: Exports, count: int) -> Export:
    export: Export | None = an_export()
    assert export is not None
    kept.add(export, an_event())
    for part in range(1, count + 1):
        export = kept.replace(replace(export, parts=part, events=5 * part), files_of(part))
        assert export is not None
    return export


def test_an_export_is_kept_with_its_event_and_is_open(kept: Exports):
    export, event = an_export(), an_event()

    kept.add(export, event)

    assert event.attempt is not None
    assert event.attempt.entered
    assert kept.get(TENANT, export.id) == export
    assert kept.get(OTHER, export.id) is None
    assert list(kept.open()) == [export]


@pytest.mark.parametrize("status", ["done", "failed"])
def test_one_that_is_settled_is_open_no_more(kept: Exports, status: str):
    export = an_export()
    kept.add(export, an_event())

    assert kept.replace(replace(export, status=status)) is not None

    assert list(kept.open()) == []


def test_of_twenty_changes_at_once_one_is_made_and_its_files_alone_are_kept(kept: Exports):
    export = an_export()
    kept.add(export, an_event())

    def change(number: int) -> bool:
        return (
            kept.replace(replace(export, parts=1, events=number), (File(f"events-{number}", "", number, number),))
            is not None
        )

    with ThreadPoolExecutor(RACERS) as pool:
        made = list(pool.map(change, range(1, RACERS + 1)))

    current = kept.get(TENANT, export.id)
    assert current is not None
    assert sum(made) == 1
    assert [file.events for file in kept.files(current)] == [current.events]


def test_files_are_listed_by_part_in_order_from_anywhere(kept: Exports):
    export = with_parts(kept, 12)

    assert list(kept.files(export)) == [file for part in range(1, 13) for file in files_of(part)]
    assert list(kept.files(export, after=8, limit=2)) == [*files_of(9), *files_of(10)]
    assert list(kept.files(export, after=12, limit=5)) == []
    assert list(kept.files(export, after=12)) == []


def test_files_of_one_export_are_not_anothers_and_are_in_no_list(kept: Exports):
    first, second = with_parts(kept, 2), with_parts(kept, 0)

    assert list(kept.files(second)) == []
    assert [one.id for one in kept.listed(TENANT, after=None, limit=10)] == sorted((first.id, second.id), reverse=True)


def test_one_that_is_done_and_queued_again_is_open_again_without_its_files(kept: Exports):
    done = kept.replace(replace(with_parts(kept, 2), status="done"))
    assert done is not None
    assert list(kept.open()) == []

    anew = kept.replace(replace(done, status="queued", parts=0))

    assert anew is not None
    assert list(kept.open()) == [anew]
    assert list(kept.files(anew)) == []
    again = kept.replace(replace(anew, parts=1), files_of(1))
    assert again is not None
    assert list(kept.files(again)) == list(files_of(1))


@pytest.mark.parametrize("where", ["memory", "s3"])
def test_files_that_are_removed_are_gone_and_one_that_is_not_there_is_told(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with tables_on_moto("audit"):
        boto3.client("s3", REGION).create_bucket(Bucket="exports", CreateBucketConfiguration={"LocationConstraint": REGION})
        files: Files = MemoryFiles() if where == "memory" else S3Files("exports")
        file, found = tmp_path / "file", tmp_path / "found"
        file.write_bytes(b"lines")
        for name in ("a/one", "a/two"):
            files.put(name, file, "text/csv")

        assert files.fetch("a/one", found)
        assert found.read_bytes() == b"lines"
        files.remove(["a/one", "a/none"])
        assert not files.fetch("a/one", found)
        assert files.fetch("a/two", found)
