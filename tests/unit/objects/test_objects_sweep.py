"""What objects leave behind is swept, what they need stays; and they move on with their tenant's key."""

import boto3
import pytest

from tests.unit.objects.test_objects_api import complete, get, put, raw, send, start
from tests.world import OBJECTS, REGION, World, running


@pytest.fixture
def world(monkeypatch):
    with running(monkeypatch) as made:
        yield made


def tick(world: World) -> dict:
    return world.function("keys_upkeep").handler({}, type("Context", (), {"aws_request_id": "tick"})())


def stored() -> int:
    return boto3.client("s3", region_name=REGION).list_objects_v2(Bucket=OBJECTS).get("KeyCount", 0)


def test_what_was_left_behind_is_swept_and_what_is_needed_is_not(world):
    tenant = world.tenant()
    put(tenant, "kept", b"kept")
    put(tenant, "replaced", b"old")
    put(tenant, "replaced", b"new", **{"If-Match": "*"})
    abandoned, done = start(tenant, "abandoned"), start(tenant, "uploaded")
    send(tenant, abandoned, 1, b"x")
    complete(tenant, done, {1: send(tenant, done, 1, b"uploaded").json["sha256"]})
    assert stored() == 5

    world.clock.move(days=1, minutes=1)
    tick(world)
    assert stored() == 4
    world.clock.move(days=34)
    tick(world)
    world.clock.move(minutes=5)

    assert stored() == 3
    assert [raw(get(tenant, key)) for key in ("kept", "replaced", "uploaded")] == [b"kept", b"new", b"uploaded"]
    assert get(tenant, "replaced?version=1").status == 404


def test_objects_go_on_opening_when_their_tenants_key_has_moved_on(world):
    tenant = world.tenant()
    put(tenant, "moved", b"moved")
    tenant.call("POST", "/v1/encryption/keys/rotate", expect=200)
    tenant.call("POST", "/v1/encryption/rewrap?trim=at_once", expect=202)
    for _ in range(12):
        world.clock.move(seconds=61)
        tick(world)

    assert tenant.call("GET", "/v1/encryption/rewrap", expect=200).json["status"] == "done"
    world.clock.move(minutes=10)
    assert raw(get(tenant, "moved")) == b"moved"
    assert len(tenant.call("GET", "/v1/objects", expect=200).json["items"]) == 1
