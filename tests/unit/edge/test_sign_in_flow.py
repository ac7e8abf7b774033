"""A person signs in to a client, from its link to its tokens."""

import jwt
import pytest

from tests.signing_in import App, Browser, answer_of, app_of, page_of
from tests.world import URL, Tenant, World


@pytest.fixture
def app(tenant: Tenant) -> App:
    return app_of(tenant)


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world)


@pytest.fixture
def ada(tenant: Tenant) -> str:
    return tenant.user(roles=("developer",))


def claims_of(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def test_a_person_signs_in_consents_and_the_client_gets_tokens(app, browser, ada):
    page, flow = page_of(browser.get(app.link()))
    assert page == "/login"
    browser.sign_in(app.tenant.id, ada, flow=flow)
    page, flow = page_of(browser.get(f"/oauth2/authorize?flow={flow}"))
    assert page == "/consent"
    browser.allow(flow)
    answer = answer_of(browser.get(f"/oauth2/authorize?flow={flow}"))

    tokens = app.redeem(answer["code"]).json

    assert (answer["state"], answer["iss"]) == ("a-state", URL)
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    access, identity = claims_of(tokens["access_token"]), claims_of(tokens["id_token"])
    assert (access["sub"], access["client_id"], access["roles"]) == (ada, app.id, ["developer"])
    assert (identity["sub"], identity["aud"], identity["nonce"]) == (ada, app.id, "a-nonce")
    assert access["sid"] == identity["sid"] == browser.session.id
    assert jwt.get_unverified_header(tokens["id_token"])["alg"] == "RS256"


def test_who_is_signed_in_and_has_consented_is_asked_nothing(app, browser, ada):
    app.code_for(browser, ada)

    assert "code" in answer_of(browser.get(app.link(prompt="none")))


def test_the_token_is_good_for_the_person(app, browser, ada, world):
    tokens = app.tokens_for(browser, ada)

    assert world.call("GET", "/v1/me", token=tokens["access_token"]).json["principal"]["id"] == ada


def test_an_interaction_is_another_browsers_dead_link(app, browser, ada, world):
    _, flow = page_of(browser.get(app.link()))
    other = Browser(world)
    other.sign_in(app.tenant.id, ada)

    assert other.get(f"/oauth2/authorize?flow={flow}").status in (400, 404)
