"""A tenant of two logs on the deployed system: written through the URL, read as one, each whole and verified by itself."""

import base64
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from platforma.audit import note, tree
from platforma.kernel.clock import rfc3339
from tests.integration.conftest import Running
from tests.integration.test_audit_log import until, verified
from tests.planting import spread

EVENTS = 16


@dataclass
class Busy:
    """The tenant, its client, and what was asked: request ids, and ids of a service's events."""

    running: Running
    id: str
    token: str
    began: datetime
    requests: set[str] = field(default_factory=set)
    written: list[str] = field(default_factory=list)

    @property
    def logs(self) -> list[str]:
        return [self.id, f"{self.id}.2"]

    def call(self, method: str, path: str, *, expect: int | None = 200, **more: Any) -> httpx.Response:
        answer = self.running.call(method, path, token=self.token, **more)
        assert expect is None or answer.status_code == expect, answer.text
        self.requests.add(answer.headers["x-request-id"])
        return answer

    def run(self, function: str) -> None:
        """Do now what a schedule has this function do."""
        self.running.aws("lambda").invoke(FunctionName=f"platforma-{function}", Payload=b'{"source": "schedule"}')

    def keys(self, log_id: str) -> list[str]:
        return list(self.call("GET", f"/audit/{log_id}/keys").json()["keys"])

    def proved(self) -> list[dict[str, Any]] | None:
        """The proofs of the service's events, once all of them have one."""
        self.run("audit_relay")
        answers = [self.call("GET", f"/v1/audit/events/{id_}/proof", expect=None) for id_ in self.written]
        assert {answer.status_code for answer in answers} <= {200, 202}
        return None if any(answer.status_code == 202 for answer in answers) else [answer.json() for answer in answers]


@pytest.fixture(scope="module")
def busy(running: Running) -> Busy:
    """Two logs, and events in both."""
    began, platform = datetime.now(UTC), running.token(running.stack["platform_client"])
    admin = {"email": f"a-{secrets.token_hex(4)}@busy.test", "name": "A"}
    made = running.call("POST", "/v1/tenants", token=platform, json={"name": "busy", "admin": admin})
    assert made.status_code == 201, made.text
    tenant = made.json()["id"]
    spread(running, tenant)
    asked = {"tenant_id": tenant, "first_client": {"name": "service", "roles": ["admin"]}}
    answer = running.aws("lambda").invoke(FunctionName="platforma-platform_setup", Payload=json.dumps(asked).encode())
    client = json.loads(answer["Payload"].read())
    busy = Busy(running, tenant, running.token(client), began)
    now = datetime.now(UTC) - timedelta(seconds=EVENTS)
    said = {"action": "orders.invoices.pay", "result": "success"}
    events = [{"id": f"inv-{at}", "timestamp": rfc3339(now + timedelta(seconds=at)), **said} for at in range(EVENTS)]
    busy.written = busy.call("POST", "/v1/audit/events", json=events).json()["ids"]
    until(busy.proved, "checkpoints of both logs")
    return busy


def test_a_search_over_both_is_one_answer_in_order_page_by_page(busy: Busy):
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    asked = {"action": "orders.invoices.*", "order": "asc", "limit": "5"}
    while True:
        page = busy.call("GET", "/v1/audit/events", params=asked | cursor).json()
        found += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert [event["id"] for event in found] == busy.written
    assert sorted(found, key=lambda event: event["timestamp"]) == found


def test_events_of_both_are_proved_against_their_own_logs_checkpoint_and_disclosed(busy: Busy, tmp_path: Path):
    listed = busy.call("GET", "/v1/audit/logs").json()["items"]
    assert [log["id"] for log in listed] == busy.logs
    keys = {log_id: busy.keys(log_id) for log_id in busy.logs}
    proved: dict[str, str] = {}
    for id_, proof in zip(busy.written, busy.proved() or [], strict=True):
        log_id = proof["log_id"]
        checkpoint = note.verify(proof["checkpoint"].encode(), [*map(note.parse_key, keys[log_id])])
        assert checkpoint.origin.endswith(f"/audit/{log_id}")
        path = [base64.b64decode(hash_) for hash_ in proof["hashes"]]
        tree.verify_inclusion(
            tree.leaf_hash(proof["entry"].encode()), proof["leaf_index"], checkpoint.size, path, checkpoint.root
        )
        assert json.loads(proof["entry"])["id"] == id_
        proved[log_id] = id_
    assert sorted(proved) == busy.logs

    for log_id, id_ in proved.items():
        signed = busy.call("GET", f"/audit/{log_id}/checkpoint").content
        assert note.verify(signed, [*map(note.parse_key, keys[log_id])]).size > 1
        file = tmp_path / f"{log_id}.json"
        file.write_bytes(busy.call("GET", f"/v1/audit/events/{id_}/disclosure").content)
        assert verified(file, keys[log_id]) == (0, True)
        [other] = set(busy.logs) - {log_id}
        assert verified(file, keys[other]) == (1, False)


def test_an_export_covers_both_and_so_does_the_bucket_and_each_is_verified_offline(busy: Busy, tmp_path: Path):
    keys = [key for log_id in busy.logs for key in busy.keys(log_id)]
    body = {"format": "jsonl", "from": rfc3339(busy.began - timedelta(minutes=1)), "to": rfc3339(datetime.now(UTC))}
    asked = busy.call("POST", "/v1/audit/exports", json=body, expect=202).json()

    def made() -> dict[str, Any] | None:
        busy.run("audit_relay")
        busy.run("audit_export")
        answer = busy.call("GET", f"/v1/audit/exports/{asked['id']}").json()
        assert answer["status"] != "failed", answer
        return dict(answer) if answer["status"] == "done" else None

    export, folder = until(made, "the export"), tmp_path / "export"
    folder.mkdir()
    (folder / "manifest.json").write_bytes(httpx.get(export["manifest_url"]).content)
    for file in export["files"]:
        (folder / file["name"]).write_bytes(httpx.get(file["url"]).content)
    lines = [line for file in folder.glob("events-*") for line in file.read_text().splitlines()]
    assert set(busy.written) < {json.loads(line)["id"] for line in lines}
    assert verified(folder, keys) == (0, True)

    s3, bucket, copy = busy.running.aws("s3"), busy.running.output["AuditBucket"], tmp_path / "bucket"
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=busy.id):
        for one in page["Contents"]:
            place = copy / one["Key"]
            place.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, one["Key"], str(place))
    assert sorted(place.name for place in copy.iterdir()) == busy.logs
    assert verified(copy, keys) == (0, True)
    next((copy / busy.logs[1] / "segments").iterdir()).unlink()
    assert verified(copy, keys) == (1, False)


def test_every_request_has_its_event_in_whichever_log(running: Running, token: str, busy: Busy):
    """Also one that the gateway refuses by itself, of which no function ever hears, and one by a method not taken."""
    running.call("GET", "/v1/users", token=token)
    refused, not_taken = (
        running.call(method, path).headers["x-request-id"]
        for method, path in (("GET", "/no/such/path"), ("PUT", "/oauth2/authorize"))
    )
    asked = set(busy.requests)
    now = datetime.now(UTC)
    span = {"from": rfc3339(now - timedelta(hours=1)), "to": rfc3339(now + timedelta(hours=1))}

    def told(token: str, at_least: int) -> dict[str, Any] | None:
        answer = running.call("GET", "/v1/audit/completeness", token=token, params=span)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.json()["requests_seen"] >= at_least else None

    for whose, at_least in ((token, 1), (busy.token, len(asked))):
        found = until(partial(told, whose, at_least), "reconciled minutes", within=480)
        assert found["events_found"] == found["requests_seen"]
        assert (found["missing"], found["missing_count"]) == ([], 0)
    platform = running.token(running.stack["platform_client"])

    def strangers(request_id: str) -> list[dict[str, Any]] | None:
        answer = running.call("GET", "/v1/audit/events", token=platform, params={"request_id": request_id})
        return answer.json()["items"] or None

    for request_id, reason in ((refused, "GET 404"), (not_taken, "PUT 405")):
        [event] = until(partial(strangers, request_id), "the refused request's event")
        assert (event["action"], event["principal_type"]) == ("gateway.requests.refused", "anonymous")
        assert event["reason"] == reason
