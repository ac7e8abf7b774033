from base64 import b64encode
from datetime import timedelta

import pytest

from platforma.adapters.memory.keys import MemorySecrets
from platforma.kernel.errors import Broken, Unavailable
from platforma.keys.errors import UnknownPepper
from platforma.keys.secrets import ASKED_EVERY, KEPT_WITHOUT_SOURCE, REFRESHED_AFTER, CachedSecrets


@pytest.fixture
def source() -> MemorySecrets:
    return MemorySecrets()


@pytest.fixture
def secrets(source, clock) -> CachedSecrets:
    return CachedSecrets(source, clock)


def test_the_source_is_asked_once_for_minutes(secrets, source, clock):
    first = secrets.pepper(), secrets.pepper(1), secrets.secret("lookup"), secrets.secret("cursor")
    clock.now += REFRESHED_AFTER - timedelta(seconds=1)
    again = secrets.pepper(), secrets.pepper(1), secrets.secret("lookup"), secrets.secret("cursor")

    assert first == again == (source.pepper(), source.pepper(1), source.secret("lookup"), source.secret("cursor"))
    assert source.calls == 2 + 4


def test_a_pepper_made_elsewhere_is_found_when_a_credential_names_it(secrets, source, clock):
    secrets.pepper()
    made = source.rotate_pepper()
    clock.now += ASKED_EVERY

    assert secrets.pepper(2) == made


def test_made_up_peppers_are_refused_and_buy_one_question_in_five_seconds(secrets, source, clock):
    secrets.pepper()
    clock.now += ASKED_EVERY

    for version in range(40, 60):
        with pytest.raises(UnknownPepper):
            secrets.pepper(version)

    assert source.calls == 2


def test_without_its_source_the_last_answer_serves_for_minutes_and_then_nothing_does(secrets, source, clock):
    pepper = secrets.pepper()
    source.gone = True

    clock.now += KEPT_WITHOUT_SOURCE - timedelta(seconds=1)
    assert secrets.pepper() == pepper

    clock.now += timedelta(seconds=1)
    with pytest.raises(Unavailable):
        secrets.pepper()


def test_a_source_that_is_gone_is_not_asked_at_every_call(secrets, source, clock, monkeypatch):
    secrets.pepper()
    asked = []
    clock.now += REFRESHED_AFTER

    def gone(name):
        asked.append(name)
        raise Unavailable

    monkeypatch.setattr(source, "read_secret", gone)
    for _ in range(10):
        secrets.pepper()

    assert asked == ["peppers"]


def test_a_source_that_came_back_is_heard(secrets, source, clock):
    secrets.pepper()
    source.gone = True
    clock.now += REFRESHED_AFTER
    secrets.pepper()
    source.gone = False
    made = source.rotate_pepper()
    clock.now += ASKED_EVERY

    assert secrets.pepper() == made


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"current": "one"},
        {"current": "1"},
        {"current": "1", "1": "not base64!"},
        {"current": "1", "1": b64encode(bytes(31)).decode()},
    ],
)
def test_a_pepper_that_is_not_one_is_never_used(secrets, source, monkeypatch, document):
    monkeypatch.setattr(source, "read_secret", lambda name: document)

    with pytest.raises(Broken):
        secrets.pepper()


def test_a_pepper_does_not_show(source):
    assert "key" not in repr(source.pepper())
