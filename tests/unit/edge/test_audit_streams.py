"""Streams through the API: made, changed, replayed, pushed by the worker, and only by those who may."""

import json
from typing import Any

import pytest

from platforma import bootstrap
from platforma.audit.streams.errors import Unreached
from platforma.audit.streams.model import Message
from tests.world import Tenant, World

PATH = "/v1/audit/streams"
ASKED = {"name": "siem", "destination": {"type": "https", "url": "https://siem.test/in"}}

ROLE = {"role_arn": "arn:aws:iam::222222222222:role/siem"}
BUCKET = {"type": "s3", "bucket": "their-log", "region": "eu-central-1", "prefix": "platforma/", **ROLE}
BUS = {"type": "eventbridge", "event_bus_arn": "arn:aws:events:eu-central-1:222222222222:event-bus/siem", **ROLE}


class Receiver:
    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[bytes] = []

    def __call__(self, _tenant_id: str, _destination: Any, message: Message) -> None:
        self.bodies.append(message.body)
        if self.status != 200:
            raise Unreached(cause=f"status {self.status}")

    @property
    def actions(self) -> list[str]:
        return [json.loads(line)["action"] for body in self.bodies for line in body.splitlines()]


@pytest.fixture
def receiver(world: World, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    found = Receiver()
    monkeypatch.setattr(bootstrap.parts.audit, "receivers", lambda: found)
    return found


def push(world: World) -> dict[str, int]:
    world.clock.move(minutes=2)
    world.sweep()
    context = type("Context", (), {"aws_request_id": "streams"})()
    return dict(world.function("audit_export").handler({"source": "schedule", "job": "streams"}, context))


def test_a_stream_is_made_pushed_and_tells_how_it_goes(world: World, tenant: Tenant, receiver: Receiver):
    made = tenant.call("POST", PATH, ASKED, expect=201)
    stream = made.json
    tenant.call("GET", "/v1/users", expect=200)

    done = push(world)

    assert stream["secret"].startswith("whsec_")
    assert made.headers["etag"] == '"v1"'
    assert done["delivered"] >= 2
    assert "settings.users.list" in receiver.actions
    shown = tenant.call("GET", f"{PATH}/{stream['id']}", expect=200)
    assert "secret" not in shown.json
    assert (shown.json["health"]["status"], shown.json["health"]["logs"][0]["log"]) == ("healthy", tenant.id)
    (event,) = tenant.events(request_id=made.request_id)
    assert (event["action"], event["changes"]["after"]["destination"]["url"]) == (
        "audit.streams.create",
        "https://siem.test",
    )
    assert stream["secret"] not in json.dumps(event)


def test_the_secret_in_a_receivers_url_is_in_no_event(world: World, tenant: Tenant):
    hooked = {**ASKED, "destination": {"type": "https", "url": "https://siem.test/hooks/s3cr3t-path?token=s3cr3t-query"}}
    where = f"{PATH}/{tenant.call('POST', PATH, hooked, expect=201).json['id']}"
    tenant.call("PATCH", where, hooked, headers={"If-Match": "*"}, expect=200)
    tenant.call("DELETE", where, headers={"If-Match": "*"}, expect=204)

    events = tenant.events(action="audit.streams.*")

    assert {event["action"].rpartition(".")[2] for event in events} >= {"create", "update", "delete"}
    assert "s3cr3t" not in json.dumps(events)


def test_a_receiver_that_is_down_is_told_of_and_waits(world: World, tenant: Tenant, receiver: Receiver):
    stream = tenant.call("POST", PATH, ASKED, expect=201).json
    receiver.status = 500

    done = push(world)

    health = tenant.call("GET", f"{PATH}/{stream['id']}", expect=200).json["health"]
    assert done["failing"] == 1
    assert (health["status"], health["error"], health["tries"]) == ("failing", "status 500", 1)
    assert health["next_try_at"] is not None
    assert health["logs"][0]["behind"] > 0


def test_changes_need_the_version_that_stands(world: World, tenant: Tenant, receiver: Receiver):
    where = f"{PATH}/{tenant.call('POST', PATH, ASKED, expect=201).json['id']}"
    assert tenant.call("PATCH", where, {"enabled": False}).status == 428
    changed = tenant.call("PATCH", where, {"enabled": False}, headers={"If-Match": '"v1"'}, expect=200)
    assert tenant.call("PATCH", where, {"enabled": True}, headers={"If-Match": '"v1"'}).status == 412
    assert (changed.json["enabled"], changed.json["health"]["status"]) == (False, "disabled")

    push(world)
    tenant.call("DELETE", where, headers={"If-Match": changed.headers["etag"]}, expect=204)

    assert receiver.bodies == []
    assert tenant.call("GET", where).status == 404
    assert tenant.call("GET", PATH, expect=200).json["items"] == []


def test_a_secret_is_rotated_and_shown_once(world: World, tenant: Tenant):
    made = tenant.call("POST", PATH, ASKED, expect=201).json
    rotated = tenant.call("POST", f"{PATH}/{made['id']}/secret", expect=201).json

    assert rotated["secret"] != made["secret"]
    assert rotated["former_secret_until"] is not None


def test_a_stream_is_replayed(world: World, tenant: Tenant, receiver: Receiver):
    where = f"{PATH}/{tenant.call('POST', PATH, ASKED, expect=201).json['id']}"
    push(world)
    before = len(receiver.actions)

    replayed = tenant.call("POST", f"{where}/replay", {"from_sequence": 0}, expect=202).json

    assert replayed["health"]["logs"][0]["next_sequence"] == 0
    assert push(world)["delivered"] > before
    assert tenant.call("POST", f"{where}/replay", {"from_sequence": 10**9}).status == 422


@pytest.mark.parametrize(
    "body",
    [
        {**ASKED, "destination": {"type": "https", "url": "http://siem.test/in"}},
        {**ASKED, "destination": {"type": "https", "url": "https://u:p@siem.test/in"}},
        {**ASKED, "destination": {"type": "smtp", "url": "https://siem.test/in"}},
        {**ASKED, "destination": {**BUCKET, "role_arn": "arn:aws:iam::1:user/x"}},
        {**ASKED, "destination": {**BUCKET, "bucket": "../x"}},
        {**ASKED, "destination": {**BUS, "event_bus_arn": "default"}},
        {**ASKED, "destination": {**BUS, "url": "https://siem.test/in"}},
        {**ASKED, "format": "csv"},
        {**ASKED, "name": ""},
        {**ASKED, "more": 1},
    ],
)
def test_what_is_no_stream_is_refused(tenant: Tenant, body: dict[str, Any]):
    assert tenant.call("POST", PATH, body).status == 422


def test_a_reader_of_the_log_decides_nothing_of_streams(world: World, tenant: Tenant):
    token = world.token(tenant.client_with(roles=("viewer",)))

    assert world.call("POST", PATH, json_body=ASKED, token=token).status == 403


@pytest.mark.parametrize("destination", [BUCKET, BUS])
def test_a_bucket_or_a_bus_is_named_with_the_role_that_trusts_the_tenants_external_id(
    tenant: Tenant, destination: dict[str, str]
):
    made = tenant.call("POST", PATH, {**ASKED, "destination": destination}, expect=201).json

    assert (made["destination"], made["external_id"]) == (destination, tenant.id)
