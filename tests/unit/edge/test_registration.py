"""Clients by their own hand: initial access tokens, registration, management."""

from collections.abc import Iterator

import pytest

from platforma import bootstrap
from tests.world import URL, Reply, Tenant, World, running

METADATA = {
    "client_name": "Dashboard",
    "grant_types": ["client_credentials"],
    "scope": "infrastructure:read",
    "logo_uri": "https://a.test/logo.png",
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


def initial(tenant: Tenant, **fields: object) -> str:
    body = {"scopes": ["infrastructure:*"], **fields}
    reply = tenant.call("POST", "/v1/oauth-clients/initial-access-tokens", body, expect=201)
    return str(reply.json["initial_access_token"])


def register(world: World, token: str, **metadata: object) -> Reply:
    return world.call("POST", "/oauth2/register", token=token, json_body={**METADATA, **metadata})


@pytest.fixture
def registered(world: World, tenant: Tenant) -> dict[str, str]:
    reply = register(world, initial(tenant))
    assert reply.status == 201, reply.text
    return reply.json


def managed(world: World, client: dict[str, str], method: str, body: object = None, token: str | None = None) -> Reply:
    path = client["registration_client_uri"].removeprefix(URL)
    return world.call(method, path, token=token or client["registration_access_token"], json_body=body)


def refused(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json["error"]


def test_a_client_that_registered_itself_gets_tokens(world, registered):
    assert registered["client_secret_expires_at"] == 0
    assert world.token(registered)


def test_a_registration_is_told_in_the_tenants_log(tenant, registered):
    (event,) = tenant.events(action="oauth.registrations.create", resource=registered["client_id"])

    assert (event["result"], event["resource_type"]) == ("success", "oauth_client")


def test_an_initial_access_token_is_good_once(world, tenant):
    token = initial(tenant)
    register(world, token)

    assert refused(register(world, token)) == (401, "invalid_token")


def test_an_initial_access_token_ends(world, tenant):
    token = initial(tenant, expires_in=60)
    world.clock.move(seconds=60)

    assert refused(register(world, token)) == (401, "invalid_token")


@pytest.mark.parametrize("token", ["", "junk", "iat_", "iat_e30.AAAA", "iat_ü.x"])
def test_a_made_up_token_registers_nobody(world, token):
    assert refused(register(world, token or "x")) == (401, "invalid_token")


def test_a_token_that_was_tampered_with_registers_nobody(world, tenant):
    payload, _, mac = initial(tenant).rpartition(".")

    assert refused(register(world, f"{payload}A.{mac}")) == (401, "invalid_token")


@pytest.mark.parametrize(
    "scope", ["settings:manage", "*", "infrastructure:read settings:read", "openid profile settings:read"]
)
def test_a_client_gets_no_more_than_its_token_allows(world, tenant, scope):
    assert refused(register(world, initial(tenant), scope=scope)) == (400, "invalid_client_metadata")


def test_nobody_makes_themselves_first_party_or_gives_themselves_roles(world, tenant):
    made = register(world, initial(tenant), first_party=True, roles=["admin"], tenant_id="ten_x", client_id="cli_x").json

    client = tenant.call("GET", f"/v1/oauth-clients/{made['client_id']}", expect=200).json
    assert (client["first_party"], client["roles"], client["tenant_id"]) == (False, [], tenant.id)


def test_who_may_not_give_a_scope_lets_nobody_register_for_it(world, tenant):
    weak = tenant.client_with(("operator",))
    token = world.token(weak)
    body = {"scopes": ["settings:manage"]}

    assert world.call("POST", "/v1/oauth-clients/initial-access-tokens", token=token, json_body=body).status == 403


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"redirect_uris": ["http://evil.test/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://a.test/"}, "invalid_redirect_uri"),
        ({"grant_types": ["password"]}, "invalid_client_metadata"),
        ({"grant_types": ["authorization_code"]}, "invalid_redirect_uri"),
        ({"grant_types": ["authorization_code"], "redirect_uris": []}, "invalid_redirect_uri"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"response_types": ["code", "id_token"]}, "invalid_client_metadata"),
        ({"subject_type": "pairwise"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": 1}, "invalid_client_metadata"),
        ({"client_name": 1}, "invalid_client_metadata"),
        ({"scope": ["a"]}, "invalid_client_metadata"),
        ({"jwks": {"keys": [1]}}, "invalid_client_metadata"),
    ],
)
def test_what_may_not_be_registered_is_told(world, tenant, metadata, error):
    assert refused(register(world, initial(tenant), **metadata)) == (400, error)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"a":1,"a":2}'])
def test_what_is_no_document_is_an_invalid_request(world, tenant, raw):
    headers = {"Content-Type": "application/json"}

    assert refused(world.call("POST", "/oauth2/register", token=initial(tenant), raw=raw, headers=headers)) == (
        400,
        "invalid_request",
    )


def test_a_registration_is_read_with_its_token_and_no_secret_is_told_again(world, registered):
    read = managed(world, registered, "GET")

    assert read.status == 200
    assert "client_secret" not in read.json
    assert read.json["registration_access_token"] == registered["registration_access_token"]


def test_a_change_replaces_the_registration_and_its_token(world, tenant, registered):
    body = {
        **METADATA,
        "client_id": registered["client_id"],
        "client_name": "Renamed",
        "scope": "infrastructure.clusters.get",
    }

    changed = managed(world, registered, "PUT", body)

    assert (changed.status, changed.json["client_name"], changed.json["scope"]) == (200, "Renamed", body["scope"])
    assert managed(world, registered, "GET").status == 401
    assert managed(world, changed.json, "GET").status == 200


def test_a_change_does_not_widen(world, registered):
    narrow = {**METADATA, "client_id": registered["client_id"], "scope": "infrastructure.clusters.get"}
    changed = managed(world, registered, "PUT", narrow).json

    again = managed(world, changed, "PUT", {**METADATA, "client_id": registered["client_id"]})

    assert refused(again) == (400, "invalid_client_metadata")


@pytest.mark.parametrize("change", [{"client_id": "cli_other"}, {"client_id": None}, {"token_endpoint_auth_method": "none"}])
def test_a_client_stays_the_client_that_it_is(world, registered, change):
    body = {**METADATA, "client_id": registered["client_id"], "grant_types": [], **change}

    assert refused(managed(world, registered, "PUT", body)) == (400, "invalid_client_metadata")


def test_a_client_ends_itself(world, registered):
    token = world.token(registered)

    assert managed(world, registered, "DELETE").status == 204
    world.clock.move(seconds=5)
    assert world.call("GET", "/v1/me", token=token).status == 401
    assert managed(world, registered, "GET").status == 401


def test_a_token_manages_its_own_client_alone(world, tenant, registered):
    other = register(world, initial(tenant)).json
    plain = tenant.client_with(("viewer",))
    by_hand = {**other, "registration_client_uri": f"{URL}/oauth2/register/{plain['client_id']}"}

    assert managed(world, other, "GET", token=registered["registration_access_token"]).status == 401
    assert managed(world, by_hand, "DELETE").status == 401
    assert world.call("GET", f"/oauth2/register/{other['client_id']}").status == 401


def test_a_suspended_client_manages_nothing(world, tenant, registered):
    path = f"/v1/oauth-clients/{registered['client_id']}"
    tenant.call("PATCH", path, {"status": "suspended"}, headers={"If-Match": "*"})

    assert managed(world, registered, "GET").status == 401


def test_the_token_is_not_kept(registered):
    kept = bootstrap.clients().get(registered["client_id"])

    assert registered["registration_access_token"] not in repr(kept) + str(kept.registration_token)
