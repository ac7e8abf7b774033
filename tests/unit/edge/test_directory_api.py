"""Groups, roles and resources through the API."""

import pytest

from tests.world import Tenant, World


def test_a_groups_roles_are_its_members(tenant: Tenant):
    user = tenant.user()
    group = tenant.call("POST", "/v1/groups", {"name": "Engineers", "roles": ["operator"]}, expect=201).json["id"]
    tenant.call("PUT", f"/v1/groups/{group}/members/{user}", expect=204)
    tenant.world.clock.move(seconds=5)
    question = {"principal": {"type": "user", "id": user}, "action": "infrastructure:manage", "resource": "cluster:c"}

    assert tenant.call("POST", "/v1/authorize", question, expect=200).json["decision"] == "allow"
    told = tenant.call("GET", f"/v1/users/{user}/roles?explain=true", expect=200).json
    assert told["roles"] == ["operator"]
    assert told["sources"][0]["group_id"] == group
    assert tenant.call("GET", f"/v1/groups/{group}/members", expect=200).json["items"] == [{"user_id": user}]

    tenant.call("DELETE", f"/v1/groups/{group}/members/{user}", expect=204)
    tenant.world.clock.move(seconds=5)
    assert tenant.call("POST", "/v1/authorize", question, expect=200).json["decision"] == "deny"


def test_a_role_of_ones_own_grants_what_it_says(tenant: Tenant):
    tenant.call("POST", "/v1/roles", {"name": "shipper", "actions": ["orders.shipments.*"]}, expect=201)
    tenant.world.clock.move(seconds=5)
    user = tenant.user(roles=("shipper",))
    tenant.world.clock.move(seconds=5)

    def decision(action: str) -> str:
        question = {"principal": {"type": "user", "id": user}, "action": action, "resource": "shipment:s"}
        return tenant.call("POST", "/v1/authorize", question, expect=200).json["decision"]

    assert decision("orders.shipments.create") == "allow"
    assert decision("orders.orders.create") == "deny"


def test_the_built_in_roles_are_fixed(tenant: Tenant):
    body = {"actions": ["*"]}

    assert tenant.call("PATCH", "/v1/roles/viewer", body, headers={"If-Match": "*"}).status == 409
    assert tenant.call("DELETE", "/v1/roles/admin", headers={"If-Match": "*"}).status == 409
    names = [role["name"] for role in tenant.call("GET", "/v1/roles", expect=200).json["items"]]
    assert names[:5] == ["admin", "operator", "developer", "viewer", "billing"]


def test_a_resource_is_made_by_put_and_changed_only_with_if_match(tenant: Tenant):
    path, body = "/v1/resources/cluster/cls_eu01", {"attributes": {"region": "eu"}, "environment": "live"}

    made = tenant.call("PUT", path, body, expect=200)
    assert tenant.call("PUT", path, body).status == 428
    assert tenant.call("PUT", path, body, headers={"If-None-Match": "*"}).status == 412
    assert tenant.call("PUT", path, body, headers={"If-Match": '"v7"'}).status == 412
    changed = tenant.call("PUT", path, body, expect=200, headers={"If-Match": made.headers["etag"]})

    assert changed.json["version"] == 2
    assert tenant.call("GET", path, expect=200).json["environment"] == "live"
    tenant.call("DELETE", path, expect=204, headers={"If-Match": "*"})
    assert tenant.call("GET", path).status == 404


@pytest.mark.parametrize("name", ["arn:aws:eks:eu-central-1:1:cluster/cls_eu01", "a/b/c", "\u00e9", "x" * 256])
def test_any_string_that_others_call_a_resource_is_its_id(tenant: Tenant, name: str):
    path = f"/v1/resources/cluster/{name}"

    made = tenant.call("PUT", path, {"attributes": {"region": "eu"}}, expect=200).json

    assert (made["type"], made["id"]) == ("cluster", name)
    assert tenant.call("GET", path, expect=200).json == made
    tenant.call("DELETE", path, expect=204, headers={"If-Match": "*"})


@pytest.mark.parametrize("roles", [["nosuch"], ["viewer", "nosuch"]])
def test_a_client_is_given_roles_that_there_are(tenant: Tenant, roles: list[str]):
    client = {"name": "c", "type": "confidential", "grant_types": ["client_credentials"], "scopes": ["orders:read"]}
    made = tenant.call("POST", "/v1/oauth-clients", {**client, "roles": ["viewer"]}, expect=201).json

    for reply in (
        tenant.call("POST", "/v1/oauth-clients", {**client, "roles": roles}),
        tenant.call("PATCH", f"/v1/oauth-clients/{made['client_id']}", {"roles": roles}, headers={"If-Match": "*"}),
    ):
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, f"/roles/{len(roles) - 1}")


def test_a_client_whose_role_is_gone_can_still_be_changed(tenant: Tenant):
    tenant.call("POST", "/v1/roles", {"name": "passing", "actions": ["orders:read"]}, expect=201)
    tenant.world.clock.move(seconds=5)
    client = {"name": "c", "type": "confidential", "grant_types": ["client_credentials"], "scopes": ["orders:read"]}
    made = tenant.call("POST", "/v1/oauth-clients", {**client, "roles": ["passing"]}, expect=201).json
    tenant.call("DELETE", "/v1/roles/passing", expect=204, headers={"If-Match": "*"})
    tenant.world.clock.move(seconds=5)

    path, body = f"/v1/oauth-clients/{made['client_id']}", {"name": "d", "roles": ["passing"]}
    assert tenant.call("PATCH", path, body, expect=200, headers={"If-Match": "*"}).json["name"] == "d"


def test_a_role_that_there_is_says_so(tenant: Tenant):
    role = {"name": "twice", "actions": ["orders:read"]}
    tenant.call("POST", "/v1/roles", role, expect=201)

    assert tenant.call("POST", "/v1/roles", role, expect=409).json["detail"] == "A role of this name exists already."


def test_the_last_administrator_stays(tenant: Tenant):
    path = f"/v1/users/{tenant.admin_id}"

    for method, where, body in (
        ("PUT", f"{path}/roles", {"roles": ["viewer"]}),
        ("PATCH", path, {"status": "suspended"}),
        ("DELETE", path, None),
    ):
        reply = tenant.call(method, where, body, headers={"If-Match": "*"})
        assert (reply.status, reply.json["code"]) == (409, "would_lock_out")


def test_a_policy_may_not_lock_everyone_out(tenant: Tenant):
    deny = {"effect": "deny", "actions": ["settings:manage"], "resources": ["*"]}
    policy = {"name": "p", "document": deny, "attachments": [{"type": "tenant", "id": tenant.id}]}

    reply = tenant.call("POST", "/v1/policies", policy)

    assert (reply.status, reply.json["code"]) == (409, "would_lock_out")


def test_a_role_is_read_by_its_name(world: World, tenant: Tenant):
    made = tenant.call("POST", "/v1/roles", {"name": "sre", "actions": ["orders:read"]}, expect=201)
    other = world.tenant("others", "admin@others.test")

    read = tenant.call("GET", "/v1/roles/sre", expect=200)

    assert (read.json, read.headers["etag"]) == (made.json, made.headers["etag"])
    assert tenant.call("GET", "/v1/roles/viewer", expect=200).json["actions"] == ["*:read"]
    assert other.call("GET", "/v1/roles/sre").status == 404


def test_of_a_group_that_is_gone_nobody_is_told_to_be_a_member(tenant: Tenant):
    user = tenant.user("grouped@acme.test")
    ids = [tenant.call("POST", "/v1/groups", {"name": name}, expect=201).json["id"] for name in ("here", "gone")]
    for group in ids:
        tenant.call("PUT", f"/v1/groups/{group}/members/{user}", expect=204)

    tenant.call("DELETE", f"/v1/groups/{ids[1]}", expect=204, headers={"If-Match": "*"})

    assert tenant.call("GET", f"/v1/users/{user}", expect=200).json["groups"] == [ids[0]]
    listed = tenant.call("GET", "/v1/users?email=grouped@acme.test", expect=200).json["items"]
    assert listed[0]["groups"] == [ids[0]]
