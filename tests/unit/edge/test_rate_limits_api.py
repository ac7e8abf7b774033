"""Limits that keys share, through the API."""

import pytest

LIMIT = {"limit": 3, "period_seconds": 3600}
KEY = {"name": "k", "environment": "live", "scopes": ["settings:read"]}


@pytest.fixture
def tenant(world):
    return world.tenant()


def test_an_owners_limit_holds_for_its_keys_here_and_in_verification(world, tenant):
    owner = {"type": "oauth_client", "id": tenant.client["client_id"]}
    keys = [tenant.call("POST", "/v1/api-keys", KEY, expect=201).json["key"] for _ in range(2)]
    reply = tenant.call("PUT", f"/v1/rate-limits/oauth_client/{owner['id']}", LIMIT, expect=200)
    assert reply.json == {"holder": owner, **LIMIT}
    world.clock.move(seconds=3)

    assert [world.call("GET", "/v1/users", token=key).status for key in keys] == [200, 200]
    verified = tenant.call("POST", "/v1/api-keys/verify", {"key": keys[0]}, expect=200).json
    assert (verified["valid"], verified["rate_limit"]["of"], verified["rate_limit"]["remaining"]) == (True, "owner", 0)
    refused = world.call("GET", "/v1/users", token=keys[1])
    verified = tenant.call("POST", "/v1/api-keys/verify", {"key": keys[0]}, expect=200).json

    assert (refused.status, refused.headers["retry-after"]) == (429, "3600")
    assert (verified["valid"], verified["code"]) == (False, "rate_limited")


def test_a_tenants_limit_is_set_by_the_platform_and_seen_by_the_tenant(world, tenant):
    platform = world.token(world.platform_client)
    path = f"/v1/tenants/{tenant.id}/rate-limit"

    set_ = world.call("PUT", path, token=platform, json_body={"limit": 1, "period_seconds": 60})
    world.clock.move(seconds=3)

    key = tenant.call("POST", "/v1/api-keys", KEY, expect=201).json["key"]
    assert set_.json == world.call("GET", path, token=platform).json
    assert tenant.call("GET", f"/v1/rate-limits/tenant/{tenant.id}", expect=200).json["limit"] == 1
    assert [world.call("GET", "/v1/users", token=key).status for _ in range(2)] == [200, 429]
    assert world.call("DELETE", path, token=platform, headers={"If-Match": set_.headers["etag"]}).status == 204
    world.clock.move(seconds=3)
    assert world.call("GET", "/v1/users", token=key).status == 200


def test_a_tenant_neither_lifts_its_own_limit_nor_touches_anothers(world, tenant):
    other = world.tenant("other", "admin@other.test")

    assert tenant.call("PUT", f"/v1/tenants/{tenant.id}/rate-limit", LIMIT).status == 403
    assert tenant.call("PUT", f"/v1/rate-limits/tenant/{tenant.id}", LIMIT).status == 403
    assert tenant.call("GET", f"/v1/rate-limits/tenant/{other.id}").status == 404
    for holder in (
        f"user/{other.admin_id}",
        f"oauth_client/{other.client['client_id']}",
        f"tenant/{other.id}",
        "role/admin",
    ):
        assert tenant.call("PUT", f"/v1/rate-limits/{holder}", LIMIT).status == 404


def test_replacing_a_limit_needs_its_version(world, tenant):
    path = f"/v1/rate-limits/user/{tenant.admin_id}"
    tenant.call("PUT", path, LIMIT, expect=200)

    assert tenant.call("PUT", path, LIMIT).status == 428
    assert tenant.call("PUT", path, LIMIT, headers={"If-Match": '"v2"'}).status == 412
    assert tenant.call("PUT", path, {"limit": 4, "period_seconds": 60}, headers={"If-Match": '"v1"'}).json["limit"] == 4
    (changed, _) = tenant.events(action="settings.rate_limits.set", result="success")
    assert changed["resource"] == tenant.admin_id
    assert changed["changes"]["before"] == LIMIT
