"""Vault gone: asked once a second by an instance, answered for at once in between, back without a restart."""

from datetime import UTC, datetime, timedelta

import pytest

from platforma.adapters import vault_session
from platforma.adapters.vault import Vault
from platforma.kernel.errors import Unavailable
from platforma.kernel.tenancy import PLATFORM


class Answering:
    """A session of Vault's, good for one key."""

    lifetime = 900

    def post(self, _path, _data):
        return {"ciphertext": "vault:v1:" + "A" * 80, "plaintext": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}


class Instance:
    """A function's Vault; *fails* is what every login meets, None when it is back."""

    def __init__(self, monkeypatch, fails=Unavailable):
        self.now, self.logins, self.fails = datetime(2026, 11, 24, 12, tzinfo=UTC), 0, fails
        monkeypatch.setattr(vault_session, "login", self.login)
        self.vault = Vault("https://vault.test", "role", lambda: None, lambda: self.now)

    def login(self, *_arguments):
        self.logins += 1
        if self.fails is not None:
            raise self.fails
        return Answering()

    def ask(self):
        return self.vault.generate(PLATFORM, "identity")


@pytest.fixture
def instance(monkeypatch):
    return Instance(monkeypatch)


def test_of_many_calls_in_an_outage_one_asks(instance):
    for _ in range(20):
        with pytest.raises(Unavailable):
            instance.ask()

    assert instance.logins == 1


def test_a_second_later_it_is_asked_again(instance):
    for _ in range(2):
        with pytest.raises(Unavailable):
            instance.ask()
        instance.now += timedelta(seconds=1.5)

    assert instance.logins == 2


def test_back_it_serves_without_a_restart(instance):
    with pytest.raises(Unavailable):
        instance.ask()
    instance.fails = None
    instance.now += timedelta(seconds=1.5)

    assert len(instance.ask().plaintext) == 32


def test_a_clock_that_was_set_back_keeps_nobody_out(instance):
    with pytest.raises(Unavailable):
        instance.ask()
    instance.fails = None
    instance.now -= timedelta(hours=1)

    assert instance.ask()


@pytest.mark.parametrize(("fails", "logins"), [(vault_session.ConnectionLost, 2), (vault_session.TokenRefused, 10)])
def test_a_broken_connection_is_tried_twice_and_then_rests_a_refusal_does_not(monkeypatch, fails, logins):
    instance = Instance(monkeypatch, fails)
    for _ in range(5):
        with pytest.raises(Unavailable):
            instance.ask()

    assert instance.logins == logins


def test_instances_do_not_come_back_all_at_once(monkeypatch):
    ends = set()
    for _ in range(20):
        instance = Instance(monkeypatch)
        with pytest.raises(Unavailable):
            instance.ask()
        ends.add(instance.vault._connection._resting[1])

    assert len(ends) > 10
    assert max(ends) - min(ends) <= timedelta(seconds=1)
