"""A tenant's events pushed to a receiver of its choice by the deployed system: signed, in order, and after it was down."""

import base64
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.conftest import Running
from tests.integration.test_audit_log import until
from tests.peer import Peer, serving

PATH = "/v1/audit/streams"


@pytest.fixture(scope="module")
def peer(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with serving(running, tmp_path_factory.mktemp("receiver")) as made:
        yield made


def streaming(running: Running, token: str, url: str) -> dict[str, Any]:
    asked = {"name": "siem", "destination": {"type": "https", "url": url}}
    made = running.call("POST", PATH, token=token, json=asked)
    assert made.status_code == 201, made.text
    return dict(made.json())


def push(running: Running) -> None:
    """What the schedule does every minute; where that does it just now, this does nothing."""
    event = json.dumps({"source": "schedule", "job": "streams"}).encode()
    answer = running.aws("lambda").invoke(FunctionName=running.output["ExportFunction"], Payload=event)
    payload = answer["Payload"].read()
    assert "FunctionError" not in answer, payload


def health(running: Running, token: str, stream: dict[str, Any]) -> dict[str, Any]:
    return dict(running.call("GET", f"{PATH}/{stream['id']}", token=token).json()["health"])


def gone(running: Running, token: str, stream: dict[str, Any]) -> None:
    assert running.call("DELETE", f"{PATH}/{stream['id']}", token=token, headers={"If-Match": "*"}).status_code == 204


def test_events_are_pushed_signed_and_in_order_once_the_receiver_is_up(running: Running, token: str, peer: Peer):
    peer.answer = lambda _path, _form: (503, b"")
    stream = streaming(running, token, f"{peer.url}/in")
    request_id = running.call("GET", "/v1/users", token=token).headers["x-request-id"]

    def failing() -> bool | None:
        push(running)
        return health(running, token, stream)["status"] == "failing" or None

    until(failing, "a failure")
    assert health(running, token, stream)["error"] == "status 503"
    peer.answer = lambda _path, _form: (200, b"")

    def taken() -> list[tuple[dict[str, str], bytes]]:
        return [(headers, body) for status, headers, body in list(peer.bodies) if status == 200]

    def delivered() -> list[dict[str, Any]] | None:
        resumed = running.call(
            "PATCH", f"{PATH}/{stream['id']}", token=token, json={"enabled": True}, headers={"If-Match": "*"}
        )
        assert resumed.status_code == 200, resumed.text
        push(running)
        events = [json.loads(line) for _, body in taken() for line in body.splitlines()]
        return events if request_id in {event["request_id"] for event in events} else None

    events = until(delivered, "the event")
    gone(running, token, stream)
    for headers, body in taken():
        content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        mac = hmac.digest(base64.b64decode(stream["secret"].removeprefix("whsec_")), content, "sha256")
        assert headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"
    sequences = [event["sequence"] for event in events]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    assert {event["tenant_id"] for event in events} == {running.stack["tenant"]["id"]}
    assert all(event["ip_address"] for event in events if event["request_id"] == request_id)


def test_an_address_of_the_machine_itself_is_not_called(running: Running, token: str):
    stream = streaming(running, token, running.stack["vault"]["addr"])

    def failing() -> str | None:
        push(running)
        found = health(running, token, stream)
        return str(found["error"]) if found["status"] == "failing" else None

    error = until(failing, "a failure")
    gone(running, token, stream)
    assert error == "not a public address"
