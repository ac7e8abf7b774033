"""Pushed authorization requests (RFC 9126): whose they are, how long, how often, and what they are held to."""

from collections.abc import Iterator

import pytest

from tests.proving import Holder
from tests.signing_in import App, Browser, answer_of, app_of, page_of
from tests.world import URL, Reply, Tenant, World, running

LATER = {"seconds": 300}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def ada(tenant: Tenant) -> str:
    return tenant.user()


@pytest.fixture
def app(tenant: Tenant) -> App:
    return app_of(tenant, first_party=True)


@pytest.fixture
def browser(world: World, tenant: Tenant, ada: str) -> Browser:
    made = Browser(world)
    made.sign_in(tenant.id, ada)
    return made


def push(app: App, headers: dict[str, str] | None = None, **more: str | None) -> Reply:
    world = app.tenant.world
    return world.call(
        "POST", "/oauth2/par", form=app.parameters(**more), headers={**world.basic(app.registered), **(headers or {})}
    )


def reference(app: App, pushed: Reply) -> str:
    assert pushed.status == 201, pushed.text
    return f"/oauth2/authorize?client_id={app.id}&request_uri={pushed.json['request_uri']}"


def proof(holder: Holder, path: str, nonce: str | None = None) -> dict[str, str]:
    return {"DPoP": holder.proof("POST", URL + path, nonce=nonce)}


def test_a_pushed_request_becomes_one_code(app, browser):
    where = reference(app, pushed := push(app))

    assert pushed.json["expires_in"] == 300
    assert app.redeem(answer_of(browser.get(where))["code"]).status == 200
    again = browser.get(where)
    assert (again.status, again.json["error"]) == (400, "invalid_request_uri")


def test_a_page_may_be_opened_again_until_there_is_an_answer(app, world, tenant, ada):
    browser = Browser(world)
    where = reference(app, push(app))
    assert page_of(browser.get(where))[0] == "/login"

    _, flow = page_of(browser.get(where))
    browser.sign_in(tenant.id, ada, flow=flow)

    assert "code" in answer_of(browser.get(f"/oauth2/authorize?flow={flow}"))


def test_two_interactions_of_one_reference_give_one_code(app, world, tenant, ada):
    where, first, second = reference(app, push(app)), Browser(world), Browser(world)
    flows = [page_of(each.get(where))[1] for each in (first, second)]
    answers = []
    for each, flow in zip((first, second), flows, strict=True):
        each.sign_in(tenant.id, ada, flow=flow)
        answers.append(each.get(f"/oauth2/authorize?flow={flow}"))

    assert [answer.status for answer in answers] == [303, 400]


def test_a_reference_is_over_after_five_minutes(app, browser, world):
    where = reference(app, push(app))

    world.clock.move(**LATER)

    assert browser.get(where).json["error"] == "invalid_request_uri"


def test_a_reference_is_its_clients_alone(app, browser, tenant):
    where, other = reference(app, push(app)), app_of(tenant, first_party=True)

    assert browser.get(where.replace(app.id, other.id)).json["error"] == "invalid_request_uri"


def test_what_the_browser_adds_to_a_reference_counts_for_nothing(app, browser):
    answer = answer_of(browser.get(reference(app, push(app)) + "&state=evil&redirect_uri=https://evil.test"))

    assert answer["state"] == "a-state"


@pytest.mark.parametrize(
    "wrong",
    [
        {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
        {"redirect_uri": "https://evil.test/callback"},
        {"client_id": "cli_01m87bkw5neayt317mzs36s6mm"},
        {"code_challenge_method": "plain"},
        {"code_challenge": None},
        {"dpop_jkt": "short"},
    ],
)
def test_a_request_that_is_not_as_it_should_be_is_not_pushed(app, wrong):
    reply = push(app, **wrong)

    assert (reply.status, reply.json["error"]) == (400, "invalid_request")


def test_who_has_said_to_push_has_to(tenant, browser):
    app = app_of(tenant, first_party=True, require_pushed_authorization_requests=True)

    assert answer_of(browser.get(app.link()))["error"] == "invalid_request"
    assert "code" in answer_of(browser.get(reference(app, push(app))))


def test_a_request_pushed_with_a_proof_gives_a_code_for_that_key_alone(app, browser, world):
    holder, thief = (Holder(lambda: world.clock().timestamp()) for _ in range(2))
    nonce = push(app, proof(holder, "/oauth2/par")).headers["dpop-nonce"]

    def redeem(by: Holder | None) -> Reply:
        code = answer_of(browser.get(reference(app, push(app, proof(holder, "/oauth2/par", nonce)))))["code"]
        shown = {} if by is None else proof(by, "/oauth2/token", nonce)
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": app.verifier}
        form["redirect_uri"] = app.parameters()["redirect_uri"]
        return world.call("POST", "/oauth2/token", form=form, headers={**world.basic(app.registered), **shown})

    assert redeem(holder).json["token_type"] == "DPoP"
    assert redeem(thief).json["error"] == "invalid_grant"
    assert redeem(None).json["error"] == "invalid_grant"


def test_a_proof_of_another_key_than_the_request_names_is_refused(app, world):
    holder, other = (Holder(lambda: world.clock().timestamp()) for _ in range(2))
    nonce = push(app, proof(holder, "/oauth2/par")).headers["dpop-nonce"]

    reply = push(app, proof(holder, "/oauth2/par", nonce), dpop_jkt=other.jkt)

    assert (reply.status, reply.json["error"]) == (400, "invalid_dpop_proof")
