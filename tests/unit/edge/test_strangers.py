"""Requests of nobody known, from the access log into the platform's log; and the relay's ring."""

import base64
import gzip
import json

import pytest

from platforma.edge.gateway_log import stranger_action
from tests.world import Tenant, World


def logged(*lines: dict[str, object]) -> dict[str, object]:
    events = [{"id": str(at), "timestamp": 1, "message": json.dumps(line)} for at, line in enumerate(lines)]
    document = {"messageType": "DATA_MESSAGE", "logEvents": events}
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()}}


def line(world: World, request_id: str, path: str, status: int, *, answered: bool = True, method: str = "GET"):
    return {
        "requestId": request_id,
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
    seen = line(world, "r-1", "/v1/users", 401)

    record(world, seen)
    record(world, seen)

    (event,) = platform_events(world, request_id="r-1")
    assert (event["action"], event["result"], event["principal_type"]) == ("settings.users.list", "denied", "anonymous")
    assert event["ip_address"] == "198.51.100.9"
    assert tenant.events(request_id="r-1") == []


def test_what_a_tenants_log_tells_is_not_told_twice(world: World, tenant: Tenant):
    assert record(world, line(world, "r-2", "/v1/users", 200), line(world, "r-3", "/v1/users", 403))["recorded"] == 0


@pytest.mark.parametrize(
    ("path", "status", "answered", "action"),
    [
        ("/.well-known/jwks.json", 200, True, "oauth.signing_keys.list"),
        ("/nothing", 404, False, "gateway.requests.refused"),
        ("/v1/users/usr_x", 401, True, "settings.users.get"),
        ("/v1/users/usr_x", 503, False, "settings.users.get"),
        ("/v1/users/usr_x", 404, True, None),
    ],
)
def test_which_requests_are_nobodys(world: World, path: str, status: int, answered: bool, action: str | None):
    from platforma.audit.access_log import lines_of

    (read,) = lines_of(logged(line(world, "r", path, status, answered=answered)))

    assert stranger_action(read) == action


def test_a_bell_enters_what_waits_for_that_log(world: World, tenant: Tenant):
    tenant.call("GET", "/v1/users", expect=200)
    key = {"pk": {"S": f"{tenant.id}#PENDING"}, "sk": {"S": "PENDING#x"}}
    bell = {"Records": [{"eventName": "INSERT", "dynamodb": {"Keys": key}}]}

    done = world.function("audit_relay").handler(bell, type("Context", (), {"aws_request_id": "ring"})())

    assert done["entered"] >= 1
    assert all(event["sequence"] is not None for event in tenant.events(action="settings.users.list"))
