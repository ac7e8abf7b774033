"""Signed request objects at the authorization endpoint (RFC 9101): what they say counts, and nothing beside them does."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from tests.proving import Holder
from tests.signing_in import REDIRECT_URI, App, Browser, answer_of, app_of, page_of
from tests.world import URL, Reply, Tenant, World, running


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def holder() -> Holder:
    return Holder()


@pytest.fixture(scope="module")
def app(tenant: Tenant, holder: Holder) -> App:
    return app_of(tenant, first_party=True, jwks={"keys": [holder.jwk]})


def request_object(
    app: App, holder: Holder, *, key: Any = None, typ: str | None = "oauth-authz-req+jwt", **more: Any
) -> str:
    now = int(app.tenant.world.clock().timestamp())
    usual = {"iss": app.id, "aud": URL, "iat": now, "exp": now + 300, **app.parameters(scope="openid")}
    said = {
        name: now + int(value.total_seconds()) if isinstance(value, timedelta) else value  # from now, whenever that is
        for name, value in {**usual, **more}.items()
        if value is not None
    }
    return jwt.encode(said, key or holder.key, algorithm="ES256", headers={"typ": typ} if typ else {"typ": "JWT"})


def ask(app: App, browser: Browser, request: str, **beside: str) -> Reply:
    return browser.get("/oauth2/authorize?" + urlencode({"client_id": app.id, "request": request, **beside}))


def test_what_is_signed_is_what_is_asked_and_what_stands_beside_it_counts_for_nothing(
    app: App, holder: Holder, tenant: Tenant, world: World
):
    browser, person = Browser(world), tenant.user()
    beside = {
        "redirect_uri": "https://evil.test/callback",
        "scope": "openid orders:manage",
        "state": "evil",
        "code_challenge": "x" * 43,
        "response_mode": "fragment",
        "prompt": "none",
    }
    _, flow = page_of(ask(app, browser, request_object(app, holder, max_age=3600, claims={"id_token": {}}), **beside))
    browser.sign_in(tenant.id, person, flow=flow)
    reply = browser.get(f"/oauth2/authorize?flow={flow}")

    assert reply.headers["location"].startswith(REDIRECT_URI + "?")
    answer = answer_of(reply)
    assert answer["state"] == "a-state"
    given = app.redeem(answer["code"])
    assert (given.status, given.json["scope"]) == (200, "openid")


def test_the_types_that_an_object_may_be_of(app: App, holder: Holder, world: World):
    for typ in ("oauth-authz-req+jwt", "JWT"):
        assert page_of(ask(app, Browser(world), request_object(app, holder, typ=typ)))[0] == "/login"
    for typ in ("at+jwt", "logout+jwt", "dpop+jwt", "client-authentication+jwt"):
        assert ask(app, Browser(world), request_object(app, holder, typ=typ)).status == 400


@pytest.mark.parametrize(
    "more",
    [
        {"iss": None},
        {"iss": "https://evil.test"},
        {"aud": None},
        {"aud": "https://evil.test"},
        {"aud": []},
        {"exp": None},
        {"exp": timedelta(minutes=-10)},
        {"exp": timedelta(hours=2)},
        {"exp": "soon"},
        {"iat": timedelta(minutes=10)},
        {"nbf": timedelta(minutes=10)},
        {"client_id": None},
        {"client_id": "cli_01ja2s8n7vfxkrcm4fyzqf1q5m"},
        {"sub": "anybody"},
        {"request": "e30.e30.e30"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
        {"scope": ["openid"]},
        {"state": True},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.test/callback"},
    ],
)
def test_an_object_that_says_something_else_leads_nowhere(more: dict[str, Any], app: App, holder: Holder, world: World):
    reply = ask(app, Browser(world), request_object(app, holder, **more))

    assert (reply.status, "location" in reply.headers) == (400, False)


def test_an_object_of_another_key_or_changed_on_its_way_leads_nowhere(app: App, holder: Holder, world: World):
    genuine = request_object(app, holder)
    header, claims, signature = genuine.split(".")
    for forged in (
        request_object(app, holder, key=Holder().key),
        f"{header}.{request_object(app, holder, state='other').split('.')[1]}.{signature}",
        f"{header}.{claims}.",
        "x",
        genuine + "." + signature,
    ):
        assert ask(app, Browser(world), forged).json["error"] == "invalid_request_object"


def test_an_object_of_one_client_is_not_another_clients(app: App, holder: Holder, tenant: Tenant, world: World):
    other = app_of(tenant, jwks={"keys": [Holder().jwk]})
    without = app_of(tenant)

    for client in (other, without):
        reply = world.call(
            "GET", "/oauth2/authorize?" + urlencode({"client_id": client.id, "request": request_object(app, holder)})
        )
        assert reply.json["error"] == "invalid_request_object"


def test_a_client_that_pushes_is_not_let_off_by_signing(tenant: Tenant, holder: Holder, world: World):
    app = app_of(tenant, jwks={"keys": [holder.jwk]}, require_pushed_authorization_requests=True)

    assert answer_of(ask(app, Browser(world), request_object(app, holder)))["error"] == "invalid_request"


def test_a_client_that_has_to_sign_its_requests_is_let_on_when_it_does(tenant: Tenant, holder: Holder, world: World):
    app = app_of(tenant, jwks={"keys": [holder.jwk]}, require_signed_request_object=True)

    assert page_of(ask(app, Browser(world), request_object(app, holder)))[0] == "/login"
    form, basic = {"request": request_object(app, holder)}, world.basic(app.registered)
    assert world.call("POST", "/oauth2/par", form=form, headers=basic).status == 201


def test_a_client_assertion_is_no_request_and_a_request_no_assertion(app: App, holder: Holder, tenant: Tenant, world: World):
    signing = app_of(tenant, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [holder.jwk]})
    clocked = Holder(lambda: world.clock().timestamp())
    clocked.key = holder.key
    assertion = clocked.assertion(signing.id, URL)["client_assertion"]
    form = {
        "grant_type": "authorization_code",
        "code": "x" * 43,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": request_object(signing, holder),
    }

    assert ask(signing, Browser(world), assertion).json["error"] == "invalid_request_object"
    assert world.call("POST", "/oauth2/token", form=form).json["error"] == "invalid_client"


def test_a_reference_and_an_object_at_once_are_refused(app: App, holder: Holder, world: World):
    uri = "urn:ietf:params:oauth:request_uri:" + "x" * 32

    assert ask(app, Browser(world), request_object(app, holder), request_uri=uri).json["error"] == "invalid_request_uri"
    basic = world.basic(app.registered)
    form = {"request": request_object(app, holder), "request_uri": uri}
    assert world.call("POST", "/oauth2/par", form=form, headers=basic).json["error"] == "invalid_request"


def test_the_resources_of_an_object_are_a_list_of_one(app: App, holder: Holder, world: World):
    one, several = request_object(app, holder, resource=[URL]), request_object(app, holder, resource=[URL, "https://a.test"])

    assert page_of(ask(app, Browser(world), one))[0] == "/login"
    assert answer_of(ask(app, Browser(world), several))["error"] == "invalid_target"
