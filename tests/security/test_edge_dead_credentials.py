"""What was a credential once: it opens nothing, its tenant is told, and nobody can flood a log with it."""

from typing import Any

from tests.world import Tenant, World

KEY = {"name": "k", "environment": "live", "scopes": ["infrastructure:read"]}
ANY = {"If-Match": "*"}
FORM = {"grant_type": "client_credentials"}


def key(tenant: Tenant) -> dict[str, Any]:
    return tenant.call("POST", "/v1/api-keys", KEY, expect=201).json


def told_of(tenant: Tenant, principal: str) -> list[tuple[str, str | None]]:
    return [(each["result"], each["reason"]) for each in tenant.events(result="denied") if each["principal_id"] == principal]


def test_the_use_of_a_revoked_key_is_told_in_its_tenants_log_once_a_minute(world: World, tenant: Tenant):
    made = key(tenant)
    tenant.call("DELETE", f"/v1/api-keys/{made['id']}", expect=204, headers=ANY)

    assert {world.call("GET", "/v1/me", token=made["key"]).status for _ in range(5)} == {401}

    assert told_of(tenant, made["id"]) == [("denied", "unauthenticated")]
    world.clock.move(minutes=1)
    world.call("GET", "/v1/me", token=made["key"])
    assert len(told_of(tenant, made["id"])) == 2


def test_the_use_of_a_suspended_clients_secret_is_told_once_a_minute(world: World, tenant: Tenant):
    client = tenant.client_with(("viewer",))
    path = f"/v1/oauth-clients/{client['client_id']}"
    tenant.call("PATCH", path, {"status": "suspended"}, expect=200, headers=ANY)

    answers = {world.call("POST", "/oauth2/token", form=FORM, headers=world.basic(client)).status for _ in range(5)}

    assert answers == {401}
    assert told_of(tenant, client["client_id"]) == [("denied", "invalid_client")]


def test_a_guess_at_a_secret_is_told_in_no_tenants_log(world: World, tenant: Tenant):
    made = key(tenant)
    guessed = made["key"][:40] + ("A" if made["key"][40] != "A" else "B") + made["key"][41:]
    client = {**tenant.client, "client_secret": tenant.client["client_secret"][:-1] + "!"}

    assert world.call("GET", "/v1/me", token=guessed).status == 401
    assert world.call("POST", "/oauth2/token", form=FORM, headers=world.basic(client)).status == 401
    assert told_of(tenant, made["id"]) == told_of(tenant, client["client_id"]) == []


def test_credentials_of_a_shredded_tenant_are_refused_like_any(world: World):
    gone = world.tenant("gone", "admin@gone.test")
    made, token = key(gone), gone.token
    platform = world.token(world.platform_client)
    path = f"/v1/tenants/{gone.id}?immediate=true"
    assert world.call("DELETE", path, token=platform, headers=ANY).status == 202
    world.clock.move(minutes=10)

    assert world.call("GET", "/v1/me", token=made["key"]).status == 401
    assert world.call("GET", "/v1/me", token=token).status == 401
    assert world.call("POST", "/oauth2/token", form=FORM, headers=world.basic(gone.client)).status == 401
