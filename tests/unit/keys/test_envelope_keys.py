from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.kernel.errors import TooLarge, Unavailable
from platforma.kernel.tenancy import PLATFORM
from platforma.keys import envelope as module
from platforma.keys.envelope import KEY_LIFETIME, MAX_PLAINTEXT, Envelope
from platforma.keys.errors import NoSuchKey


@pytest.fixture
def data_keys() -> MemoryDataKeys:
    return MemoryDataKeys("ten_a", "ten_b")


@pytest.fixture
def envelope(data_keys, clock) -> Envelope:
    return Envelope(data_keys, clock)


@given(plaintext=st.binary(max_size=300), record=st.text(st.characters(codec="utf-8")))
def test_what_is_sealed_opens_in_another_instance(plaintext, record):
    data_keys = MemoryDataKeys()

    sealed = Envelope(data_keys).seal(PLATFORM, "identity", record, plaintext)

    assert Envelope(data_keys).open(PLATFORM, "identity", record, sealed) == plaintext


def test_many_records_cost_one_data_key_and_reading_back_costs_none(envelope, data_keys):
    sealed = [envelope.seal("ten_a", "identity", str(n), b"x") for n in range(50)]

    opened = envelope.open_all("ten_a", "identity", [(str(n), one) for n, one in enumerate(sealed)])

    assert opened == [b"x"] * 50
    assert data_keys.calls == 1


def test_data_keys_of_many_writers_are_unwrapped_in_one_call(envelope, data_keys):
    sealed = [(str(n), Envelope(data_keys).seal("ten_a", "audit", str(n), b"%d" % n)) for n in range(20)]
    data_keys.calls = 0

    opened = envelope.open_all("ten_a", "audit", sealed)

    assert opened == [b"%d" % n for n in range(20)]
    assert data_keys.calls == 1


def test_a_data_key_is_of_one_tenant_and_purpose(envelope, data_keys):
    for tenant_id, purpose in (("ten_a", "identity"), ("ten_a", "audit"), ("ten_b", "identity")):
        envelope.seal(tenant_id, purpose, "r", b"x")

    assert data_keys.calls == 3


def test_a_data_key_seals_for_five_minutes(envelope, data_keys, clock):
    envelope.seal("ten_a", "identity", "r", b"x")
    clock.now += KEY_LIFETIME

    envelope.seal("ten_a", "identity", "r", b"x")

    assert data_keys.calls == 2


def test_a_data_key_seals_a_bounded_number_of_times(envelope, data_keys, monkeypatch):
    monkeypatch.setattr(module, "KEY_USES", 3)

    for _ in range(7):
        envelope.seal("ten_a", "identity", "r", b"x")

    assert data_keys.calls == 3


def test_no_nonce_comes_twice_under_a_key_even_where_the_random_source_gives_one_thing_for_ever(monkeypatch):
    """All that is sealed under eleven data keys, by the code that seals; nothing of it is left to luck."""
    keys = [MemoryDataKeys("ten_a").generate("ten_a", "identity") for _ in range(11)]
    data_keys = MemoryDataKeys("ten_a")
    monkeypatch.setattr(data_keys, "generate", lambda *_: keys.pop())
    monkeypatch.setattr(module, "KEY_USES", 500)
    envelope = Envelope(data_keys)
    monkeypatch.setattr(module.os, "urandom", bytes)

    sealed = [module._parse(envelope.seal("ten_a", "identity", "usr_a", b"x")) for _ in range(5001)]

    assert len({(one.wrapped, one.nonce) for one in sealed}) == 5001


def test_of_ten_million_draws_each_has_a_key_and_number_of_its_own(monkeypatch):
    """A key is given out with the numbers 0 to 2^20 - 1, each once, and another comes then: shown at every one's ends."""
    data_keys, drawn = MemoryDataKeys("ten_a"), 0
    envelope = Envelope(data_keys, lambda: datetime(2026, 11, 24, 10, tzinfo=UTC))
    seen = set()

    while drawn < 10_000_000:
        first, last = envelope._sealing_key("ten_a", "identity"), module.KEY_USES - 1
        in_use = envelope._sealing.get(("ten_a", "identity"))
        assert first == (in_use.key, last)
        in_use.left = 1  # what lies between only counts down: the test before has every step of it
        assert envelope._sealing_key("ten_a", "identity") == (in_use.key, 0)
        assert in_use.key.wrapped not in seen
        seen.add(in_use.key.wrapped)
        drawn += module.KEY_USES
    assert len(seen) == data_keys.calls == 10


def test_cached_keys_work_for_minutes_without_their_keeper_and_then_nothing_does(envelope, data_keys, clock):
    sealed = envelope.seal("ten_a", "identity", "r", b"x")
    data_keys.gone = True

    clock.now += KEY_LIFETIME - timedelta(seconds=1)
    assert envelope.open("ten_a", "identity", "r", envelope.seal("ten_a", "identity", "r", b"y")) == b"y"

    clock.now += timedelta(seconds=1)
    with pytest.raises(Unavailable):
        envelope.seal("ten_a", "identity", "r", b"x")
    with pytest.raises(Unavailable):
        envelope.open("ten_a", "identity", "r", sealed)


def test_a_destroyed_key_shreds_within_minutes(envelope, data_keys, clock):
    sealed = envelope.seal("ten_a", "identity", "r", b"x")
    data_keys.destroy_tenant_key("ten_a")
    clock.now += KEY_LIFETIME

    with pytest.raises(NoSuchKey):
        envelope.open("ten_a", "identity", "r", sealed)


def test_what_belongs_into_an_object_is_refused(envelope):
    with pytest.raises(TooLarge):
        envelope.seal("ten_a", "identity", "r", bytes(MAX_PLAINTEXT + 1))
