"""Tenants never see each other: generated from the endpoint table."""

from typing import Any

import pytest

from platforma.audit.cosignature import WitnessKey
from platforma.edge.endpoints import ENDPOINTS
from tests.fakes.identity_provider import FakeIdentityProvider
from tests.world import PASSWORD, Tenant, World

STATEMENT = {"effect": "allow", "actions": ["infrastructure:read"], "resources": ["*"]}
ROUTE = {"method": "GET", "path": "/clusters", "action": "infrastructure.clusters.list", "resource": {"type": "cluster"}}
MADE: dict[str, tuple[str, dict[str, Any]]] = {
    "client": ("/v1/oauth-clients", {"name": "c", "scopes": ["*"]}),
    "api_key": ("/v1/api-keys", {"name": "k", "environment": "test", "scopes": ["infrastructure:read"]}),
    "user": ("/v1/users", {"email": "eve@acme.test", "name": "Eve", "password": PASSWORD}),
    "sso_connection": (
        "/v1/sso-connections",
        {"name": "i", "type": "saml", "saml": {"metadata_xml": FakeIdentityProvider().metadata()}},
    ),
    "stream": ("/v1/audit/streams", {"name": "s", "destination": {"type": "https", "url": "https://siem.test/in"}}),
    "witness": (
        "/v1/audit/witnesses",
        {"verifier_key": str(WitnessKey("witness.test/w", bytes(32))), "url": "https://witness.test"},
    ),
    "policy": ("/v1/policies", {"name": "p", "document": STATEMENT}),
    "protected_api": (
        "/v1/protected-apis",
        {"name": "a", "audience": "https://a.test", "environment": "live", "routes": [ROUTE]},
    ),
}
BODIES: dict[str, Any] = {
    "audit.streams.update": {"name": "n"},
    "audit.streams.replay": {"from_sequence": 0},
    "settings.clients.update": {"name": "n"},
    "settings.api_keys.update": {"name": "n"},
    "settings.api_keys.rotate": {},
    "settings.users.update": {"name": "n"},
    "settings.sso_connections.update": {"name": "n"},
    "settings.sso_connections.verify": {"groups": ["g"]},
    "settings.user_roles.set": {"roles": []},
    "settings.passwords.set": {"current_password": "none", "new_password": "none"},
    "settings.policies.rollback": {"version": 1},
    "settings.protected_apis.update": {"name": "n"},
    "settings.policies.update": {"name": "n", "document": STATEMENT},
}
ROWS = [row for row in ENDPOINTS if "{id}" in row.path and row.resource in MADE and not row.public]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.operation)
def test_another_tenants_thing_is_as_if_it_did_not_exist(world: World, tenant: Tenant, row):
    path, body = MADE[row.resource]
    made = tenant.call("POST", path, body, expect=201).json
    theirs = made.get("id") or made["client_id"]
    other = world.tenant("other", "admin@other.test")
    nobody = theirs[:-4] + "0000"
    headers = {"If-Match": "*"} if row.if_match else {}

    def answer(identity: str) -> tuple[int, str, str]:
        where = row.path.replace("{id}", identity).replace("{secret_id}", "none")
        reply = other.call(row.method, where, BODIES.get(row.operation), headers=headers)
        return reply.status, reply.json["code"], reply.json["detail"]

    assert answer(theirs) == answer(nobody)
    assert answer(theirs)[0] == 404


@pytest.mark.parametrize("resource", sorted(MADE))
def test_lists_hold_ones_own_alone(world: World, tenant: Tenant, resource: str):
    path, body = MADE[resource]
    made = tenant.call("POST", path, body, expect=201).json
    other = world.tenant("other", "admin@other.test")

    listed = other.call("GET", path, expect=200).json["items"]

    assert (made.get("id") or made["client_id"]) not in {each.get("id") or each["client_id"] for each in listed}


def test_another_tenants_key_is_unknown(world: World, tenant: Tenant):
    path, body = MADE["api_key"]
    key = tenant.call("POST", path, body, expect=201).json["key"]
    other = world.tenant("other", "admin@other.test")

    told = other.call("POST", "/v1/api-keys/verify", {"key": key}, expect=200).json
    nothing = dict.fromkeys(("key_id", "tenant_id", "environment", "scopes", "expires_at", "rate_limit"))
    assert told == {"valid": False, "code": "unknown", **nothing}


def test_another_tenants_events_are_not_found(world: World, tenant: Tenant):
    mine = tenant.call("GET", "/v1/users", expect=200).request_id
    other = world.tenant("other", "admin@other.test")

    assert len(tenant.events(request_id=mine)) == 1
    assert other.events(request_id=mine) == []


def test_an_administrator_is_no_platform_client(tenant: Tenant):
    assert tenant.call("GET", "/v1/tenants").status == 403
    assert tenant.call("GET", f"/v1/tenants/{tenant.id}").status == 403
