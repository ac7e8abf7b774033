"""One suite over the stores of signing keys: in memory, and in DynamoDB (moto)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import boto3
import pytest
from moto import mock_aws
from pynamodb.attributes import UnicodeAttribute

from platforma.adapters.dynamodb.keys import DynamoDBSigningKeyStore
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.memory.keys import MemoryDataKeys, MemorySigningKeyStore
from platforma.kernel.errors import Conflict, Unavailable
from platforma.kernel.events import Attempt
from platforma.keys.envelope import Envelope
from platforma.keys.errors import SigningKeysMoved
from platforma.keys.signing import ensure_signing_keys, rotate_signing_keys
from platforma.keys.signing_key import SigningKey
from tests.contract.isolated_moto import isolate

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


class EnteredItem(Item):
    table = "key"

    class Meta:
        table_name = "unbound"

    action = UnicodeAttribute()


class KeptEvents:
    """An outbox that keeps each event under its id, once."""

    def items(self, event):
        item = EnteredItem("events", event.id, action=event.action)
        return [(item, EnteredItem.pk.does_not_exist(), Conflict("twice"))]


@pytest.fixture
def dynamodb(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    isolate(monkeypatch)
    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName="keys",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        )
        yield DynamoDBSigningKeyStore(Tables({"key": "keys"}, "eu-central-1").bind(), KeptEvents())


@pytest.fixture(params=["memory", "dynamodb"])
def store(request):
    return MemorySigningKeyStore() if request.param == "memory" else request.getfixturevalue("dynamodb")


def events(store) -> int:
    return len(store.events) if isinstance(store, MemorySigningKeyStore) else EnteredItem.count("events")


def attempt() -> Attempt:
    return Attempt("req", "platform.setup", lambda: NOW)


def key(number: int, kid: str = "") -> SigningKey:
    jwk = {"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}
    return SigningKey(kid or f"kid{number}", number, "ES256", jwk, b"\x00sealed", created_at=NOW, active_at=NOW)


def test_what_is_added_is_found_whole(store):
    store.add(key(1), event=attempt().event("success"))
    store.add(key(2), event=attempt().event("success"))

    assert sorted(store.all(), key=lambda one: one.number) == [key(1), key(2)]


def test_what_is_dropped_is_gone_in_the_same_write(store):
    store.add(key(1), event=attempt().event("success"))

    store.add(key(2), drop=["kid1"], event=attempt().event("success"))

    assert list(store.all()) == [key(2)]


@pytest.mark.parametrize("number", [1, 3, 0])
def test_a_number_that_is_not_next_is_refused_and_nothing_written(store, number):
    store.add(key(1), event=attempt().event("success"))

    with pytest.raises(SigningKeysMoved):
        store.add(key(number, "other"), drop=["kid1"], event=attempt().event("success"))

    assert list(store.all()) == [key(1)]
    assert events(store) == 1


def test_an_attempt_is_entered_with_its_key(store):
    made = attempt()

    store.add(key(1), event=made.event("success"))

    assert made.entered
    assert events(store) == 1


def test_of_twenty_racers_one_makes_each_first_key_and_all_get_it(store):
    envelope, barrier = Envelope(MemoryDataKeys()), Barrier(20)
    envelope.seal("ten_01j0000000e008000000000000", "signing", "warm", b"")

    def race(_):
        barrier.wait()
        return ensure_signing_keys(store, envelope, attempt=attempt(), clock=lambda: NOW)

    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(race, range(20)))

    assert all({one.kid for one in each} == {one.kid for one in store.all()} for each in made)
    assert len(store.all()) == 3
    assert events(store) == 3


def test_of_twenty_rotations_one_wins(store):
    envelope, barrier = Envelope(MemoryDataKeys()), Barrier(20)
    ensure_signing_keys(store, envelope, attempt=attempt(), clock=lambda: NOW)

    def race(_):
        barrier.wait()
        try:
            return rotate_signing_keys(store, envelope, attempt=attempt(), clock=lambda: NOW, forced=True)
        except SigningKeysMoved:
            return None

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(race, range(20)))

    numbers = sorted(one.number for one in store.all())
    assert numbers == list(range(1, len(numbers) + 1))
    assert events(store) == len(numbers)


def test_a_store_that_is_gone_is_unavailable(dynamodb):
    boto3.client("dynamodb").delete_table(TableName="keys")

    with pytest.raises(Unavailable):
        dynamodb.all()
    with pytest.raises(Unavailable):
        dynamodb.add(key(1), event=attempt().event("success"))
