"""What a person sees whom a client sent here with a request that may not go back to it: a page; a program sees JSON."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.signing_in import App, app_of
from tests.world import Reply, Tenant, World, running

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
GERMAN = {**BROWSER, "Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


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


def strange(app: App) -> dict[str, str]:
    return app.parameters(redirect_uri="https://evil.test/callback")


def is_page(reply: Reply) -> bool:
    assert (reply.status, "location" in reply.headers) == (400, False)
    return reply.headers["content-type"] == "text/html; charset=utf-8" and reply.request_id in reply.text


def test_a_person_is_told_on_a_page_that_a_link_is_not_a_good_one(world: World, app: App):
    link = "/oauth2/authorize?" + urlencode(strange(app))

    reply = world.call("GET", link, headers=BROWSER)

    assert is_page(reply)
    assert "This link is not a good one" in reply.text
    assert '<html lang="en">' in reply.text and 'role="alert"' in reply.text
    assert "evil.test" not in reply.text
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")
    assert world.call("GET", link).json["error"] == "invalid_request"


def test_in_german_where_the_browser_asks_for_it(world: World, app: App):
    reply = world.call("POST", "/oauth2/authorize", form=strange(app), headers=GERMAN)

    assert is_page(reply)
    assert '<html lang="de">' in reply.text
    assert "Dieser Link stimmt nicht" in reply.text and "This link" not in reply.text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/oauth2/authorize?client_id=cli_x&request_uri=urn:x", "ist unbekannt"),
        ("/oauth2/logout?id_token_hint=x", "zum Abmelden nötig"),
        ("/oauth2/logout?post_logout_redirect_uri=https://evil.test", "nicht hinterlegt"),
    ],
)
def test_other_errors_that_lead_nowhere_are_pages_too(world: World, path: str, said: str):
    reply = world.call("GET", path, headers=GERMAN)

    assert is_page(reply)
    assert said in reply.text


def test_an_interaction_that_is_over_is_told_of_on_a_page(world: World):
    reply = world.call("GET", "/oauth2/authorize?flow=gone", headers=GERMAN)

    assert is_page(reply)
    assert "Diese Anmeldung ist vorbei" in reply.text


def test_what_may_travel_goes_back_to_the_client_all_the_same(world: World, app: App):
    reply = world.call("GET", app.link(response_type="token"), headers=BROWSER)

    assert (reply.status, reply.headers["location"].partition("?")[0]) == (303, "https://client.test/callback")


def test_a_client_at_the_token_endpoint_is_shown_no_page(world: World):
    reply = world.call("POST", "/oauth2/token", form={"grant_type": "client_credentials"}, headers=BROWSER)

    assert reply.json["error"] == "invalid_client"
