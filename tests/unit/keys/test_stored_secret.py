from dataclasses import replace
from datetime import UTC, datetime, timedelta

import bcrypt
import pytest

from platforma.adapters.memory.keys import MemorySecrets
from platforma.kernel.errors import Broken, Unauthenticated
from platforma.keys import stored_secret
from platforma.keys.stored_secret import BCRYPT_COST, TICKET_SECONDS, StoredSecret, refuse, store, verify

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
LATER = NOW + timedelta(seconds=TICKET_SECONDS)
SECRET = "s" * 43


@pytest.fixture(autouse=True)
def hashed(monkeypatch):
    """Count bcrypt's runs, and make them cheap."""
    runs = []
    real = bcrypt.checkpw
    monkeypatch.setattr(stored_secret, "BCRYPT_COST", 4)
    monkeypatch.setattr(bcrypt, "checkpw", lambda raw, kept: runs.append(kept) or real(raw, kept))
    return runs


@pytest.fixture
def secrets() -> MemorySecrets:
    return MemorySecrets()


@pytest.fixture
def stored(secrets) -> StoredSecret:
    return store(SECRET, bound_to="key_a", pepper=secrets.pepper(), now=NOW)


def test_within_the_hour_the_ticket_proves_the_secret_without_a_hash(stored, secrets, hashed):
    moment = LATER - timedelta(seconds=1)

    renewed = verify(SECRET, stored, bound_to="key_a", secrets=secrets, now=moment)

    assert renewed is None
    assert hashed == []


def test_after_the_hour_the_hash_proves_it_and_a_fresh_ticket_comes_back(stored, secrets, hashed):
    renewed = verify(SECRET, stored, bound_to="key_a", secrets=secrets, now=LATER)

    assert hashed == [stored.hash.encode()]
    assert renewed.hash == stored.hash
    assert verify(SECRET, renewed, bound_to="key_a", secrets=secrets, now=LATER) is None
    assert len(hashed) == 1


@pytest.mark.parametrize("moment", [NOW, LATER])
@pytest.mark.parametrize("presented", ["s" * 42 + "t", "", "s" * 42, "s" * 44, "s" * 80, "s\x00", "\ud800"])
def test_a_wrong_secret_costs_a_hash_and_is_refused(stored, secrets, hashed, presented, moment):
    with pytest.raises(Unauthenticated):
        verify(presented, stored, bound_to="key_a", secrets=secrets, now=moment)

    assert len(hashed) == 1


def test_a_secret_of_which_bcrypt_would_read_only_the_start_is_refused(secrets):
    long = "s" * 72
    stored = store(long, bound_to="key_a", pepper=secrets.pepper(), now=NOW)

    with pytest.raises(Unauthenticated):
        verify(long + "x", stored, bound_to="key_a", secrets=secrets, now=LATER)
    with pytest.raises(ValueError):
        store(long + "x", bound_to="key_a", pepper=secrets.pepper(), now=NOW)


@pytest.mark.parametrize(
    "moved",
    [
        lambda stored: replace(stored, ticket_expires=stored.ticket_expires + TICKET_SECONDS),
        lambda stored: replace(stored, hash=bcrypt.hashpw(b"other", bcrypt.gensalt(4)).decode()),
        lambda stored: replace(stored, ticket=""),
    ],
    ids=["prolonged", "beside another hash", "empty"],
)
def test_a_ticket_is_good_for_its_own_hash_and_hour_alone(stored, secrets, hashed, moved):
    tampered = moved(stored)

    try:
        verify(SECRET, tampered, bound_to="key_a", secrets=secrets, now=NOW)
    except Unauthenticated:
        assert tampered.hash != stored.hash

    assert len(hashed) == 1


def test_a_ticket_is_good_for_its_own_owner_alone(stored, secrets, hashed):
    verify(SECRET, stored, bound_to="key_b", secrets=secrets, now=NOW)

    assert len(hashed) == 1


def test_a_ticket_outlives_a_new_pepper_and_its_successor_is_under_it(stored, secrets, hashed):
    secrets.rotate_pepper()

    assert verify(SECRET, stored, bound_to="key_a", secrets=secrets, now=NOW) is None
    assert verify(SECRET, stored, bound_to="key_a", secrets=secrets, now=LATER).version == 2


def test_a_withdrawn_pepper_ends_its_tickets_and_not_the_secret(stored, secrets, hashed):
    secrets.rotate_pepper()
    del secrets._peppers[1]

    assert verify(SECRET, stored, bound_to="key_a", secrets=secrets, now=NOW).version == 2
    assert len(hashed) == 1


def test_what_is_no_hash_proves_nothing(stored, secrets):
    with pytest.raises(Broken):
        verify(SECRET, replace(stored, hash="plain"), bound_to="key_a", secrets=secrets, now=LATER)


def test_an_owner_who_does_not_exist_costs_what_a_wrong_secret_costs(hashed):
    with pytest.raises(Unauthenticated):
        refuse(SECRET)

    assert hashed[0].startswith(b"$2b$%d$" % BCRYPT_COST)


def test_neither_hash_nor_ticket_shows(stored):
    assert stored.hash not in repr(stored)
    assert stored.ticket not in repr(stored)
