"""One suite over where streams are kept: in memory, and in DynamoDB (moto)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from platforma.adapters.dynamodb.audit import Outbox
from platforma.adapters.dynamodb.audit_streams import DynamoDBStreams
from platforma.adapters.memory.audit_streams import MemoryStreams
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.audit.streams import Progress, Stream
from platforma.audit.streams.ports import Streams
from platforma.kernel.clock import system_clock
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Attempt, Event
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from tests.contract.on_moto import tables_on_moto

TENANT, OTHER = new_id("ten"), new_id("ten")
PROGRESS = Progress({TENANT: 3})
RACERS = 20


@pytest.fixture(params=["memory", "dynamodb"])
def kept(request: pytest.FixtureRequest) -> Iterator[Streams]:
    if request.param == "memory":
        yield MemoryStreams()
        return
    with tables_on_moto("audit") as tables:
        yield DynamoDBStreams(tables, Outbox(tables, Envelope(MemoryDataKeys(TENANT, OTHER))))


def a_stream(tenant_id: str = TENANT) -> Stream:
    made = "2026-11-28T12:00:00.000Z"
    return Stream(
        new_id("stm"), tenant_id, "siem", {"type": "https", "url": "https://a.test"}, "jsonl", True, made, "usr_x", b"sealed"
    )


def an_event(tenant_id: str = TENANT) -> Event:
    return Attempt("r", "audit.streams.create", system_clock, tenant_id=tenant_id, principal_type="user").event("success")


def test_a_stream_is_kept_with_its_progress_and_event(kept: Streams):
    stream, event = a_stream(), an_event()

    kept.add(stream, PROGRESS, event)

    assert event.attempt is not None
    assert event.attempt.entered
    assert kept.get(TENANT, stream.id) == stream
    assert kept.progress(TENANT, stream.id) == PROGRESS
    assert list(kept.every()) == [stream]


def test_another_tenants_stream_is_not_there(kept: Streams):
    stream = a_stream()
    kept.add(stream, PROGRESS, an_event())

    assert kept.get(OTHER, stream.id) is None
    assert kept.listed(OTHER, after=None, limit=10) == []


def test_streams_are_listed_oldest_first_in_pages(kept: Streams):
    made = sorted((a_stream() for _ in range(3)), key=lambda one: one.id)
    for stream in made:
        kept.add(stream, PROGRESS, an_event())

    assert kept.listed(TENANT, after=None, limit=2) == made[:2]
    assert kept.listed(TENANT, after=made[1].id, limit=2) == made[2:]


def test_of_twenty_changes_at_once_one_is_made(kept: Streams):
    stream = a_stream()
    kept.add(stream, PROGRESS, an_event())

    def change(number: int) -> bool:
        try:
            kept.replace(stream, replace(stream, name=f"n{number}", former=b"before", version=2), an_event())
        except PreconditionFailed:
            return False
        return True

    with ThreadPoolExecutor(RACERS if isinstance(kept, DynamoDBStreams) else 1) as pool:
        assert sum(pool.map(change, range(RACERS))) == 1
    found = kept.get(TENANT, stream.id)
    assert found is not None
    assert (found.version, found.former) == (2, b"before")


def test_progress_that_is_stale_is_not_noted(kept: Streams):
    stream = a_stream()
    kept.add(stream, PROGRESS, an_event())

    onward = kept.advance(stream, replace(PROGRESS, tries=1), an_event())

    assert onward == replace(PROGRESS, tries=1, version=2)
    assert kept.advance(stream, PROGRESS) is None
    assert kept.progress(TENANT, stream.id) == onward


def test_what_is_gone_is_neither_found_nor_changed_nor_advanced(kept: Streams):
    stream = a_stream()
    kept.add(stream, PROGRESS, an_event())

    kept.remove(stream, an_event())

    assert kept.get(TENANT, stream.id) is None
    assert (list(kept.every()), kept.listed(TENANT, after=None, limit=10)) == ([], [])
    assert kept.advance(stream, PROGRESS) is None
    for change in (lambda: kept.replace(stream, stream, an_event()), lambda: kept.remove(stream, an_event())):
        with pytest.raises(PreconditionFailed):
            change()
