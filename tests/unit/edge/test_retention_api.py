"""How long a tenant's log is kept, through the API."""

from datetime import timedelta

import boto3

from platforma.kernel.clock import parse_rfc3339
from tests.world import BUCKET, REGION, Tenant, World

WHERE = "/v1/audit/retention"


def locks(tenant: Tenant) -> dict[str, tuple[int, str]]:
    """By object of the tenant's log: the year until which it is locked, and whether it is held."""
    s3 = boto3.client("s3", region_name=REGION)
    found = {}
    for one in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{tenant.id}/")["Contents"]:
        now = s3.head_object(Bucket=BUCKET, Key=one["Key"])
        found[one["Key"]] = (now["ObjectLockRetainUntilDate"].year, now.get("ObjectLockLegalHoldStatus"))
    return found


def run(world: World) -> dict[str, int]:
    event = {"source": "schedule", "job": "keep"}
    answer = world.function("audit_relay").handler(event, type("Context", (), {"aws_request_id": "keep"})())
    return dict(answer["keepings"])


def test_a_longer_term_and_a_hold_are_set_and_applied_to_all_of_the_log(world: World, tenant: Tenant):
    tenant.call("GET", "/v1/users", expect=200)
    world.clock.move(minutes=2)
    world.sweep()
    assert tenant.call("GET", WHERE, expect=200).json["years"] == 2

    made = tenant.call("PUT", WHERE, {"years": 7, "legal_hold": True}, expect=200)
    assert (made.json["applied"], made.headers["etag"]) == (False, '"v1"')
    world.clock.move(seconds=91)
    assert (run(world)["locked"] > 0, run(world)) == (True, {"locked": 0, "open": 0})
    tenant.call("GET", "/v1/users", expect=200)
    world.sweep()

    year = world.clock().year + 7
    assert set(locks(tenant).values()) == {(year, "ON")}
    assert tenant.call("GET", WHERE, expect=200).json["applied"] is True
    (event,) = tenant.events(action="audit.retention.set")
    assert event["changes"] == {"before": {"years": 2, "legal_hold": False}, "after": {"years": 7, "legal_hold": True}}
    assert parse_rfc3339(made.json["changed_at"]) + timedelta(seconds=91) == world.clock()


def test_a_hold_that_is_lifted_is_lifted_on_all_of_the_log(world: World, tenant: Tenant):
    tenant.call("PUT", WHERE, {"years": 2, "legal_hold": True}, expect=200)
    world.sweep()
    held = set(locks(tenant).values())
    tenant.call("PUT", WHERE, {"years": 2}, headers={"If-Match": "*"}, expect=200)
    world.clock.move(seconds=91)

    run(world)

    year = world.clock().year + 2
    assert (held, set(locks(tenant).values())) == ({(year, "ON")}, {(year, "OFF")})


def test_nobody_makes_it_shorter(tenant: Tenant):
    tenant.call("PUT", WHERE, {"years": 7}, expect=200)

    for years in (1, 6, 31):
        assert tenant.call("PUT", WHERE, {"years": years}, headers={"If-Match": "*"}).status == 422
    assert tenant.call("GET", WHERE, expect=200).json["years"] == 7


def test_a_change_needs_the_version_that_it_is_of(tenant: Tenant):
    tenant.call("PUT", WHERE, {"years": 3}, expect=200)

    assert tenant.call("PUT", WHERE, {"years": 4}).status == 428
    assert tenant.call("PUT", WHERE, {"years": 4}, headers={"If-Match": '"v9"'}).status == 412
    assert tenant.call("PUT", WHERE, {"years": 4}, headers={"If-Match": '"v1"'}).status == 200


def test_under_a_hold_nobody_is_erased(tenant: Tenant):
    ada = tenant.user("ada@acme.test")
    tenant.call("PUT", WHERE, {"years": 2, "legal_hold": True}, expect=200)

    refused = tenant.call("POST", f"/v1/users/{ada}/erasure")

    assert (refused.status, refused.json["code"]) == (409, "legal_hold")
    tenant.call("PUT", WHERE, {"years": 2}, headers={"If-Match": "*"}, expect=200)
    assert tenant.call("POST", f"/v1/users/{ada}/erasure").status == 202


def test_who_may_read_the_log_decides_nothing(world: World, tenant: Tenant):
    reader = world.token(tenant.client_with(scopes=("audit:read",), roles=("admin",)))

    assert world.call("GET", WHERE, token=reader).status == 200
    assert world.call("PUT", WHERE, token=reader, json_body={"years": 7}).status == 403


def test_a_tenant_whose_log_is_held_is_not_deleted(world: World, tenant: Tenant):
    tenant.call("PUT", WHERE, {"years": 2, "legal_hold": True}, expect=200)
    platform = world.token(world.platform_client)

    for query in ("", "?immediate=true"):
        reply = world.call("DELETE", f"/v1/tenants/{tenant.id}{query}", token=platform, headers={"If-Match": "*"})
        assert (reply.status, reply.json["code"]) == (409, "legal_hold")
    assert tenant.call("GET", "/v1/me").status == 200
    tenant.call("PUT", WHERE, {"years": 2, "legal_hold": False}, headers={"If-Match": "*"}, expect=200)
    reply = world.call("DELETE", f"/v1/tenants/{tenant.id}", token=platform, headers={"If-Match": "*"})
    assert reply.status == 202
