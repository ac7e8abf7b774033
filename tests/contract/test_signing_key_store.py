"""One suite over the stores of signing keys: in memory, and in DynamoDB (moto)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest

from platforma.adapters.dynamodb.keys import DynamoDBSigningKeyStore
from platforma.adapters.memory.keys import MemoryDataKeys, MemorySigningKeyStore
from platforma.kernel.errors import Unavailable
from platforma.kernel.events import Attempt
from platforma.keys.envelope import Envelope
from platforma.keys.errors import SigningKeysMoved
from platforma.keys.signing import ensure_signing_keys, rotate_signing_keys
from platforma.keys.signing_key import SigningKey
from tests.contract.on_moto import KeptEvents, tables_on_moto

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


@pytest.fixture(params=["memory", "dynamodb"])
def place(request):
    """A store, and how many events were entered with its writes."""
    if request.param == "memory":
        memory = MemorySigningKeyStore()
        yield memory, lambda: len(memory.events)
        return
    with tables_on_moto("key") as tables:
        outbox = KeptEvents(tables, "key")
        yield DynamoDBSigningKeyStore(tables, outbox), lambda: len(outbox.ids())


@pytest.fixture
def store(place):
    return place[0]


@pytest.fixture
def events(place):
    return place[1]


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
def test_a_number_that_is_not_next_is_refused_and_nothing_written(store, events, number):
    store.add(key(1), event=attempt().event("success"))

    with pytest.raises(SigningKeysMoved):
        store.add(key(number, "other"), drop=["kid1"], event=attempt().event("success"))

    assert list(store.all()) == [key(1)]
    assert events() == 1


def test_an_attempt_is_entered_with_its_key(store, events):
    made = attempt()

    store.add(key(1), event=made.event("success"))

    assert made.entered
    assert events() == 1


def test_of_twenty_racers_one_makes_each_first_key_and_all_get_it(store, events):
    envelope, barrier = Envelope(MemoryDataKeys()), Barrier(20)
    envelope.seal("ten_01j0000000e008000000000000", "signing", "warm", b"")

    def race(_):
        barrier.wait()
        return ensure_signing_keys(store, envelope, attempt=attempt(), clock=lambda: NOW)

    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(race, range(20)))

    assert all({one.kid for one in each} == {one.kid for one in store.all()} for each in made)
    assert len(store.all()) == 3
    assert events() == 3


def test_of_twenty_rotations_one_wins(store, events):
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
    assert events() == len(numbers)


def test_a_store_that_is_gone_is_unavailable():
    with tables_on_moto() as none:
        store = DynamoDBSigningKeyStore(none, KeptEvents(none, "key"))

        with pytest.raises(Unavailable):
            store.all()
        with pytest.raises(Unavailable):
            store.add(key(1), event=attempt().event("success"))
