"""One suite over where shreddings are kept: in memory, and in DynamoDB (moto)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier

import pytest

from platforma.adapters.dynamodb.shreddings import DynamoDBShreddings
from platforma.adapters.dynamodb.tables import Tables
from platforma.adapters.memory.shreddings import MemoryShreddings
from platforma.kernel.clock import system_clock
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.shredding import LogPosition, Shredding
from tests.contract.on_moto import KeptEvents, tables_on_moto


@pytest.fixture(scope="module")
def tables() -> Iterator[Tables]:
    with tables_on_moto("identity") as tables:
        yield tables


@pytest.fixture(params=["memory", "dynamodb"])
def place(request: pytest.FixtureRequest):
    """The implementation, and how many events tell of a tenant."""
    if request.param == "memory":
        events: list[str] = []
        return MemoryShreddings(lambda event: events.append(event.resource)), events.count
    tables = request.getfixturevalue("tables")
    outbox = KeptEvents(tables, "identity")
    return DynamoDBShreddings(tables, outbox), outbox.of_resource


def begun(versions: tuple[int, ...] = (1, 2)) -> Shredding:
    tenant_id = new_id("ten")
    return Shredding(tenant_id, f"tenant-{tenant_id}", versions, (LogPosition(tenant_id, 7, "cm9vdA=="),))


def finished(shredding: Shredding, statement: str = "signed") -> Shredding:
    return replace(shredding, destroyed_at=datetime(2026, 11, 24, 12, tzinfo=UTC), statement=statement)


def event_of(shredding: Shredding):
    attempt = Attempt("req", "platform.tenants.shred", system_clock)
    return attempt.event("success", resource=shredding.tenant_id, resource_type="tenant")


def test_what_was_begun_and_finished_is_read_as_it_was(place):
    shreddings, _ = place
    first = shreddings.begin(begun())
    between = shreddings.get(first.tenant_id)

    shreddings.finish(finished(first), event_of(first))

    assert (between, shreddings.get(first.tenant_id)) == (first, finished(first))


def test_of_what_was_never_begun_nothing_is_known(place):
    assert place[0].get(new_id("ten")) is None


def test_what_was_noted_first_stays(place):
    shreddings, _ = place
    first = shreddings.begin(begun())

    again = shreddings.begin(replace(first, versions=()))

    assert again == first == shreddings.get(first.tenant_id)


def test_of_twenty_who_finish_one_does_and_is_told_of(place):
    shreddings, told = place
    first = shreddings.begin(begun())
    barrier = Barrier(20)

    def finish(number: int) -> Shredding:
        barrier.wait()
        return shreddings.finish(finished(first, f"signed {number}"), event_of(first))

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(finish, range(20)))

    assert set(results) == {shreddings.get(first.tenant_id)}
    assert told(first.tenant_id) == 1
