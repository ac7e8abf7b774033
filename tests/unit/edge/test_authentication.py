"""One credential, in one place; and what a bad one is answered."""

import pytest

from platforma.edge.authentication import presented_credential
from platforma.kernel.errors import Malformed, Unauthenticated
from tests.world import Tenant, World


def test_bearer_and_x_api_key_are_both_read():
    assert presented_credential({"authorization": "bearer abc"}) == "abc"
    assert presented_credential({"x-api-key": "abc"}) == "abc"


def test_the_same_key_twice_is_one_credential():
    assert presented_credential({"authorization": "Bearer abc", "x-api-key": "abc"}) == "abc"


def test_two_different_credentials_are_malformed():
    with pytest.raises(Malformed):
        presented_credential({"authorization": "Bearer abc", "x-api-key": "abd"})


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_a_header_sent_twice_is_malformed(header: str):
    with pytest.raises(Malformed):
        presented_credential({header: "Bearer abc, Bearer abc"})


@pytest.mark.parametrize("value", ["", "Basic abc", "Bearer", "Bearer "])
def test_what_is_no_bearer_credential_is_none(value: str):
    with pytest.raises(Unauthenticated):
        presented_credential({"authorization": value})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer junk"},
        {"Authorization": "Bearer a.b.c"},
        {"X-API-Key": "pk_live_" + "0" * 83},
        {"X-API-Key": "pk_test_short"},
        {"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
    ],
)
def test_every_bad_credential_is_one_and_the_same_401(world: World, tenant: Tenant, headers: dict[str, str]):
    reply = world.call("GET", "/v1/users", headers=headers)

    assert reply.status == 401
    assert reply.headers["www-authenticate"].startswith("Bearer")
    assert reply.json["title"] == "Unauthenticated"


def test_a_token_ends_after_its_hour(world: World, tenant: Tenant):
    token = tenant.token
    assert world.call("GET", "/v1/me", token=token).status == 200

    world.clock.move(seconds=3600)

    assert world.call("GET", "/v1/me", token=token).status == 401


def test_a_suspended_client_ends_within_five_seconds(world: World, tenant: Tenant):
    client = tenant.client_with(("viewer",))
    token = world.token(client)
    assert world.call("GET", "/v1/me", token=token).status == 200

    body = {"status": "suspended"}
    tenant.call("PATCH", f"/v1/oauth-clients/{client['client_id']}", body, expect=200, headers={"If-Match": "*"})
    world.clock.move(seconds=5)

    assert world.call("GET", "/v1/me", token=token).status == 401


def test_a_suspended_tenant_ends_within_five_seconds(world: World, tenant: Tenant):
    token = tenant.token
    platform = world.token(world.platform_client)

    reply = world.call(
        "PATCH", f"/v1/tenants/{tenant.id}", token=platform, json_body={"status": "suspended"}, headers={"If-Match": "*"}
    )
    world.clock.move(seconds=5)

    assert reply.status == 200
    assert world.call("GET", "/v1/me", token=token).status == 401
    assert (
        world.call(
            "POST", "/oauth2/token", form={"grant_type": "client_credentials"}, headers=world.basic(tenant.client)
        ).status
        == 401
    )
