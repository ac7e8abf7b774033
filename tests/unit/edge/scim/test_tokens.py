"""Tokens of directories: shown once, ended with what they are of, and good for nothing else."""

from datetime import timedelta

import pytest

from platforma.kernel.clock import rfc3339
from tests.directories import Directory, connect, refused


def tokens(okta: Directory) -> str:
    return f"/v1/sso-connections/{okta.connection}/scim-tokens"


def test_a_token_is_shown_once_and_listed_without_its_text(okta):
    listed = okta.tenant.call("GET", tokens(okta), expect=200)

    assert okta.token not in listed.text
    assert set(listed.json["items"][0]) == {"id", "created_at", "expires_at", "last_used_at"}


def test_a_revoked_token_is_refused_from_the_next_request(okta):
    made = okta.tenant.call("POST", tokens(okta), {}, expect=201).json
    second = Directory(okta.world, okta.tenant, okta.connection, made["token"])
    second.call("GET", "/Users?count=0", expect=200)

    okta.tenant.call("DELETE", f"{tokens(okta)}/{made['id']}", expect=204)

    refused(second.call("GET", "/Users"), 401)
    okta.tenant.call("DELETE", f"{tokens(okta)}/{made['id']}", expect=404)
    event = next(e for e in okta.tenant.events(result="denied") if e["principal_type"] == "directory")
    assert event["principal_id"] == okta.connection


def test_a_token_expires(okta):
    made = okta.tenant.call("POST", tokens(okta), {"expires_in": 3600}, expect=201).json
    assert made["expires_at"] == rfc3339(okta.world.clock() + timedelta(hours=1))
    short = Directory(okta.world, okta.tenant, okta.connection, made["token"])
    short.call("GET", "/Users?count=0", expect=200)

    okta.world.clock.move(seconds=3601)

    refused(short.call("GET", "/Users"), 401)
    okta.tenant.call("DELETE", f"{tokens(okta)}/{made['id']}", expect=204)


def test_a_connection_has_five_tokens_at_most(okta):
    made = [okta.tenant.call("POST", tokens(okta), {}, expect=201).json["id"] for _ in range(4)]

    okta.tenant.call("POST", tokens(okta), {}, expect=409)

    for each in made:
        okta.tenant.call("DELETE", f"{tokens(okta)}/{each}", expect=204)


@pytest.mark.parametrize("change", ["disable", "delete"])
def test_a_token_ends_with_its_connection(world, change):
    tenant = world.tenant(f"{change}s", f"admin@{change}.test")
    mine = connect(world, tenant, f"{change}.test")
    path, any_version = f"/v1/sso-connections/{mine.connection}", {"If-Match": "*"}

    if change == "disable":
        tenant.call("PATCH", path, {"enabled": False}, expect=200, headers=any_version)
    else:
        tenant.call("DELETE", path, expect=204, headers=any_version)

    refused(mine.call("GET", "/Users"), 401)


def test_a_token_of_a_suspended_tenant_is_refused(world):
    tenant = world.tenant("gone", "admin@gone.test")
    mine = connect(world, tenant, "gone.test")
    platform = world.token(world.platform_client)
    gone = world.call("DELETE", f"/v1/tenants/{tenant.id}", token=platform, headers={"If-Match": "*"})
    assert gone.status == 202, gone.text
    world.clock.move(seconds=5)

    refused(mine.call("GET", "/Users"), 401)


@pytest.mark.parametrize(
    "bend",
    [
        lambda token: token[:-1] + ("a" if token[-1] != "a" else "b"),
        lambda token: token[:30] + ("a" if token[30] != "a" else "b") + token[31:],
        lambda token: "scim_" + "0" * 77,
        lambda token: "scim_" + "z" * 77,
        lambda _: "scim_",
        lambda _: "x" * 10_000,
        lambda token: token + "x",
    ],
)
def test_a_made_up_token_is_refused(okta, bend):
    headers = {"Authorization": f"Bearer {bend(okta.token)}"}
    refused(okta.world.call("GET", "/scim/v2/Users", headers=headers), 401)


def test_no_other_credential_is_a_directorys(okta):
    key = {"name": "k", "environment": "live", "scopes": ["*"]}
    key = okta.tenant.call("POST", "/v1/api-keys", key, expect=201).json["key"]

    for headers in (
        {},
        {"Authorization": f"Bearer {okta.tenant.token}"},
        {"Authorization": f"Bearer {key}"},
        {"X-API-Key": okta.token},
        {"Authorization": f"DPoP {okta.token}"},
        {"Authorization": f"Basic {okta.token}"},
    ):
        reply = okta.world.call("GET", "/scim/v2/Users", headers=headers)
        refused(reply, 401)
        assert reply.headers["www-authenticate"].startswith("Bearer")


def test_a_directorys_token_is_good_for_nothing_else(okta):
    for path in ("/v1/me", "/v1/users", tokens(okta)):
        assert okta.world.call("GET", path, token=okta.token).status == 401


def test_who_lacks_settings_manage_gives_no_token(okta):
    weak = okta.world.token(okta.tenant.client_with(roles=("viewer",)))

    assert okta.world.call("POST", tokens(okta), token=weak, json_body={}).status == 403
    scoped = okta.world.token(okta.tenant.client_with(roles=("admin",), scopes=("settings.scim_tokens.*",)))
    assert okta.world.call("POST", tokens(okta), token=scoped, json_body={}).status == 403


def test_a_directory_that_asks_for_too_much_waits(world):
    mine = connect(world, world.tenant("busy", "admin@busy.test"), "busy.test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platforma.edge.scim.LIMIT", type("L", (), {"limit": 2, "period_seconds": 60})())
        mine.call("GET", "/Users?count=0", expect=200)
        mine.call("GET", "/Users?count=0", expect=200)

        reply = mine.call("GET", "/Users?count=0")

    refused(reply, 429)
    assert int(reply.headers["retry-after"]) >= 1
