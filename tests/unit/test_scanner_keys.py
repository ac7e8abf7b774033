"""The keys of a secret scanner, read from a server on this machine."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from platforma.adapters import scanner_keys
from platforma.adapters.scanner_keys import HTTPScannerKeys
from platforma.kernel.errors import Broken, Unavailable


class Source:
    """What the server answers: *keys* by identifier, or *answer* as it is."""

    def __init__(self):
        self.keys, self.answer, self.asked, self.status, self.headers = {"a": "PEM a"}, None, 0, 200, {}
        self.now = datetime(2026, 11, 24, tzinfo=UTC)

    def body(self):
        listed = [{"key_identifier": name, "key": key, "is_current": True} for name, key in self.keys.items()]
        return json.dumps({"public_keys": listed}).encode() if self.answer is None else self.answer


@pytest.fixture
def source(socket_enabled):
    state = Source()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            state.asked += 1
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(state.body())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/keys"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def keys(source):
    return HTTPScannerKeys(source.url, lambda: source.now)


def test_keys_are_read_once_an_hour(source, keys):
    assert [keys.find("a") for _ in range(3)] == ["PEM a"] * 3
    assert source.asked == 1

    source.now += timedelta(hours=1)
    assert keys.find("a") == "PEM a"
    assert source.asked == 2


def test_a_new_key_is_found_and_made_up_ones_ask_once_a_minute(source, keys):
    keys.find("a")
    source.keys["b"] = "PEM b"
    source.now += timedelta(minutes=1)

    assert keys.find("b") == "PEM b"
    assert [keys.find(f"made up {number}") for number in range(50)] == [None] * 50
    assert source.asked == 2


def test_a_withdrawn_key_is_gone_within_the_hour(source, keys):
    keys.find("a")
    del source.keys["a"]
    source.now += timedelta(hours=1)

    assert keys.find("a") is None


@pytest.mark.parametrize("answer", [b"", b"{}", b"[]", b'{"public_keys": [1]}', b"x" * (1 << 19)])
def test_an_answer_that_is_none_is_unavailable(source, keys, answer):
    source.answer = answer

    with pytest.raises(Unavailable):
        keys.find("a")


@pytest.mark.parametrize("status", [302, 404, 500])
def test_no_redirect_is_followed_and_no_failure_believed(source, keys, status):
    source.status, source.headers = status, {"Location": source.url}

    with pytest.raises(Unavailable):
        keys.find("a")

    assert source.asked == 1


def test_while_the_source_is_gone_the_last_keys_serve_for_a_day(source, keys):
    keys.find("a")
    source.status = 500
    source.now += timedelta(hours=23)
    assert keys.find("a") == "PEM a"

    source.now += timedelta(hours=1)
    with pytest.raises(Unavailable):
        keys.find("a")


@pytest.mark.parametrize("url", ["", "http://api.github.com/keys", "file:///etc/passwd", "http://127.0.0.1.evil.test/"])
def test_nothing_but_https_is_asked(url, monkeypatch):
    monkeypatch.setattr(scanner_keys, "_opener", lambda: pytest.fail("asked"))

    with pytest.raises(Broken):
        HTTPScannerKeys(url, lambda: datetime(2026, 11, 24, tzinfo=UTC)).find("a")
