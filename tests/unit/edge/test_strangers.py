"""Requests of nobody known, from the logs into the platform's log; and the relay's ring."""

import base64
import gzip
import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from platforma.edge.gateway_log import ALONE
from platforma.kernel.clock import rfc3339
from platforma.kernel.tenancy import PLATFORM
from tests.world import Tenant, World


def logged(*lines: dict[str, object]) -> dict[str, object]:
    events = [{"id": str(at), "timestamp": 1, "message": json.dumps(line)} for at, line in enumerate(lines)]
    document = {"messageType": "DATA_MESSAGE", "logEvents": events}
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()}}


def line(world: World, request_id: str, path: str, status: int, *, answered: bool = True, method: str = "GET"):
    return {
        "requestId": "chosen by the caller",
        "extendedRequestId": request_id,
        "requestTimeEpoch": str(int(world.clock().timestamp() * 1000)),
        "ip": "198.51.100.9",
        "userAgent": "stranger/1.0",
        "httpMethod": method,
        "path": path,
        "status": str(status),
        "integrationStatus": "200" if answered else "-",
    }


def record(world: World, *lines: dict[str, object]) -> dict[str, object]:
    context = type("Context", (), {"aws_request_id": "shipped"})()
    return world.function("audit_gateway").handler(logged(*lines), context)


def platform_events(world: World, **filters: str) -> list[dict[str, object]]:
    token = world.token(world.platform_client)
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return world.call("GET", f"/v1/audit/events?{query}", token=token).json["items"]


def test_a_refused_stranger_is_told_of_in_the_platforms_log_once(world: World, tenant: Tenant):
    seen = line(world, "r-1", "/v1/users", 401, answered=False)

    record(world, seen)
    record(world, seen)

    (event,) = platform_events(world, request_id="r-1")
    assert (event["action"], event["result"], event["principal_type"]) == ("settings.users.list", "denied", "anonymous")
    assert event["ip_address"] == "198.51.100.9"
    assert tenant.events(request_id="r-1") == []


def test_strangers_who_all_choose_one_request_id_are_each_told_of(world: World, tenant: Tenant):
    """API Gateway takes `x-amzn-RequestId` from a caller as the request's id: ours is the one that it makes itself."""
    asked = [line(world, f"r-{number}", "/v1/users", 401, answered=False) for number in range(3)]
    assert len({one["requestId"] for one in asked}) == 1

    record(world, *asked)

    assert all(len(platform_events(world, request_id=f"r-{number}")) == 1 for number in range(3))


def test_a_request_id_that_a_caller_chose_is_not_the_requests(world: World, tenant: Tenant):
    first, second = tenant.call("GET", "/v1/me", expect=200), tenant.call("GET", "/v1/me", expect=200)

    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert len(tenant.events(request_id=first.headers["x-request-id"])) == 1


@pytest.fixture
def marks(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, object]]]:
    """What the functions logged of requests since the last time, as their log groups have it."""
    caplog.set_level("INFO")

    def told() -> list[dict[str, object]]:
        lines = [vars(line) | {"message": line.msg} for line in caplog.records if "record" in vars(line)]
        caplog.clear()
        return [{name: value for name, value in line.items() if name in TOLD} for line in lines]

    return told


TOLD = {"message", "record", "request_id", "received_at", "event_id", "tenant_id", "asked", "status", "operation"}
Marks = Callable[[], list[dict[str, object]]]


def test_what_a_tenants_log_tells_is_not_told_twice(world: World, tenant: Tenant, marks: Marks):
    marks()
    tenant.call("GET", "/v1/users", expect=200)
    tenant.call("GET", "/v1/users/usr_x", expect=404)

    assert record(world, *marks())["recorded"] == 0
    assert record(world, line(world, "r-2", "/v1/users", 200), line(world, "r-3", "/v1/users", 403))["recorded"] == 0


@pytest.mark.parametrize(
    ("path", "headers", "status", "action"),
    [
        ("/.well-known/jwks.json", {}, 200, "oauth.signing_keys.list"),
        ("/v1/users", {}, 401, "settings.users.list"),
        ("/v1/users", {"Authorization": "Bearer a", "X-API-Key": "b"}, 400, "settings.users.list"),
    ],
)
def test_a_strangers_request_is_told_as_its_function_marked_it(
    world: World, tenant: Tenant, marks: Marks, path: str, headers: dict[str, str], status: int, action: str
):
    marks()
    reply = world.call("GET", path, headers=headers)
    assert reply.status == status

    record(world, *marks())

    (event,) = platform_events(world, request_id=reply.request_id)
    assert (event["action"], event["resource"], event["ip_address"]) == (action, path, "203.0.113.7")


def test_a_token_request_that_fails_once_the_client_is_known_is_in_its_tenants_log_alone(
    world: World, tenant: Tenant, marks: Marks
):
    marks()
    form = {"grant_type": "client_credentials", "scope": "no such scope!"}
    reply = world.call("POST", "/oauth2/token", form=form, headers=world.basic(tenant.client))
    assert reply.status == 400

    assert record(world, *marks())["recorded"] == 0
    assert len(tenant.events(request_id=reply.request_id)) == 1


def test_a_dead_keys_refusal_is_in_its_tenants_log_alone(world: World, tenant: Tenant, marks: Marks):
    made = tenant.call("POST", "/v1/api-keys", {"name": "k", "environment": "live", "scopes": ["*"]}, expect=201).json
    tenant.call("DELETE", f"/v1/api-keys/{made['id']}", headers={"If-Match": "*"}, expect=204)
    marks()

    reply = world.call("GET", "/v1/users", token=made["key"])

    assert reply.status == 401
    assert record(world, *marks())["recorded"] == 0
    assert len(tenant.events(request_id=reply.request_id)) == 1


@pytest.mark.parametrize(
    ("path", "status", "action"),
    [("/nothing", 404, "gateway.requests.refused"), ("/v1/users/usr_x", 503, "settings.users.get")],
)
def test_what_no_function_answered_is_told_from_the_gateways_line(
    world: World, tenant: Tenant, path: str, status: int, action: str
):
    record(world, line(world, "r-9", path, status, answered=False))

    (event,) = platform_events(world, request_id="r-9")
    assert (event["action"], event["reason"]) == (action, f"GET {status}")


def test_strangers_stand_in_a_log_of_their_own(world: World, tenant: Tenant):
    record(world, line(world, "r-1", "/nothing", 404, answered=False))
    world.clock.move(minutes=2)
    world.sweep()

    token = world.token(world.platform_client)
    logs = {log["id"]: log for log in world.call("GET", "/v1/audit/logs", token=token).json["items"]}
    (event,) = platform_events(world, request_id="r-1")
    proof = world.call("GET", f"/v1/audit/events/{event['id']}/proof", token=token)

    assert proof.json["log_id"] == f"{PLATFORM}.2"
    assert logs[f"{PLATFORM}.2"]["size"] >= 1
    assert logs[PLATFORM]["size"] >= 1


def test_above_a_rate_strangers_are_told_of_together(world: World, tenant: Tenant):
    flood = [line(world, f"flood-{at}", "/nothing", 404, answered=False) for at in range(ALONE + 50)]

    record(world, *flood)
    record(world, *flood)

    token = world.token(world.platform_client)
    found = world.call("GET", "/v1/audit/events?action=gateway.requests.refused&limit=200", token=token).json["items"]
    (together,) = [event for event in found if "changes" in event]
    assert len(found) == ALONE + 1
    assert together["changes"]["aggregated"]["requests"] == 50
    assert together["ip_address"] is None


def test_every_request_is_shown_to_have_its_event(world: World, tenant: Tenant, marks: Marks):
    marks()
    since = world.clock()
    known = tenant.call("GET", "/v1/users", expect=200)
    stranger = world.call("GET", "/v1/users")
    told = marks()
    record(world, *told)
    answered = [(str(one["request_id"]), int(str(one["status"]))) for one in told]
    record(world, *(line(world, request_id, "/v1/users", status) for request_id, status in answered))

    reconciled(world)

    shown = completeness(tenant.token, world, since)
    assert known.request_id in {one[0] for one in answered}
    assert (shown["requests_seen"], shown["events_found"], shown["missing"]) == (len(answered) - 1, len(answered) - 1, [])
    platform = completeness(world.token(world.platform_client), world, since)
    assert (platform["requests_seen"], platform["missing"]) == (1, [])
    assert stranger.status == 401


def test_an_event_that_was_lost_and_a_request_that_nobody_marked_are_missing(world: World, tenant: Tenant, marks: Marks):
    marks()
    since = world.clock()
    lost = tenant.call("GET", "/v1/users", expect=200).request_id
    told = [one for one in marks() if one["request_id"] == lost]
    record(world, *({**one, "event_id": f"{str(one['event_id'])[:-4]}0000"} for one in told))
    record(world, line(world, lost, "/v1/users", 200), line(world, "unmarked", "/v1/users", 200))

    done = reconciled(world)

    assert completeness(tenant.token, world, since)["missing"] == [lost]
    assert completeness(world.token(world.platform_client), world, since)["missing"] == ["unmarked"]
    assert done["completeness"]["missing"] == 2


def test_completeness_is_asked_of_one_tenant_and_for_a_month_at_most(world: World, tenant: Tenant):
    ask = "/v1/audit/completeness?from={}&to={}"
    assert tenant.call("GET", ask.format("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z")).status == 422
    assert tenant.call("GET", ask.format("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z")).status == 422
    for since, until, at in (("soon", "2026-01-01T00:00:00Z", "/from"), ("2026-01-01T00:00:00Z", "later", "/to")):
        refused = tenant.call("GET", ask.format(since, until), expect=422).json
        assert [error["pointer"] for error in refused["errors"]] == [at]
    assert tenant.call("GET", "/v1/audit/completeness").status == 422


def reconciled(world: World) -> dict[str, dict[str, int]]:
    world.clock.move(minutes=3)
    context = type("Context", (), {"aws_request_id": "reconcile"})()
    return world.function("audit_relay").handler({"source": "schedule", "job": "reconcile"}, context)


def completeness(token: str, world: World, since: datetime) -> dict[str, object]:
    start, end = rfc3339(since), rfc3339(since + timedelta(minutes=1))
    reply = world.call("GET", f"/v1/audit/completeness?from={start}&to={end}", token=token)
    assert reply.status == 200, reply.text
    return reply.json


def test_a_bell_enters_what_waits_for_that_log(world: World, tenant: Tenant):
    tenant.call("GET", "/v1/users", expect=200)
    key = {"pk": {"S": f"{tenant.id}#PENDING"}, "sk": {"S": "PENDING#x"}}
    bell = {"Records": [{"eventName": "INSERT", "dynamodb": {"Keys": key}}]}

    done = world.function("audit_relay").handler(bell, type("Context", (), {"aws_request_id": "ring"})())

    assert done["entered"] >= 1
    assert all(event["sequence"] is not None for event in tenant.events(action="settings.users.list"))
