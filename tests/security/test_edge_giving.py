"""Nobody without `settings:manage` gives more than they hold, whichever way round."""

from itertools import count
from typing import Any

import pytest

from tests.world import Reply, Tenant, World

ANY = {"If-Match": "*"}
_COUNT = count(1)
ALLOW = {"effect": "allow", "actions": ["audit:read"], "resources": ["*"]}
DENY = {"effect": "deny", "actions": ["infrastructure:manage"], "resources": ["*"]}
ROUTE = {"method": "GET", "path": "/clusters", "action": "infrastructure.clusters.list"}
KEY = {"name": "k", "environment": "live", "scopes": ["infrastructure:read"]}


class Delegate:
    """A client of role admin whose token reaches single operations and not `settings:manage`."""

    def __init__(self, tenant: Tenant, *scopes: str, roles: tuple[str, ...] = ("admin",)) -> None:
        self.client = tenant.client_with(roles, scopes)
        self.world, self.token = tenant.world, tenant.world.token(self.client)

    def call(self, method: str, path: str, body: Any = None) -> Reply:
        return self.world.call(method, path, token=self.token, json_body=body, headers=ANY)


def policy(tenant: Tenant, statement: dict[str, Any], kind: str, target: str) -> str:
    body = {"name": "p", "document": statement, "attachments": [{"type": kind, "id": target}]}
    made = tenant.call("POST", "/v1/policies", body, expect=201).json["id"]
    tenant.world.clock.move(seconds=5)
    return str(made)


def role(tenant: Tenant, *actions: str) -> str:
    name = f"role-{next(_COUNT)}"
    tenant.call("POST", "/v1/roles", {"name": name, "actions": list(actions)}, expect=201)
    tenant.world.clock.move(seconds=5)
    return name


def email() -> str:
    return f"user-{next(_COUNT)}@acme.test"


def group(tenant: Tenant) -> str:
    made = str(tenant.call("POST", "/v1/groups", {"name": f"group {next(_COUNT)}"}, expect=201).json["id"])
    tenant.world.clock.move(seconds=5)
    return made


def key(tenant: Tenant, **fields: Any) -> str:
    return str(tenant.call("POST", "/v1/api-keys", {**KEY, **fields}, expect=201).json["id"])


# Roles and groups carry the statements that are attached to them


def test_a_role_gives_what_is_attached_to_it(tenant: Tenant):
    policy(tenant, ALLOW, "role", reader := role(tenant, "infrastructure:read"))
    delegate = Delegate(tenant, "settings.user_roles.set", "infrastructure:read")
    user = tenant.user(email())

    assert delegate.call("PUT", f"/v1/users/{user}/roles", {"roles": [reader]}).status == 403
    assert tenant.call("PUT", f"/v1/users/{user}/roles", {"roles": [reader]}, headers=ANY).status == 200


def test_a_new_user_gets_no_role_whose_statements_give_more(tenant: Tenant):
    policy(tenant, ALLOW, "role", reader := role(tenant, "infrastructure:read"))
    delegate = Delegate(tenant, "settings.users.create", "infrastructure:read")
    body = {"email": email(), "name": "X", "roles": [reader]}

    assert delegate.call("POST", "/v1/users", body).status == 403


def test_a_group_gives_what_is_attached_to_it(tenant: Tenant):
    policy(tenant, ALLOW, "group", made := group(tenant))
    delegate = Delegate(tenant, "settings.group_members.add")

    assert delegate.call("PUT", f"/v1/groups/{made}/members/{tenant.user(email())}").status == 403


def test_a_group_gets_no_role_whose_statements_give_more(tenant: Tenant):
    policy(tenant, ALLOW, "role", reader := role(tenant, "infrastructure:read"))
    delegate = Delegate(tenant, "settings.group_roles.set", "settings.groups.create", "infrastructure:read")

    assert delegate.call("PUT", f"/v1/groups/{group(tenant)}/roles", {"roles": [reader]}).status == 403
    assert delegate.call("POST", "/v1/groups", {"name": "another", "roles": [reader]}).status == 403


def test_a_deny_is_not_escaped_by_leaving_the_role(tenant: Tenant):
    policy(tenant, DENY, "role", frozen := role(tenant, "billing:read"))
    user = tenant.user(email(), roles=(frozen,))
    delegate = Delegate(tenant, "settings.user_roles.set", "billing:read")

    assert delegate.call("PUT", f"/v1/users/{user}/roles", {"roles": []}).status == 403


def test_a_deny_is_not_escaped_by_leaving_the_group(tenant: Tenant):
    policy(tenant, DENY, "group", made := group(tenant))
    user = tenant.user(email())
    tenant.call("PUT", f"/v1/groups/{made}/members/{user}", expect=204)
    delegate = Delegate(tenant, "settings.group_members.remove", "settings.groups.delete")

    assert delegate.call("DELETE", f"/v1/groups/{made}/members/{user}").status == 403
    assert delegate.call("DELETE", f"/v1/groups/{made}").status == 403


def test_a_deny_is_not_escaped_by_deleting_the_role(tenant: Tenant):
    policy(tenant, DENY, "role", frozen := role(tenant, "billing:read"))

    assert Delegate(tenant, "settings.roles.delete").call("DELETE", f"/v1/roles/{frozen}").status == 403


def test_what_is_not_bounded_by_statements_is_given_as_before(tenant: Tenant):
    made, user = group(tenant), tenant.user(email())
    delegate = Delegate(tenant, "settings.group_members.add", "settings.user_roles.set", "infrastructure:*", "billing:read")

    assert delegate.call("PUT", f"/v1/groups/{made}/members/{user}").status == 204
    assert delegate.call("PUT", f"/v1/users/{user}/roles", {"roles": ["operator"]}).status == 200


# What is denied is not held


@pytest.mark.parametrize("denied", ["infrastructure:manage", "infrastructure.clusters.delete", "*", "infrastructure.*"])
def test_what_is_denied_is_not_given(tenant: Tenant, denied: str):
    delegate = Delegate(tenant, "settings.clients.create", "infrastructure:manage")
    statement = {**DENY, "actions": [denied], "conditions": {"ip_range": ["10.0.0.0/8"]}, "resources": ["cluster:*"]}
    policy(tenant, statement, "oauth_client", delegate.client["client_id"])

    assert delegate.call("POST", "/v1/oauth-clients", {"name": "c", "scopes": ["infrastructure:manage"]}).status == 403


def test_what_a_deny_leaves_is_given(tenant: Tenant):
    delegate = Delegate(tenant, "settings.clients.create", "infrastructure:manage", "billing:read")
    policy(tenant, DENY, "oauth_client", delegate.client["client_id"])

    assert delegate.call("POST", "/v1/oauth-clients", {"name": "c", "scopes": ["billing:read"]}).status == 201
    assert delegate.call("POST", "/v1/oauth-clients", {"name": "c", "scopes": ["infrastructure:read"]}).status == 201


def test_a_statement_on_a_key_is_not_escaped_by_a_key_made_through_it(world: World, tenant: Tenant):
    scopes = ["infrastructure:manage", "settings.api_keys.create"]
    made = tenant.call("POST", "/v1/api-keys", {**KEY, "scopes": scopes}, expect=201).json
    policy(tenant, DENY, "api_key", made["id"])

    reply = world.call("POST", "/v1/api-keys", token=made["key"], json_body={**KEY, "scopes": ["infrastructure:manage"]})

    assert reply.status == 403


# Taking a policy away gives


@pytest.mark.parametrize("statement", [DENY, {**ALLOW, "actions": ["infrastructure:manage"], "resources": ["cluster:eu*"]}])
def test_a_policy_that_takes_is_not_lifted_by_who_lacks_what_it_takes(tenant: Tenant, statement: dict[str, Any]):
    made = policy(tenant, statement, "user", tenant.user(email(), roles=("operator",)))
    delegate = Delegate(tenant, "settings.policies.*", "billing:read")
    harmless = {"name": "p", "document": {**ALLOW, "actions": ["billing:read"]}}

    assert delegate.call("DELETE", f"/v1/policies/{made}").status == 403
    assert delegate.call("PUT", f"/v1/policies/{made}", harmless).status == 403


def test_who_holds_what_a_policy_takes_may_lift_it(tenant: Tenant):
    made = policy(tenant, DENY, "user", tenant.user(email(), roles=("operator",)))

    assert (
        Delegate(tenant, "settings.policies.*", "infrastructure:manage").call("DELETE", f"/v1/policies/{made}").status == 204
    )


# Keys


def test_rotating_a_key_gives_no_more_than_the_credential_reaches(world: World, tenant: Tenant):
    wide = key(tenant, scopes=["*"])
    token = world.token(tenant.client, scope="settings:manage")

    assert world.call("POST", f"/v1/api-keys/{wide}/rotate", token=token, json_body={}).status == 403
    assert tenant.call("POST", f"/v1/api-keys/{wide}/rotate", {}).status == 201


@pytest.mark.parametrize("change", [{"enabled": True}, {"ip_range": []}, {"rate_limit": None}])
def test_a_key_that_reaches_further_is_not_widened(tenant: Tenant, change: dict[str, Any]):
    made = key(tenant, scopes=["orders:manage"], ip_range=["10.0.0.0/8"])

    assert Delegate(tenant, "settings.api_keys.update").call("PATCH", f"/v1/api-keys/{made}", change).status == 403


@pytest.mark.parametrize("change", [{"enabled": False}, {"name": "n"}])
def test_a_key_that_reaches_further_may_be_switched_off(tenant: Tenant, change: dict[str, Any]):
    made = key(tenant, scopes=["orders:manage"])

    assert Delegate(tenant, "settings.api_keys.update").call("PATCH", f"/v1/api-keys/{made}", change).status == 200


def test_a_key_bound_to_a_network_makes_none_that_is_free_of_it(world: World, tenant: Tenant):
    scopes = ["infrastructure:read", "settings.api_keys.create"]
    made = tenant.call("POST", "/v1/api-keys", {**KEY, "scopes": scopes, "ip_range": ["203.0.113.0/24"]}, expect=201).json

    reply = world.call("POST", "/v1/api-keys", token=made["key"], json_body=KEY)

    assert reply.status == 201
    outside = world.call("POST", "/v1/authorize", token=reply.json["key"], ip="198.51.100.1", json_body={})
    assert outside.status == 401


# Accounts, clients, other APIs


def test_attributes_that_policies_ask_for_are_given_by_who_manages(tenant: Tenant):
    user = tenant.user(email())
    delegate = Delegate(tenant, "settings.users.*")
    body = {"email": email(), "name": "X", "attributes": {"team": "sre"}}

    assert delegate.call("PATCH", f"/v1/users/{user}", {"attributes": {"team": "sre"}}).status == 403
    assert delegate.call("POST", "/v1/users", body).status == 403
    assert delegate.call("PATCH", f"/v1/users/{user}", {"name": "N"}).status == 200


@pytest.mark.parametrize("change", [{"email": "mine@evil.test"}, {"status": "active"}])
def test_an_account_that_may_do_more_is_not_taken_over(tenant: Tenant, change: dict[str, Any]):
    delegate = Delegate(tenant, "settings.users.update", "infrastructure:manage", "billing:read")

    assert delegate.call("PATCH", f"/v1/users/{tenant.admin_id}", change).status == 403
    assert delegate.call("PATCH", f"/v1/users/{tenant.user(email(), roles=('operator',))}", change).status == 200


def test_an_account_that_may_do_more_by_a_group_is_not_taken_over(tenant: Tenant):
    user, made = tenant.user(email()), group(tenant)
    tenant.call("PUT", f"/v1/groups/{made}/roles", {"roles": ["admin"]}, expect=200, headers=ANY)
    tenant.call("PUT", f"/v1/groups/{made}/members/{user}", expect=204)
    delegate = Delegate(tenant, "settings.users.update", "infrastructure:manage")

    assert delegate.call("PATCH", f"/v1/users/{user}", {"email": "mine@evil.test"}).status == 403
    assert delegate.call("PATCH", f"/v1/users/{user}", {"name": "N"}).status == 200


def test_a_suspended_client_is_brought_back_by_who_holds_what_it_does(tenant: Tenant):
    client = tenant.client_with(("viewer",), ("orders:read",))["client_id"]
    tenant.call("PATCH", f"/v1/oauth-clients/{client}", {"status": "suspended"}, expect=200, headers=ANY)
    delegate = Delegate(tenant, "settings.clients.update")

    assert delegate.call("PATCH", f"/v1/oauth-clients/{client}", {"status": "active"}).status == 403


def test_what_a_route_is_called_is_said_by_who_manages(tenant: Tenant):
    """A second API of the same host whose routes have harmless names would open the first."""
    body = {"name": "a", "audience": f"https://{next(_COUNT)}.test", "environment": "live", "routes": [ROUTE]}
    delegate = Delegate(tenant, "settings.protected_apis.*", "infrastructure:read")

    assert delegate.call("POST", "/v1/protected-apis", body).status == 403
    made = tenant.call("POST", "/v1/protected-apis", body, expect=201).json["id"]
    assert delegate.call("DELETE", f"/v1/protected-apis/{made}").status == 403


def test_what_policies_go_by_is_told_of_a_resource_by_who_manages(tenant: Tenant):
    """The tier that a statement asks for, or the environment; what nobody goes by is told by whoever may tell."""
    tier = {"resource_attributes": {"tier": "low"}}
    policy(tenant, {**ALLOW, "actions": ["orders:read"], "conditions": tier}, "user", tenant.user(email()))
    delegate = Delegate(tenant, "settings.resources.*")

    def put(identity: str, **told: Any) -> int:
        return delegate.call("PUT", f"/v1/resources/order/{identity}", told).status

    tenant.call("PUT", "/v1/resources/order/o1", {"attributes": {"tier": "high", "note": "a"}}, expect=200)
    assert put("o1", attributes={"tier": "low", "note": "a"}) == 403
    assert put("o1", attributes={"note": "a"}) == 403
    assert put("o1", attributes={"tier": "high", "note": "b"}, environment="test") == 403
    assert delegate.call("DELETE", "/v1/resources/order/o1").status == 403
    assert put("o1", attributes={"tier": "high", "note": "b"}) == 200
    tenant.call("PUT", "/v1/resources/order/o2", {"attributes": {"note": "a"}}, expect=200)
    assert delegate.call("DELETE", "/v1/resources/order/o2").status == 204


def test_a_former_version_is_brought_back_by_who_may_give_it(tenant: Tenant):
    made = policy(tenant, ALLOW, "user", tenant.user(email()))
    lesser = {"name": "p", "document": {**ALLOW, "actions": ["orders:read"]}, "attachments": []}
    tenant.call("PUT", f"/v1/policies/{made}", lesser, expect=200, headers=ANY)
    delegate = Delegate(tenant, "settings.policies.*", "orders:read")

    assert delegate.call("POST", f"/v1/policies/{made}/rollback", {"version": 1}).status == 403
    assert delegate.call("POST", f"/v1/policies/{made}/rollback", {"version": 2}).status == 200


def test_a_protected_api_is_changed_by_who_manages(tenant: Tenant):
    body = {"name": "a", "audience": f"https://{next(_COUNT)}.test", "environment": "live", "routes": [ROUTE]}
    made = tenant.call("POST", "/v1/protected-apis", body, expect=201).json["id"]

    assert Delegate(tenant, "settings.protected_apis.*").call("PATCH", f"/v1/protected-apis/{made}", {}).status == 403


# The platform's own domain


@pytest.mark.parametrize("actions", [["platform:manage"], ["platform.tenants.create"], ["platform:*"]])
def test_no_tenant_reaches_the_platforms_domain(world: World, tenant: Tenant, actions: list[str]):
    statement = {"effect": "allow", "actions": actions, "resources": ["*"]}

    for path, body in (
        ("/v1/roles", {"name": "r", "actions": actions}),
        ("/v1/policies", {"name": "p", "document": statement, "attachments": []}),
        ("/v1/oauth-clients", {"name": "c", "scopes": actions}),
        ("/v1/api-keys", {"name": "k", "environment": "live", "scopes": actions}),
    ):
        assert tenant.call("POST", path, body).status in (403, 422), path


def test_a_client_with_the_platforms_role_is_no_platform_client(world: World, tenant: Tenant):
    made = tenant.call("POST", "/v1/oauth-clients", {"name": "c", "roles": ["platform"], "scopes": ["*"]})

    if made.status == 201:
        assert world.call("GET", "/v1/tenants", token=world.token(made.json)).status == 403
