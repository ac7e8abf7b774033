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
