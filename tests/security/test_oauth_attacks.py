"""Attacks on the authorization server as a whole: mix-up, tokens taken for others, injection into answers and logs."""

import json
import logging
from io import StringIO
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from tests.signing_in import App, Browser, answer_of, app_of
from tests.world import URL, Reply, Tenant, World

EVIL = 'x\r\nSet-Cookie: a=b\n{"level":"INFO","message":"request","status":200}\x1b[2J\u2028"><script>alert(1)</script>'


@pytest.fixture(scope="module")
def ada(tenant: Tenant) -> str:
    return tenant.user(roles=("developer",))


@pytest.fixture(scope="module")
def app(tenant: Tenant) -> App:
    return app_of(
        tenant,
        first_party=True,
        backchannel_logout_uri="https://client.test/logout",
        post_logout_redirect_uris=["https://client.test/out"],
    )


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world)


@pytest.fixture
def tokens(app: App, browser: Browser, ada: str) -> dict[str, str]:
    given: dict[str, str] = app.tokens_for(browser, ada)
    return given


@pytest.fixture
def logout_token(app: App, world: World, ada: str) -> str:
    other = Browser(world)
    app.tokens_for(other, ada)
    assert other.session is not None
    app.tenant.call("DELETE", f"/v1/sessions/{other.session.id}", headers={"If-Match": "*"}, expect=200)
    world.tell()
    return world.posted.sent[-1][1]["logout_token"]


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
@pytest.mark.parametrize("more", [{}, {"prompt": "none", "max_age": "0"}, {"response_type": "token"}])
def test_mix_up_every_answer_names_who_answers_so_that_no_other_provider_passes_for_us(
    app: App, browser: Browser, tokens: dict[str, str], mode: str, more: dict[str, str], world: World
):
    """RFC 9207: code and error alike, in every response mode."""
    reply = browser.get(app.link(response_mode=mode, **more))

    if mode == "form_post":
        assert f'name="iss" value="{URL}"' in reply.text
    else:
        assert answer_of(reply)["iss"] == URL
    metadata = world.call("GET", "/.well-known/oauth-authorization-server").json
    assert (metadata["issuer"], metadata["authorization_response_iss_parameter_supported"]) == (URL, True)


def test_code_injection_a_code_of_another_sign_in_does_not_fit_the_verifier(
    app: App, world: World, ada: str, tenant: Tenant
):
    """An attacker's code in the victim's client, and the victim's in the attacker's."""
    theirs, mine = App(tenant, app.registered), App(tenant, app.registered)
    stolen = theirs.code_for(Browser(world), ada)

    assert mine.redeem(stolen).json["error"] == "invalid_grant"


def shown(world: World, token: str) -> list[Reply]:
    """The token as a bearer's, everywhere that one is taken."""
    return [
        world.call("GET", "/v1/me", token=token),
        world.call("GET", "/oauth2/userinfo", token=token),
        world.call("POST", "/oauth2/userinfo", form={"access_token": token}),
    ]


@pytest.mark.parametrize("kind", ["id_token", "refresh_token", "logout_token"])
def test_no_other_token_of_ours_is_taken_for_an_access_token(
    kind: str, world: World, tokens: dict[str, str], logout_token: str, app: App
):
    token = logout_token if kind == "logout_token" else tokens[kind]

    assert {reply.status for reply in shown(world, token)} == {401}
    told = world.call("POST", "/oauth2/introspect", form={"token": token}, headers=world.basic(app.registered)).json
    assert told["active"] is (kind == "refresh_token")


@pytest.mark.parametrize("kind", ["access_token", "refresh_token", "logout_token"])
def test_nothing_but_an_id_token_is_a_hint_of_who_is_meant(
    kind: str, app: App, browser: Browser, tokens: dict[str, str], logout_token: str
):
    hint = logout_token if kind == "logout_token" else tokens[kind]
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": "https://client.test/out"}

    assert browser.get("/oauth2/logout?" + urlencode(asked)).status == 400
    assert browser.session is not None
    assert answer_of(browser.get(app.link(id_token_hint=hint, prompt="none")))["error"] == "invalid_request"


@pytest.mark.parametrize("kind", ["id_token", "refresh_token", "logout_token"])
def test_no_other_token_is_exchanged_for_an_access_token(
    kind: str, tenant: Tenant, tokens: dict[str, str], logout_token: str, world: World
):
    exchange = "urn:ietf:params:oauth:grant-type:token-exchange"
    client = tenant.call(
        "POST", "/v1/oauth-clients", {"name": "x", "grant_types": [exchange], "scopes": ["orders:read"]}, expect=201
    ).json
    form = {
        "grant_type": exchange,
        "subject_token": logout_token if kind == "logout_token" else tokens[kind],
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }

    assert world.call("POST", "/oauth2/token", form=form, headers=world.basic(client)).status == 400


def test_a_person_of_one_tenant_is_signed_out_by_no_client_of_another(
    world: World, tokens: dict[str, str], browser: Browser, app: App
):
    other = world.tenant("other", "admin@other.test")
    stranger = app_of(other, first_party=True, post_logout_redirect_uris=["https://client.test/out"])
    theirs = stranger.tokens_for(Browser(world), other.user("eve@other.test"))
    asked = {"id_token_hint": theirs["id_token"], "post_logout_redirect_uri": "https://client.test/out"}

    reply = browser.get("/oauth2/logout?" + urlencode(asked))

    assert browser.session is not None
    assert reply.headers["location"] == "/sign-out"
    mixed = browser.get("/oauth2/logout?" + urlencode(asked | {"client_id": app.id}))
    assert (mixed.status, browser.session is not None) == (400, True)


@pytest.mark.parametrize("name", ["state", "nonce", "login_hint", "ui_locales", "scope", "claims", "extra", "display"])
@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_what_a_request_brings_splits_no_answer_and_is_markup_in_none(
    name: str, mode: str, app: App, browser: Browser, tokens: dict[str, str]
):
    reply = browser.get(app.link(**{name: EVIL, "response_mode": mode}))

    for header, value in reply.headers.items():
        assert not {"\r", "\n", "\x1b", "\u2028"} & set(value), header
    assert "<script>alert" not in reply.text
    assert "set-cookie" not in reply.headers or "a=b" not in reply.headers["set-cookie"]


@pytest.mark.parametrize(
    "state", ['"><script>alert(1)</script>', "&amp;&error=access_denied#x", "a=b&code=stolen", "%0d%0aX: y"]
)
@pytest.mark.parametrize("mode", ["query", "fragment"])
def test_a_state_comes_back_as_it_was_and_adds_no_parameter(
    state: str, mode: str, app: App, browser: Browser, tokens: dict[str, str]
):
    reply = browser.get(app.link(state=state, response_mode=mode))

    parts = urlsplit(reply.headers["location"])
    said = parse_qs(parts.query if mode == "query" else parts.fragment, strict_parsing=True)
    assert {name: len(values) for name, values in said.items()} == {"code": 1, "state": 1, "iss": 1}
    assert said["state"] == [state]


FUNCTIONS = ("oauth_authorize", "oauth_token", "oauth_sessions", "oauth_pages", "oauth_clients", "identity_me")


def test_log_injection_whatever_is_sent_one_request_is_one_line_without_control_characters(world: World, app: App):
    for function in FUNCTIONS:
        world.function(function)
    handlers = [handler for name in FUNCTIONS for handler in logging.getLogger(name).handlers]
    written = StringIO()
    streams = [handler.setStream(written) for handler in handlers]
    evil = EVIL.replace("\r\n", "\n")
    headers = {"User-Agent": evil, "X-Request-Id": evil, "Authorization": f"Bearer {evil}", "Accept-Language": evil}
    sent = [
        world.call("GET", f"/oauth2/authorize?client_id={quote(evil)}&redirect_uri={quote(evil)}", headers=headers),
        world.call("POST", "/oauth2/token", form={"grant_type": evil, "client_id": evil}, headers={"User-Agent": evil}),
        world.call("POST", "/oauth2/introspect", form={"token": evil, "client_id": evil, "client_secret": evil}),
        world.call("GET", "/oauth2/logout?" + urlencode({"id_token_hint": evil, "state": evil}), headers=headers),
        world.call("GET", f"/login?tenant={quote(evil)}", headers=headers),
        world.call("GET", "/v1/me", headers=headers),
        world.call("POST", "/oauth2/register", json_body={"client_name": evil}, headers={"Authorization": f"Bearer {evil}"}),
    ]
    for handler, stream in zip(handlers, streams, strict=True):
        handler.setStream(stream)

    assert {reply.status for reply in sent} <= {400, 401, 404}
    told = [json.loads(line) for line in written.getvalue().split("\n") if line]
    assert [line["status"] for line in told] == [reply.status for reply in sent]
    assert all(character.isprintable() for character in written.getvalue().replace("\n", ""))


def test_log_injection_an_event_tells_of_what_was_typed_without_control_characters(
    world: World, tenant: Tenant, app: App, ada: str
):
    agent = "agent\r\n\x1b[2Jforged"
    body = {"name": "k", "environment": "live", "scopes": ["orders:read"]}
    reply = world.call("POST", "/v1/api-keys", token=tenant.token, json_body=body, headers={"User-Agent": agent})
    assert reply.status == 201

    (event,) = tenant.events(request_id=reply.request_id)
    assert event["user_agent"] is None or event["user_agent"].isprintable()


def test_an_error_never_echoes_what_was_sent(world: World, app: App):
    marker = "Zq7marker"
    for path, form in (
        ("/oauth2/token", {"grant_type": marker, "client_id": marker, "client_secret": marker}),
        ("/oauth2/token", {"grant_type": "authorization_code", "code": marker, "client_id": app.id}),
        ("/oauth2/par", {"client_id": marker, "scope": marker}),
        ("/oauth2/revoke", {"token": marker, "token_type_hint": marker}),
        ("/oauth2/device_authorization", {"client_id": marker}),
    ):
        assert marker not in world.call("POST", path, form=form).text
    assert marker not in world.call("GET", f"/oauth2/authorize?client_id={marker}&redirect_uri=https://{marker}.test").text
