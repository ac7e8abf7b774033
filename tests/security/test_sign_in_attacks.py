"""Codes, refresh tokens, redirect URIs and sessions under attack: each is what RFC 9700 or a published flaw tells of."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from urllib.parse import urlencode

import pytest

from platforma import bootstrap
from tests.contract.on_moto import isolate
from tests.proving import Holder
from tests.signing_in import REDIRECT_URI, App, Browser, answer_of, app_of, page_of
from tests.world import URL, Reply, Tenant, World, running

RACERS = 20


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        isolate(patch)
        yield made


@pytest.fixture(scope="module")
def ada(tenant: Tenant) -> str:
    return tenant.user()


@pytest.fixture(scope="module")
def app(tenant: Tenant) -> App:
    return app_of(tenant, first_party=True)


@pytest.fixture
def browser(world: World, tenant: Tenant, ada: str) -> Browser:
    made = Browser(world)
    made.sign_in(tenant.id, ada)
    return made


@pytest.fixture
def tokens(app: App, browser: Browser, ada: str) -> Any:
    return app.tokens_for(browser, ada)


def at_once(act: Callable[[int], Reply]) -> list[Reply]:
    start = Barrier(RACERS)

    def run(number: int) -> Reply:
        start.wait()
        return act(number)

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(run, range(RACERS)))


def dead(app: App, given: dict[str, str]) -> bool:
    """Whether nothing of *given* is good any more."""
    app.tenant.world.clock.move(seconds=5)
    me = app.tenant.world.call("GET", "/v1/me", token=given["access_token"])
    return me.status == 401 and app.refresh(given["refresh_token"]).json.get("error") == "invalid_grant"


def test_twenty_refreshes_at_once_get_one_answer_and_the_family_lives(app, tokens):
    replies = at_once(lambda _: app.refresh(tokens["refresh_token"]))

    assert {reply.status for reply in replies} == {200}
    assert len({reply.text for reply in replies}) == 1
    assert app.refresh(replies[0].json["refresh_token"]).status == 200


def test_a_refresh_among_others_that_asks_for_something_else_ends_the_family(app, tokens):
    replies = at_once(lambda n: app.refresh(tokens["refresh_token"], **({"scope": "orders:read"} if n % 2 else {})))

    given = {reply.json["access_token"]: reply.json for reply in replies if reply.status == 200}
    assert len(given) == 1
    assert any(reply.json.get("error") == "invalid_grant" for reply in replies)
    (won,) = given.values()
    assert dead(app, won)


def test_a_spent_refresh_token_is_answered_alike_for_thirty_seconds(app, tokens, world):
    first = app.refresh(tokens["refresh_token"])
    world.clock.move(seconds=29)

    assert app.refresh(tokens["refresh_token"]).text == first.text


@pytest.mark.parametrize("kind", ["confidential", "public"])
def test_each_answer_that_is_given_again_stands_in_the_tenants_log(kind, tenant, browser, ada):
    public = {"type": "public", "token_endpoint_auth_method": "none"} if kind == "public" else {}
    app = app_of(tenant, first_party=True, **public)
    spent = app.tokens_for(browser, ada)["refresh_token"]

    replies = [app.refresh(spent) for _ in range(3)]

    told = {event["request_id"]: event for event in tenant.events(action="oauth.tokens.issue", limit="200")}
    first, *again = [told[reply.request_id] for reply in replies]
    assert first["changes"]["after"]["generation"] == 2
    assert [event["resource"] for event in again] == [first["resource"]] * 2
    assert {event["user_id"] for event in again} == {ada}


def test_an_answer_is_given_again_to_the_key_that_it_was_given_to_alone(tenant, browser, ada, world):
    app = app_of(tenant, first_party=True, dpop_bound_access_tokens=True)
    mine, another = (Holder(lambda: world.clock().timestamp()) for _ in range(2))

    def asked(holder, **form):
        nonce = None
        for _ in range(2):
            proof = holder.proof("POST", URL + "/oauth2/token", nonce=nonce)
            headers = {**world.basic(app.registered), "DPoP": proof}
            reply = world.call("POST", "/oauth2/token", form=form, headers=headers)
            nonce = reply.headers.get("dpop-nonce")
        return reply

    code = app.code_for(browser, ada)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, "code_verifier": app.verifier}
    spent = asked(mine, **form).json["refresh_token"]
    first = asked(mine, grant_type="refresh_token", refresh_token=spent)

    assert asked(mine, grant_type="refresh_token", refresh_token=spent).text == first.text
    assert asked(another, grant_type="refresh_token", refresh_token=spent).json["error"] == "invalid_grant"
    again = asked(mine, grant_type="refresh_token", refresh_token=first.json["refresh_token"])
    assert again.json["error"] == "invalid_grant"


@pytest.mark.parametrize("then", ["late", "after its successor was used", "with other parameters"])
def test_any_other_reuse_of_a_refresh_token_ends_its_family_and_that_alone(app, tokens, world, browser, ada, tenant, then):
    elsewhere = app.tokens_for(browser, ada)
    second = app.refresh(tokens["refresh_token"]).json
    more = {"scope": "openid"} if then == "with other parameters" else {}
    if then == "late":
        world.clock.move(seconds=30)
    elif then == "after its successor was used":
        second = app.refresh(second["refresh_token"]).json

    assert app.refresh(tokens["refresh_token"], **more).json["error"] == "invalid_grant"

    assert dead(app, second)
    assert app.refresh(elsewhere["refresh_token"]).status == 200
    event = tenant.events(action="oauth.tokens.issue", result="denied")[0]
    assert (event["reason"], event["user_id"], event["resource_type"]) == ("refresh_reuse_detected", ada, "grant")


def test_a_refresh_token_is_its_clients_alone_and_a_stranger_ends_nothing_by_a_live_one(app, tokens, tenant):
    other = app_of(tenant)

    assert other.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert app.refresh(tokens["refresh_token"]).status == 200


def test_whoever_knows_a_grant_forges_no_spent_token_of_it(app, tokens):
    token = tokens["refresh_token"]
    forged = [token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), token[:30] + "AAAA" + token[34:], token + "A", token[:-1]]

    assert {app.refresh(each).json["error"] for each in forged} == {"invalid_grant"}
    assert app.refresh(token).status == 200


def test_a_family_slides_by_thirty_days_and_ends_after_ninety(app, tokens, world):
    held = tokens
    for _ in range(3):
        world.clock.move(days=29, hours=23)
        held = app.refresh(held["refresh_token"]).json
    world.clock.move(days=1)

    assert app.refresh(held["refresh_token"]).json["error"] == "invalid_grant"


def test_a_refresh_token_unused_for_thirty_days_is_over(app, tokens, world):
    world.clock.move(days=30)

    assert app.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_a_refresh_never_widens_what_was_granted(app, browser, ada):
    given = app.tokens_for(browser, ada, scope="openid offline_access orders:read")

    for scope in ("orders:manage", "openid profile", "orders:*", "*"):
        assert app.refresh(given["refresh_token"], scope=scope).json["error"] == "invalid_scope"
    assert app.refresh(given["refresh_token"], scope="orders:read").json["scope"] == "orders:read"


def test_a_suspended_person_refreshes_nothing(app, tenant, world):
    eve, browser = tenant.user("eve@acme.test"), Browser(world)
    given = app.tokens_for(browser, eve)

    tenant.call("PATCH", f"/v1/users/{eve}", {"status": "suspended"}, headers={"If-Match": "*"}, expect=200)

    assert dead(app, given)


def test_of_twenty_who_redeem_a_code_at_most_one_gets_tokens_and_they_end(app, browser, ada):
    code = app.code_for(browser, ada)

    replies = at_once(lambda _: app.redeem(code))

    won = [reply.json for reply in replies if reply.status == 200]
    assert len(won) == 1
    assert {reply.json["error"] for reply in replies if reply.status != 200} == {"invalid_grant"}
    assert dead(app, won[0])


@pytest.mark.parametrize("later", [1, 30, 3600])
def test_a_code_shown_again_ends_what_it_gave(app, browser, ada, world, tenant, later):
    code = app.code_for(browser, ada)
    given = app.redeem(code).json
    world.clock.move(seconds=later)

    assert app.redeem(code).json["error"] == "invalid_grant"

    assert dead(app, given)
    event = tenant.events(action="oauth.tokens.issue", result="denied")[0]
    assert (event["reason"], event["user_id"]) == ("code_reuse_detected", ada)


def test_a_code_is_over_after_sixty_seconds(app, browser, ada, world):
    code = app.code_for(browser, ada)
    world.clock.move(seconds=60)

    assert app.redeem(code).json["error"] == "invalid_grant"


def test_a_code_is_good_with_its_client_redirect_uri_and_verifier_alone(app, browser, ada, tenant):
    code, other = app.code_for(browser, ada), app_of(tenant, first_party=True)
    other.verifier = app.verifier

    assert other.redeem(code).json["error"] == "invalid_grant"
    for wrong in ({"redirect_uri": REDIRECT_URI + "/"}, {"code_verifier": "w" * 43}, {"code_verifier": app.verifier + "A"}):
        assert app.redeem(code, **wrong).json["error"] == "invalid_grant"
    assert app.redeem(code).status == 200


@pytest.mark.parametrize(
    "more",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": "a" * 42},
    ],
)
def test_pkce_is_neither_left_out_nor_weakened(app, browser, more):
    assert answer_of(browser.get(app.link(**more)))["error"] == "invalid_request"


@pytest.mark.parametrize(
    "uri",
    [
        "https://client.test/callback/",
        "https://client.test/callback?x=1",
        "https://client.test/callback#x",
        "https://client.test/callback%2F",
        "https://client.test/callback/../callback",
        "https://client.test:443/callback",
        "https://client.test:8443/callback",
        "https://client.test@evil.test/callback",
        "https://evil.test/https://client.test/callback",
        "https://client.test.evil.test/callback",
        "https://client.test\\@evil.test/callback",
        "https://CLIENT.test/callback",
        "http://client.test/callback",
        "//client.test/callback",
        "javascript:alert(1)",
        "",
    ],
)
def test_a_redirect_uri_that_is_not_the_registered_one_leads_nowhere(app, browser, uri):
    reply = browser.get(app.link(redirect_uri=uri))

    assert (reply.status, "location" in reply.headers) == (400, False)


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("http://127.0.0.1:49152/cb", True),
        ("http://127.0.0.1/cb", True),
        ("http://127.0.0.1:49152/other", False),
        ("http://127.0.0.1:x@evil.test/cb", False),
        ("http://127.0.0.1.evil.test/cb", False),
        ("http://localhost:49152/cb", False),
        ("https://127.0.0.1:49152/cb", False),
    ],
)
def test_only_the_port_of_a_loopback_address_may_differ(tenant, browser, uri, good):
    app = app_of(
        tenant, first_party=True, type="public", token_endpoint_auth_method="none", redirect_uris=["http://127.0.0.1/cb"]
    )

    reply = browser.get(app.link(redirect_uri=uri))

    assert (reply.status == 303 and reply.headers["location"].startswith(uri + "?code=")) is good


def test_a_parameter_that_is_repeated_leads_nowhere(app, browser):
    for more in ("&state=b", "&redirect_uri=https://evil.test", "&client_id=x", "&scope=openid"):
        assert browser.get(app.link() + more).status == 400


def test_a_token_for_several_resources_is_no_target_and_one_that_is_named_twice_is_one(app, browser):
    ours = urlencode({"resource": URL})
    several = browser.get(f"{app.link()}&{ours}&resource=https://elsewhere.test")
    twice = browser.get(f"{app.link()}&{ours}&{ours}")

    assert answer_of(several)["error"] == "invalid_target"
    assert app.redeem(answer_of(twice)["code"]).status == 200


@pytest.mark.parametrize("response_type", ["token", "id_token", "code id_token", "code token", "none", "CODE"])
def test_no_token_ever_comes_through_the_browser(app, browser, response_type):
    assert answer_of(browser.get(app.link(response_type=response_type)))["error"] == "unsupported_response_type"


@pytest.mark.parametrize("more", [{"request": "e30.e30."}, {"registration": "{}"}, {"request_uri": "https://evil.test/r"}])
def test_nothing_is_read_or_fetched_that_the_request_brings_along(app, browser, more):
    reply = browser.get(app.link(**more))

    error = reply.json["error"] if reply.status == 400 else answer_of(reply)["error"]
    assert error in ("invalid_request_object", "registration_not_supported", "invalid_request_uri")


def test_a_cookie_that_was_planted_before_the_sign_in_opens_nothing_afterwards(browser, tenant, ada):
    planted = browser.cookies["__Host-platforma"]

    session = browser.sign_in(tenant.id, ada)

    assert bootstrap.oauth.read_session(planted) is None
    assert browser.session is not None
    assert browser.session.id == session.id


def test_another_person_at_the_same_browser_ends_the_session_before(browser, tenant, app, ada):
    given = app.tokens_for(browser, ada)

    browser.sign_in(tenant.id, tenant.user(f"next{id(given)}@acme.test"))

    assert dead(app, given)


def test_an_interaction_is_not_finished_in_another_browser(app, world, tenant, ada):
    victim, thief = Browser(world), Browser(world)
    _, flow = page_of(thief.get(app.link()))
    victim.sign_in(tenant.id, ada, flow=flow)

    assert victim.get(f"/oauth2/authorize?flow={flow}").status == 400
    victim.cookies["__Host-platforma-browser"] = "x" * 43
    assert victim.get(f"/oauth2/authorize?flow={flow}").status == 400


def test_a_session_of_another_tenant_is_nobodys_here(app, world):
    other, browser = world.tenant("attack", "admin@attack.test"), Browser(world)
    browser.sign_in(other.id, other.admin_id)

    assert page_of(browser.get(app.link()))[0] == "/login"


def test_a_session_ends_after_half_an_hour_unseen_and_after_twelve_however_often_it_is_seen(browser, app, world):
    for _ in range(24):
        assert "code" in answer_of(browser.get(app.link(prompt="none")))
        world.clock.move(minutes=29)
    assert "code" in answer_of(browser.get(app.link(prompt="none")))
    world.clock.move(minutes=24)

    assert answer_of(browser.get(app.link(prompt="none")))["error"] == "login_required"


def test_a_session_that_nobody_was_seen_in_for_half_an_hour_is_over(browser, app, world):
    world.clock.move(minutes=30)

    assert answer_of(browser.get(app.link(prompt="none")))["error"] == "login_required"
