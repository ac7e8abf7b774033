"""What is told of tokens, and to whom (RFC 7662); how they are given back (RFC 7009); who they are for (userinfo)."""

from collections.abc import Iterator
from typing import Any

import pytest

from platforma import bootstrap
from tests.proving import Holder
from tests.signing_in import REDIRECT_URI, App, Browser, app_of
from tests.world import URL, Reply, Tenant, World, running


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def app(tenant: Tenant) -> App:
    return app_of(tenant)


@pytest.fixture(scope="module")
def ada(tenant: Tenant) -> str:
    return tenant.user(roles=("developer",))


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world)


@pytest.fixture
def tokens(app: App, browser: Browser, ada: str) -> dict[str, str]:
    return app.tokens_for(browser, ada)


def introspect(tenant: Tenant, client: dict[str, Any], token: str) -> dict[str, Any]:
    reply = tenant.world.call("POST", "/oauth2/introspect", form={"token": token}, headers=tenant.world.basic(client))
    assert reply.status == 200, reply.text
    return reply.json


def revoke(world: World, client: dict[str, Any], token: str) -> Reply:
    return world.call("POST", "/oauth2/revoke", form={"token": token}, headers=world.basic(client))


def is_good(world: World, token: str) -> bool:
    return world.call("GET", "/v1/me", token=token).status == 200


def test_a_resource_server_of_the_tenant_is_told_what_an_access_token_is(tenant, app, ada, tokens, browser):
    said = introspect(tenant, tenant.client, tokens["access_token"])

    assert (said["active"], said["sub"], said["client_id"], said["iss"]) == (True, ada, app.id, URL)
    assert (said["scope"], said["token_type"]) == ("openid profile email offline_access orders:read", "Bearer")
    assert (said["sid"], said["amr"], said["acr"]) == (browser.session.id, ["pwd"], "urn:platforma:acr:aal1")
    assert said["exp"] - said["iat"] == 3600


def test_a_refresh_token_is_told_to_its_client_alone(tenant, app, tokens):
    mine = introspect(tenant, app.registered, tokens["refresh_token"])

    assert (mine["active"], mine["token_type"]) == (True, "refresh_token")
    assert introspect(tenant, tenant.client, tokens["refresh_token"]) == {"active": False}


def test_nothing_is_told_of_another_tenants_token_nor_to_a_public_client(world, tenant, tokens):
    other = world.tenant("told", "admin@told.test")
    public = app_of(tenant, type="public", token_endpoint_auth_method="none")

    assert introspect(tenant, other.client, tokens["access_token"]) == {"active": False}
    asked = {"token": tokens["access_token"], "client_id": public.id}
    assert world.call("POST", "/oauth2/introspect", form=asked).json == {"active": False}


@pytest.mark.parametrize("token", ["x", "prt_" + "A" * 92, "a.b.c", "pk_test_" + "0" * 83])
def test_what_is_no_token_is_not_active_and_may_be_given_back(world, tenant, token):
    assert introspect(tenant, tenant.client, token) == {"active": False}
    assert revoke(world, tenant.client, token).status == 200


@pytest.mark.parametrize("path", ["/oauth2/introspect", "/oauth2/revoke"])
def test_who_does_not_authenticate_or_shows_no_token_is_refused(world, tenant, path):
    stranger = world.call("POST", path, form={"token": "x"})
    empty = world.call("POST", path, form={"a": "b"}, headers=world.basic(tenant.client))

    assert (stranger.status, stranger.json["error"]) == (401, "invalid_client")
    assert (empty.status, empty.json["error"]) == (400, "invalid_request")


def test_an_access_token_that_is_given_back_ends_alone_and_everywhere_within_five_seconds(world, app, tokens, tenant):
    second = app.refresh(tokens["refresh_token"]).json
    assert is_good(world, tokens["access_token"])

    assert revoke(world, app.registered, tokens["access_token"]).status == 200
    world.clock.move(seconds=5)

    assert not is_good(world, tokens["access_token"])
    assert is_good(world, second["access_token"])
    assert introspect(tenant, tenant.client, tokens["access_token"]) == {"active": False}
    event = tenant.events(action="oauth.tokens.revoke")[0]
    assert (event["result"], event["resource_type"], event["principal_id"]) == ("success", "access_token", app.id)


def test_a_refresh_token_that_is_given_back_takes_its_family_and_their_access_tokens_along(world, app, tokens):
    second = app.refresh(tokens["refresh_token"]).json

    # A spent one too: who gives it back means the grant, and steals nothing by it.
    assert revoke(world, app.registered, tokens["refresh_token"]).status == 200
    world.clock.move(seconds=5)

    assert not is_good(world, tokens["access_token"])
    assert not is_good(world, second["access_token"])
    assert app.refresh(second["refresh_token"]).json["error"] == "invalid_grant"


def test_nobody_gives_back_what_is_another_clients(world, tenant, app, tokens):
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert revoke(world, tenant.client, token).status == 200
    world.clock.move(seconds=5)

    assert is_good(world, tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).status == 200


def test_a_session_that_ended_makes_its_tokens_inactive(world, tenant, app, tokens, browser, ada):
    attempt = browser.attempt(tenant.id, ada, "oauth.sessions.end")

    bootstrap.oauth.end_session(browser.session.id, tenant_id=tenant.id, attempt=attempt)
    world.clock.move(seconds=5)

    assert introspect(tenant, tenant.client, tokens["access_token"]) == {"active": False}
    assert introspect(tenant, app.registered, tokens["refresh_token"]) == {"active": False}


def test_userinfo_tells_what_the_scopes_give(world, app, browser, ada, tokens):
    narrow = app.tokens_for(browser, ada, scope="openid email")["access_token"]

    for method in ("GET", "POST"):
        wide = world.call(method, "/oauth2/userinfo", token=tokens["access_token"])
        assert (wide.status, wide.json) == (200, {"sub": ada, "name": "Ada", "email": "ada@acme.test"})
    assert world.call("GET", "/oauth2/userinfo", token=narrow).json == {"sub": ada, "email": "ada@acme.test"}


def test_userinfo_refuses_as_a_protected_resource_does(world, app, browser, ada, tenant):
    without = app.tokens_for(browser, ada, scope="orders:read")["access_token"]
    cases = {
        None: (401, "invalid_token", 'Bearer realm="platforma"'),
        "x": (401, "invalid_token", 'Bearer realm="platforma", error="invalid_token"'),
        without: (403, "insufficient_scope", 'Bearer realm="platforma", error="insufficient_scope", scope="openid"'),
        tenant.token: (403, "insufficient_scope", 'Bearer realm="platforma", error="insufficient_scope", scope="openid"'),
    }
    described = f', resource_metadata="{URL}/.well-known/oauth-protected-resource"'
    for token, (status, error, challenge) in cases.items():
        reply = world.call("GET", "/oauth2/userinfo", token=token)
        assert (reply.status, reply.json["error"]) == (status, error)
        assert reply.headers["www-authenticate"] == challenge + described


def test_userinfo_takes_the_token_in_a_form_alone(world, app, ada, tokens):
    shown = {"access_token": tokens["access_token"]}
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}

    in_body = world.call("POST", "/oauth2/userinfo", form=shown)
    both = world.call("POST", "/oauth2/userinfo", form=shown, headers=bearer)
    other = world.call("POST", "/oauth2/userinfo", form={"token": "x"}, headers=bearer)

    assert (in_body.status, in_body.json["sub"]) == (200, ada)
    assert (both.status, both.json["error"]) == (400, "invalid_request")
    assert other.status == 200
    assert world.call("POST", "/oauth2/userinfo", form={"access_token": "x"}).status == 401
    assert world.call("POST", "/v1/authorize", form=shown).status == 401


def test_a_bound_token_in_a_form_is_no_bearer_token(world, tenant, app, ada):
    bound = app_of(tenant, dpop_bound_access_tokens=True)
    holder = Holder(lambda: world.clock().timestamp())
    code = bound.code_for(Browser(world), ada)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, "code_verifier": bound.verifier}
    place, nonce = f"{URL}/oauth2/token", None
    for _ in range(2):
        proof = holder.proof("POST", place, nonce=nonce)
        reply = world.call("POST", "/oauth2/token", form=form, headers={**world.basic(bound.registered), "DPoP": proof})
        nonce = reply.headers.get("dpop-nonce")
    assert reply.status == 200, reply.text

    assert world.call("POST", "/oauth2/userinfo", form={"access_token": reply.json["access_token"]}).status == 401


def test_a_client_that_was_narrowed_reads_less(world, tenant, browser, ada):
    app = app_of(tenant)
    token = app.tokens_for(browser, ada)["access_token"]

    narrowed = {"scopes": ["openid", "profile", "orders:read"]}
    tenant.call("PATCH", f"/v1/oauth-clients/{app.id}", narrowed, headers={"If-Match": "*"}, expect=200)

    assert world.call("GET", "/oauth2/userinfo", token=token).json == {"sub": ada, "name": "Ada"}


def test_an_api_key_reads_no_userinfo(world, tenant):
    body = {"name": "k", "environment": "live", "scopes": ["infrastructure:read"]}
    key = tenant.call("POST", "/v1/api-keys", body, expect=201).json["key"]

    assert world.call("GET", "/oauth2/userinfo", token=key).json["error"] == "insufficient_scope"
