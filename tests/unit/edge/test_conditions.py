"""`If-Match` as RFC 9110 section 13.1.1 has it."""

from collections.abc import Iterator

import pytest

from tests.world import Tenant, World, running


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def group(tenant: Tenant) -> str:
    group = tenant.call("POST", "/v1/groups", {"name": "crew"}, expect=201).json["id"]
    for name in ("a", "b"):
        tenant.call("PATCH", f"/v1/groups/{group}", {"name": name}, expect=200, headers={"If-Match": "*"})
    return str(group)


def renamed(tenant: Tenant, group: str, condition: str | None) -> int:
    headers = {} if condition is None else {"If-Match": condition}
    return tenant.call("PATCH", f"/v1/groups/{group}", {"name": "c"}, headers=headers).status


@pytest.mark.parametrize("tag", ['"v1"', '"v2"', '"v9"', '"v0"', '"other"', '""', 'W/"v3"', '"v1", "v2"', '"v3", "v4"'])
def test_a_tag_of_no_version_that_stands_fails(tenant: Tenant, group: str, tag: str):
    assert renamed(tenant, group, tag) == 412


@pytest.mark.parametrize("condition", ["v3", "", "**", '"v3', 'w/"v3"', '"v3" "v4"', '"v3",', "*, *"])
def test_what_is_no_tag_is_malformed(tenant: Tenant, group: str, condition: str):
    assert renamed(tenant, group, condition) == 400


def test_without_a_condition_nothing_is_changed(tenant: Tenant, group: str):
    assert renamed(tenant, group, None) == 428


def test_of_several_tags_one_that_stands_is_enough(tenant: Tenant):
    group = tenant.call("POST", "/v1/groups", {"name": "several"}, expect=201).json["id"]

    reply = tenant.call("PATCH", f"/v1/groups/{group}", {"description": "d"}, headers={"If-Match": '"other" , "v1"'})

    assert reply.status == 200, reply.text


def test_no_tag_makes_what_is_made_by_put(tenant: Tenant):
    reply = tenant.call("PUT", "/v1/resources/cluster/c1", {"attributes": {}}, headers={"If-Match": '"other"'})

    assert reply.status == 412


def test_a_tenants_restoration_may_name_a_version(world: World, tenant: Tenant):
    other = world.tenant("other", "admin@other.test").id
    platform = world.token(world.platform_client)
    deleted = world.call("DELETE", f"/v1/tenants/{other}", token=platform, headers={"If-Match": "*"})

    stale = world.call("POST", f"/v1/tenants/{other}/restore", token=platform, headers={"If-Match": '"v1"'})
    restored = world.call("POST", f"/v1/tenants/{other}/restore", token=platform)

    assert (deleted.status, stale.status, restored.status) == (202, 412, 200)


# Reading what one has (section 13.1.2)


@pytest.mark.parametrize("known", ['"v1"', 'W/"v1"', '"other", "v1"', "*"])
def test_what_the_caller_has_is_not_sent_again(tenant: Tenant, known: str):
    role = tenant.call("POST", "/v1/roles", {"name": f"r{len(known)}", "actions": ["orders:read"]}, expect=201).json["name"]

    reply = tenant.call("GET", f"/v1/roles/{role}", headers={"If-None-Match": known})

    assert (reply.status, reply.headers["etag"], reply.text) == (304, '"v1"', "")


def test_what_changed_since_is_sent(tenant: Tenant):
    role = tenant.call("POST", "/v1/roles", {"name": "changing", "actions": ["orders:read"]}, expect=201).json["name"]
    tenant.call("PATCH", f"/v1/roles/{role}", {"description": "new"}, expect=200, headers={"If-Match": "*"})

    reply = tenant.call("GET", f"/v1/roles/{role}", expect=200, headers={"If-None-Match": '"v1"'})

    assert (reply.headers["etag"], reply.json["description"]) == ('"v2"', "new")


def test_where_more_is_shown_than_a_version_tells_all_is_sent(world: World, tenant: Tenant):
    """A key's last use makes no version of it."""
    key = tenant.call(
        "POST", "/v1/api-keys", {"name": "k", "environment": "live", "scopes": ["orders:read"]}, expect=201
    ).json
    world.call("GET", "/v1/me", headers={"X-API-Key": key["key"]})

    reply = tenant.call("GET", f"/v1/api-keys/{key['id']}", expect=200, headers={"If-None-Match": '"v1"'})

    assert reply.json["last_used_at"] is not None


def test_nobody_learns_by_a_condition_of_what_they_may_not_read(world: World, tenant: Tenant):
    assert world.call("GET", "/v1/roles/admin", headers={"If-None-Match": "*"}).status == 401
    assert tenant.call("GET", "/v1/roles/nosuch", headers={"If-None-Match": "*"}).status == 404
