"""The keys of a secret scanner, kept and asked for anew."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from platforma.adapters.scanner_keys import FetchedScannerKeys
from platforma.kernel.errors import Unavailable
from platforma.oauth.errors import Unfetched

URL = "https://scanner.test/keys"


class Source:
    """What is at the URL: *keys* by identifier, or *answer* as it is; *gone* is what asking raises."""

    def __init__(self):
        self.keys, self.answer, self.gone, self.asked = {"a": "PEM a"}, None, None, []
        self.now = datetime(2026, 11, 24, tzinfo=UTC)

    def get(self, url):
        self.asked.append(url)
        if self.gone:
            raise self.gone
        listed = [{"key_identifier": name, "key": key, "is_current": True} for name, key in self.keys.items()]
        return json.dumps({"public_keys": listed}).encode() if self.answer is None else self.answer


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def keys(source):
    return FetchedScannerKeys(URL, source.get, lambda: source.now)


def test_keys_are_read_once_an_hour_from_the_one_address(source, keys):
    assert [keys.find("a") for _ in range(3)] == ["PEM a"] * 3
    assert source.asked == [URL]

    source.now += timedelta(hours=1)
    assert keys.find("a") == "PEM a"
    assert source.asked == [URL, URL]


def test_a_new_key_is_found_and_made_up_ones_ask_once_a_minute(source, keys):
    keys.find("a")
    source.keys["b"] = "PEM b"
    source.now += timedelta(minutes=1)

    assert keys.find("b") == "PEM b"
    assert [keys.find(f"made up {number}") for number in range(50)] == [None] * 50
    assert len(source.asked) == 2


def test_a_withdrawn_key_is_gone_within_the_hour(source, keys):
    keys.find("a")
    del source.keys["a"]
    source.now += timedelta(hours=1)

    assert keys.find("a") is None


@pytest.mark.parametrize("answer", [b"", b"{}", b"[]", b'{"public_keys": [1]}'])
def test_an_answer_that_is_none_is_unavailable(source, keys, answer):
    source.answer = answer

    with pytest.raises(Unavailable):
        keys.find("a")


def test_while_the_source_is_gone_the_last_keys_serve_for_a_day(source, keys):
    keys.find("a")
    source.gone = Unfetched(status=500)
    source.now += timedelta(hours=23)
    assert keys.find("a") == "PEM a"

    source.now += timedelta(hours=1)
    with pytest.raises(Unavailable):
        keys.find("a")


def test_while_the_source_is_gone_no_unknown_key_is_called_forged(source, keys):
    source.gone = Unfetched(cause="OSError")

    for _ in range(2):
        with pytest.raises(Unavailable):
            keys.find("a")
    assert len(source.asked) == 1
