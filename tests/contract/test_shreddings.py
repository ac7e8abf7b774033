"""One suite over where shreddings are kept: in memory, and in DynamoDB (moto)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier

import boto3
import pytest
from moto import mock_aws
from pynamodb.attributes import UnicodeAttribute

from platforma.adapters.dynamodb.shreddings import DynamoDBShreddings
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.memory.shreddings import MemoryShreddings
from platforma.kernel.clock import system_clock
from platforma.kernel.errors import Conflict
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.shredding import LogPosition, Shredding
from tests.contract.isolated_moto import isolate


class ToldItem(Item):
    table = "identity"

    class Meta:
        table_name = "unbound"

    action = UnicodeAttribute()


class KeptEvents:
    """An outbox that keeps each event under its id, once."""

    def items(self, event):
        return [(ToldItem(event.resource, event.id, action=event.action), ToldItem.pk.does_not_exist(), Conflict("twice"))]


@pytest.fixture(scope="module")
def tables() -> Iterator[Tables]:
    with pytest.MonkeyPatch.context() as monkeypatch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        isolate(monkeypatch)
        boto3.client("dynamodb").create_table(
            TableName="identity",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        )
        yield Tables({"identity": "identity"}, "eu-central-1").bind()


@pytest.fixture(params=["memory", "dynamodb"])
def place(request: pytest.FixtureRequest):
    """The implementation, and how many events tell of a tenant."""
    if request.param == "memory":
        events: list[str] = []
        return MemoryShreddings(lambda event: events.append(event.resource)), events.count
    tables = request.getfixturevalue("tables")
    return DynamoDBShreddings(tables, KeptEvents()), lambda tenant_id: len(list(ToldItem.query(tenant_id)))


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
