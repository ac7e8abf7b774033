"""A person signs in to a client, from its link to its tokens."""

import jwt
import pytest

from platforma import bootstrap
from tests.proving import Holder
from tests.signing_in import REDIRECT_URI, App, Browser, answer_of, app_of, page_of
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


def test_an_exchanged_token_ends_with_the_session_behind_it(app, browser, ada, world, tenant):
    exchange = "urn:ietf:params:oauth:grant-type:token-exchange"
    gateway = tenant.call(
        "POST", "/v1/oauth-clients", {"name": "gateway", "grant_types": [exchange], "scopes": ["orders:read"]}, expect=201
    ).json
    shown = {
        "grant_type": exchange,
        "subject_token": app.tokens_for(browser, ada)["access_token"],
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }
    exchanged = world.call("POST", "/oauth2/token", form=shown, headers=world.basic(gateway)).json["access_token"]
    assert claims_of(exchanged)["sid"] == browser.session.id
    assert world.call("GET", "/v1/me", token=exchanged).status == 200

    attempt = browser.attempt(tenant.id, ada, "oauth.sessions.end")
    bootstrap.oauth.end_session(browser.session.id, tenant_id=tenant.id, attempt=attempt)
    world.clock.move(seconds=5)

    assert world.call("GET", "/v1/me", token=exchanged).status == 401
    assert world.call("POST", "/oauth2/token", form=shown, headers=world.basic(gateway)).json["error"] == "invalid_grant"


class Bound:
    """A public client that holds a key, and the tokens that a person's sign-in gives it."""

    def __init__(self, tenant: Tenant, browser: Browser, person: str) -> None:
        self.world, self.holder = tenant.world, Holder(lambda: tenant.world.clock().timestamp())
        fields = {"type": "public", "token_endpoint_auth_method": "none", "dpop_bound_access_tokens": True}
        self.app = app_of(tenant, **fields)
        code = self.app.code_for(browser, person)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        self.tokens = self.token(self.holder, code_verifier=self.app.verifier, **form).json

    def token(self, holder: Holder, **form: str):
        url, nonce = f"{URL}/oauth2/token", None
        for _ in range(2):
            headers = {"DPoP": holder.proof("POST", url, nonce=nonce)}
            reply = self.world.call("POST", "/oauth2/token", form={"client_id": self.app.id, **form}, headers=headers)
            nonce = reply.headers.get("dpop-nonce")
            if reply.json.get("error") != "use_dpop_nonce":
                break
        return reply


def test_the_tokens_of_a_public_client_stay_with_its_key(tenant, browser, ada):
    bound = Bound(tenant, browser, ada)
    refresh = {"grant_type": "refresh_token", "refresh_token": bound.tokens["refresh_token"]}

    by_thief, by_client = bound.token(Holder(bound.holder._now), **refresh), bound.token(bound.holder, **refresh)

    assert bound.tokens["token_type"] == by_client.json["token_type"] == "DPoP"
    assert claims_of(bound.tokens["access_token"])["cnf"] == {"jkt": bound.holder.jkt}
    assert claims_of(by_client.json["access_token"])["cnf"] == {"jkt": bound.holder.jkt}
    assert by_thief.json["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("scopes", "asked", "given"),
    [
        (["*"], "openid profile email offline_access", "openid profile email offline_access"),
        (["*"], "openid orders:read", "openid orders:read"),
        (["orders:read"], "openid orders:read", "openid orders:read"),
        ([], "openid", "openid"),
        (["orders:read"], "openid profile email offline_access", "openid"),
        (["profile"], "openid profile email", "openid profile"),
    ],
)
def test_who_signed_in_may_be_asked_by_any_client_and_more_by_those_registered_for_it(scopes, asked, given, tenant, browser):
    app = app_of(tenant, scopes=scopes)
    user_id = tenant.user()
    tokens = app.tokens_for(browser, user_id, scope=asked)

    told = tenant.world.call("GET", "/oauth2/userinfo", token=tokens["access_token"]).json

    assert tokens["scope"] == given
    assert jwt.decode(tokens["id_token"], options={"verify_signature": False})["sub"] == user_id == told["sub"]
    assert ("name" in told, "email" in told) == ("profile" in given, "email" in given)
    assert ("refresh_token" in tokens) == ("offline_access" in given)


@pytest.mark.parametrize(("asked", "said"), [("de-AT, en;q=0.5", "Weiter"), ("fr, en;q=0.5", "Continue"), ("", "Continue")])
def test_the_form_that_posts_itself_speaks_the_language_that_is_asked_for(asked, said, app, browser, world):
    silent = app.link(prompt="none", response_mode="form_post")

    reply = world.call("GET", silent, headers={"Accept-Language": asked})

    assert f"<button>{said}</button>" in reply.text and f'lang="{"de" if said == "Weiter" else "en"}"' in reply.text


def test_a_token_that_ended_is_told_to_be_none_and_who_shows_none_is_only_asked(app, browser, tenant, world):
    tokens = app.tokens_for(browser, tenant.user())
    app.tenant.world.call(
        "POST", "/oauth2/revoke", form={"token": tokens["access_token"]}, headers=world.basic(app.registered)
    )
    world.clock.move(seconds=5)

    dead = world.call("GET", "/oauth2/userinfo", token=tokens["access_token"]).headers["www-authenticate"]
    none = world.call("GET", "/oauth2/userinfo").headers["www-authenticate"]

    assert 'error="invalid_token"' in dead and "error" not in none
