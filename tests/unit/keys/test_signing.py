from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platforma.adapters.memory.keys import MemoryDataKeys, MemorySigningKeyStore
from platforma.kernel.errors import Broken, NotFound, Unavailable
from platforma.kernel.events import Attempt
from platforma.keys.envelope import Envelope
from platforma.keys.errors import DoesNotOpen, UnknownSigningKey
from platforma.keys.signing import (
    ALGORITHMS,
    READ_EVERY,
    SOON_READ_EVERY,
    SigningKeys,
    ensure_signing_keys,
    rotate_signing_keys,
    withdraw_signing_key,
)
from platforma.keys.signing_key import KEPT_AFTER, PUBLISHED_BEFORE, ROTATED_AFTER, SigningKey, states


class World:
    """A store, a keeper, a clock that stands still, and what is done with them."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 10, tzinfo=UTC)
        self.store = MemorySigningKeyStore()
        self.data_keys = MemoryDataKeys()
        self.envelope = Envelope(self.data_keys, self.clock)

    def clock(self) -> datetime:
        return self.now

    def instance(self) -> SigningKeys:
        return SigningKeys(self.store, Envelope(self.data_keys, self.clock), self.clock)

    def attempt(self) -> Attempt:
        return Attempt("req", "platform.setup", self.clock)

    def ensure(self) -> SigningKey:
        return self._one(ensure_signing_keys)

    def rotate(self, **how) -> SigningKey | None:
        return self._one(rotate_signing_keys, **how)

    def _one(self, use_case, **how) -> SigningKey | None:
        """The line of ES256 alone, as one of several."""
        made = use_case(self.store, self.envelope, attempt=self.attempt(), clock=self.clock, algorithms=("ES256",), **how)
        return made[0] if made else None

    def withdraw(self, kid: str) -> SigningKey:
        return withdraw_signing_key(kid, self.store, self.envelope, attempt=self.attempt(), clock=self.clock)


@pytest.fixture
def world() -> World:
    return World()


def kids(instance: SigningKeys) -> list[str]:
    return [key["kid"] for key in instance.jwks()["keys"]]


def test_the_first_key_signs_at_once_and_is_made_once(world):
    first = world.ensure()

    assert world.ensure() == first
    assert world.instance().active().kid == first.kid
    assert len(world.store.events) == 1


def test_what_the_active_key_signs_verifies_with_the_published_one(world):
    world.ensure()
    key = world.instance().active()

    token = jwt.encode({"sub": "x"}, key.private_key, algorithm=key.algorithm, headers={"kid": key.kid})

    public = world.instance().public(key.kid)
    assert jwt.decode(token, public.public_key, algorithms=[public.algorithm]) == {"sub": "x"}
    published = jwt.PyJWKSet.from_dict(world.instance().jwks())[key.kid]
    assert jwt.decode(token, published, algorithms=["ES256"]) == {"sub": "x"}


def test_the_key_set_holds_nothing_private(world):
    world.ensure()

    (key,) = world.instance().jwks()["keys"]

    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


def test_no_key_no_signature(world):
    with pytest.raises(Unavailable):
        world.instance().active()


def test_a_schedule_that_comes_before_the_first_key_makes_none_and_is_no_failure(world):
    assert world.rotate() is None
    assert world.store.all() == []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_has_a_key_that_signs_and_verifies(world, algorithm):
    ensure_signing_keys(world.store, world.envelope, attempt=world.attempt(), clock=world.clock)
    key = world.instance().active(algorithm)

    token = jwt.encode({"sub": "x"}, key.private_key, algorithm=algorithm, headers={"kid": key.kid})

    published = jwt.PyJWKSet.from_dict(world.instance().jwks())[key.kid]
    assert jwt.decode(token, published, algorithms=[algorithm]) == {"sub": "x"}
    assert jwt.decode(token, world.instance().public(key.kid).public_key, algorithms=[algorithm]) == {"sub": "x"}


def test_a_withdrawn_key_has_a_successor_of_its_algorithm_and_the_others_stay(world):
    made = {
        key.algorithm: key
        for key in ensure_signing_keys(world.store, world.envelope, attempt=world.attempt(), clock=world.clock)
    }

    successor = world.withdraw(made["RS256"].kid)

    instance = world.instance()
    assert {algorithm: instance.active(algorithm).kid for algorithm in ALGORITHMS} == {
        "ES256": made["ES256"].kid,
        "RS256": successor.kid,
        "EdDSA": made["EdDSA"].kid,
    }


def test_a_rotation_makes_the_keys_of_an_algorithm_that_has_none_yet(world):
    world.ensure()

    made = rotate_signing_keys(world.store, world.envelope, attempt=world.attempt(), clock=world.clock)

    assert [key.algorithm for key in made] == ["RS256", "EdDSA"]
    assert world.instance().active("RS256").kid == made[0].kid


def test_a_key_is_not_rotated_before_its_time(world):
    world.ensure()
    world.now += ROTATED_AFTER - timedelta(seconds=1)

    assert world.rotate() is None


def test_a_successor_is_published_before_it_signs_and_the_old_key_kept_after(world):
    old = world.ensure()
    world.now += ROTATED_AFTER
    instance = world.instance()

    new = world.rotate()
    assert (instance.active().kid, kids(instance)) == (old.kid, [old.kid, new.kid])

    world.now += PUBLISHED_BEFORE
    assert (instance.active().kid, kids(instance)) == (new.kid, [old.kid, new.kid])

    world.now += KEPT_AFTER
    assert (instance.active().kid, kids(instance)) == (new.kid, [new.kid])
    with pytest.raises(UnknownSigningKey):
        instance.public(old.kid)


def test_a_rotation_removes_what_has_ended(world):
    first = world.ensure()
    world.rotate(forced=True)
    world.now += PUBLISHED_BEFORE + KEPT_AFTER

    world.rotate(forced=True)

    assert first.kid not in {key.kid for key in world.store.all()}


def test_a_withdrawn_key_is_trusted_for_a_minute_at_most_and_another_signs(world):
    old = world.ensure()
    instance = world.instance()
    instance.active()

    new = world.withdraw(old.kid)
    world.now += READ_EVERY

    assert (instance.active().kid, kids(instance)) == (new.kid, [new.kid])
    with pytest.raises(UnknownSigningKey):
        instance.public(old.kid)


def test_a_warm_instance_signs_by_a_withdrawn_key_for_seconds_and_not_for_a_minute(world):
    old = world.ensure()
    instance = world.instance()
    assert instance.active().kid == old.kid

    new = world.withdraw(old.kid)
    world.now += SOON_READ_EVERY

    assert instance.active().kid == new.kid


def test_a_withdrawal_brings_no_ended_key_back(world):
    first = world.ensure()
    second = world.rotate(forced=True)
    world.now += PUBLISHED_BEFORE + KEPT_AFTER

    third = world.withdraw(second.kid)

    assert first.kid not in kids(world.instance())
    assert kids(world.instance()) == [third.kid]


def test_a_key_that_is_not_there_cannot_be_withdrawn(world):
    world.ensure()

    with pytest.raises(NotFound):
        world.withdraw("another")


def test_the_private_half_is_unwrapped_once_an_instance(world):
    world.ensure()
    instance = world.instance()
    instance.active()
    world.data_keys.gone = True
    world.now += timedelta(hours=1)

    assert instance.active().kid


def test_a_key_made_elsewhere_is_known_at_its_first_token(world):
    old = world.ensure()
    instance = world.instance()
    instance.public(old.kid)
    new = world.rotate(forced=True)
    world.now += SOON_READ_EVERY

    assert instance.public(new.kid).kid == new.kid


def test_the_first_key_is_published_at_once_by_an_instance_that_saw_none(world):
    instance = world.instance()
    assert kids(instance) == []

    key = world.ensure()

    assert kids(instance) == [key.kid]


def test_made_up_kids_buy_one_reading_in_five_seconds(world):
    world.ensure()
    instance = world.instance()
    instance.jwks()
    world.now += SOON_READ_EVERY
    world.store.reads = 0

    for n in range(100):
        with pytest.raises(UnknownSigningKey):
            instance.public(f"kid{n}")

    assert world.store.reads == 1


def test_a_key_put_under_another_kid_is_refused(world):
    stored = world.ensure()
    world.store._keys = {"kid": replace(stored, kid="kid")}

    with pytest.raises(Broken):
        world.instance().public("kid")


def test_a_private_half_of_another_key_is_refused(world):
    first = world.ensure()
    second = world.rotate(forced=True)
    world.store._keys = {first.kid: replace(first, sealed=second.sealed)}

    with pytest.raises(DoesNotOpen):
        world.instance().active()


def test_the_private_half_does_not_show(world):
    stored = world.ensure()

    assert repr(stored.sealed) not in repr(stored)
    assert "private" not in repr(world.instance().active())


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=8), st.integers(0, 20_000))
def test_at_any_time_one_key_signs_once_the_first_one_may(minutes, minute):
    """Whatever the order in which keys were made."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    keys = [
        SigningKey(str(n), n, "ES256", {}, b"", created_at=start, active_at=start + timedelta(minutes=m))
        for n, m in enumerate(minutes)
    ]

    found = list(states(keys, start + timedelta(minutes=minute)).values())

    assert found.count("active") == (1 if minute >= min(minutes) else 0)
    assert found == sorted(found, key=["ended", "retired", "active", "published"].index)
