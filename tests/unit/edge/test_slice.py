"""The main job, end to end in one process."""

from datetime import timedelta

import jwt
import pytest

from platforma.kernel.clock import parse_rfc3339
from tests.world import URL, Tenant, World

SAMPLE = {
    "effect": "allow",
    "actions": ["infrastructure:manage"],
    "resources": ["cluster:cls_eu*"],
    "conditions": {
        "ip_range": ["10.0.0.0/8"],
        "time_window": {"start": "06:00", "end": "22:00", "timezone": "Europe/Berlin"},
    },
}
NOON = "2026-11-24T11:00:00Z"


def test_discovery_and_jwks_verify_a_token_with_a_stock_library(world: World, tenant: Tenant):
    metadata = world.call("GET", "/.well-known/openid-configuration").json
    keys = jwt.PyJWKSet.from_dict(world.call("GET", metadata["jwks_uri"].removeprefix(URL)).json)
    token = tenant.token

    header = jwt.get_unverified_header(token)
    key = next(key for key in keys.keys if key.key_id == header["kid"])
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=URL, issuer=URL, options={"verify_iat": False})

    assert header["typ"] == "at+jwt"
    assert claims["tenant_id"] == tenant.id
    assert claims["exp"] - claims["iat"] == 3600


def test_a_key_is_issued_used_verified_and_revoked(world: World, tenant: Tenant):
    body = {"name": "k", "environment": "live", "scopes": ["settings:read"]}
    made = tenant.call("POST", "/v1/api-keys", body, expect=201).json

    assert world.call("GET", "/v1/users", headers={"X-API-Key": made["key"]}).status == 200
    own = world.call("GET", "/v1/audit/events", headers={"X-API-Key": made["key"]}).json["items"]
    assert {event["principal_id"] for event in own} <= {made["id"], tenant.client["client_id"]}
    assert tenant.call("POST", "/v1/api-keys/verify", {"key": made["key"]}, expect=200).json["code"] == "valid"
    tenant.call("DELETE", f"/v1/api-keys/{made['id']}", expect=204, headers={"If-Match": "*"})
    assert world.call("GET", "/v1/users", headers={"X-API-Key": made["key"]}).status == 401
    assert tenant.call("POST", "/v1/api-keys/verify", {"key": made["key"]}, expect=200).json["code"] == "revoked"


def test_the_secret_of_a_key_is_shown_once(tenant: Tenant):
    body = {"name": "k", "environment": "live", "scopes": ["settings:read"]}
    made = tenant.call("POST", "/v1/api-keys", body, expect=201).json

    assert made["key"] not in tenant.call("GET", f"/v1/api-keys/{made['id']}", expect=200).text
    assert made["key"] not in tenant.call("GET", "/v1/api-keys", expect=200).text


def test_a_test_key_reads_and_changes_nothing(world: World, tenant: Tenant):
    body = {"name": "k", "environment": "test", "scopes": ["*"]}
    key = {"X-API-Key": tenant.call("POST", "/v1/api-keys", body, expect=201).json["key"]}

    assert world.call("GET", "/v1/users", headers=key).status == 200
    assert world.call("POST", "/v1/users", headers=key, json_body={"email": "x@y.test", "name": "X"}).status == 403
    question = {"action": "infrastructure:read", "resource": "cluster:c"}
    assert world.call("POST", "/v1/authorize", headers=key, json_body=question).status == 200


@pytest.mark.parametrize(
    ("roles", "action", "resource", "ip", "time", "allowed"),
    [
        (("operator",), "infrastructure.clusters.update", "cluster:cls_eu01", "10.1.2.3", NOON, True),
        (("operator",), "infrastructure.clusters.update", "cluster:cls_us01", "10.1.2.3", NOON, False),
        (("operator",), "infrastructure.clusters.update", "cluster:cls_eu01", "203.0.113.42", NOON, False),
        (("operator",), "infrastructure.clusters.update", "cluster:cls_eu01", "10.1.2.3", "2026-11-24T22:00:00Z", False),
        (("viewer",), "infrastructure.clusters.get", "cluster:cls_us01", "203.0.113.42", NOON, True),
        ((), "infrastructure.clusters.get", "cluster:cls_eu01", None, NOON, False),
    ],
)
def test_the_sample_policy_decides(tenant: Tenant, roles, action, resource, ip, time, allowed):
    user = tenant.user(roles=roles)
    policy = {"name": "sample", "document": SAMPLE, "attachments": [{"type": "user", "id": user}]}
    tenant.call("POST", "/v1/policies", policy, expect=201)
    tenant.world.clock.move(seconds=5)
    context = {"time": time, **({"ip_address": ip} if ip else {})}
    question = {"principal": {"type": "user", "id": user}, "action": action, "resource": resource, "context": context}

    answer = tenant.call("POST", "/v1/authorize", question, expect=200).json

    assert answer["decision"] == ("allow" if allowed else "deny")
    batch = tenant.call("POST", "/v1/authorize/batch", {"requests": [question, question]}, expect=200).json["decisions"]
    assert [each["decision"] for each in batch] == [answer["decision"]] * 2


def test_an_unknown_principal_is_denied(tenant: Tenant):
    question = {
        "principal": {"type": "user", "id": "usr_01m86h9kkteqdtv79ft12yh2bc"},
        "action": "infrastructure:read",
        "resource": "cluster:c",
    }

    assert tenant.call("POST", "/v1/authorize", question, expect=200).json["decision"] == "deny"


def test_asking_about_another_needs_decisions_read(world: World, tenant: Tenant):
    client = tenant.client_with(("operator",))
    question = {"principal": {"type": "user", "id": tenant.admin_id}, "action": "orders:read", "resource": "order:o"}

    assert world.call("POST", "/v1/authorize", token=world.token(client), json_body=question).status == 403


def test_every_request_is_found_in_the_log_at_once(tenant: Tenant):
    read = tenant.call("GET", "/v1/users", expect=200)
    made = tenant.call("POST", "/v1/users", {"email": "new@acme.test", "name": "N"}, expect=201)
    bad = tenant.call("POST", "/v1/users", {"email": "bad"})

    for reply, action, result in (
        (read, "settings.users.list", "success"),
        (made, "settings.users.create", "success"),
        (bad, "settings.users.create", "failure"),
    ):
        (event,) = tenant.events(request_id=reply.request_id)
        assert (event["action"], event["result"]) == (action, result)
        assert event["ip_address"] == "203.0.113.7"
        assert event["user_agent"] == "tests/1.0"
    (event,) = tenant.events(request_id=made.request_id)
    assert event["resource"] == made.json["id"]


def test_a_denial_is_in_the_log_with_its_decision(world: World, tenant: Tenant):
    client = tenant.client_with(("viewer",))

    reply = world.call("GET", "/v1/users", token=world.token(client))

    assert reply.status == 403
    (event,) = tenant.events(request_id=reply.request_id)
    assert event["result"] == "denied"
    assert event["decision"]["result"] == "deny"
    assert event["principal_id"] == client["client_id"]


def test_a_stranger_enters_no_tenants_log(world: World, tenant: Tenant):
    reply = world.call("GET", f"/v1/users/{tenant.admin_id}", headers={"X-API-Key": "pk_live_" + "0" * 83})

    assert reply.status == 401
    assert tenant.events(request_id=reply.request_id) == []


def test_with_vault_sealed_nothing_is_half_done(world: World, tenant: Tenant):
    token = tenant.token
    world.vault.gone = True
    world.clock.move(minutes=20)

    reply = world.call("POST", "/v1/users", token=token, json_body={"email": "x@acme.test", "name": "X"})

    assert reply.status == 503
    assert int(reply.headers["retry-after"]) > 0
    world.vault.gone = False
    assert tenant.call("GET", "/v1/users?email=x@acme.test", expect=200).json["items"] == []


def test_me_tells_roles_and_permissions(tenant: Tenant):
    me = tenant.call("GET", "/v1/me", expect=200).json

    assert me["tenant_id"] == tenant.id
    assert me["roles"] == ["admin"]
    assert {"settings:manage", "audit:read"} <= set(me["permissions"])
    assert "platform:manage" not in me["permissions"]


def test_who_lacks_settings_manage_gives_no_more_than_they_hold(world: World, tenant: Tenant):
    client = tenant.client_with(("admin",), ("settings.clients.create", "infrastructure:read"))
    token = world.token(client)

    def create(**fields: list[str]) -> int:
        return world.call("POST", "/v1/oauth-clients", token=token, json_body={"name": "c", **fields}).status

    assert create(scopes=["infrastructure:read"]) == 201
    assert create(scopes=["infrastructure:manage"]) == 403
    assert create(scopes=["infrastructure:read"], roles=["admin"]) == 403


def test_a_key_made_through_a_token_has_at_most_its_scopes_and_life(world: World, tenant: Tenant):
    token = world.token(tenant.client, scope="settings:manage infrastructure:read")
    body = {"name": "k", "environment": "live", "scopes": ["infrastructure:read"], "expires_in": 86400}

    made = world.call("POST", "/v1/api-keys", token=token, json_body=body)
    wider = world.call("POST", "/v1/api-keys", token=token, json_body={**body, "scopes": ["infrastructure:manage"]})

    assert made.status == 201
    assert parse_rfc3339(made.json["expires_at"]) <= world.clock() + timedelta(hours=1)
    assert wider.status == 403
