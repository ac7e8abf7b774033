"""RP-initiated logout: what ends, who is asked, and where it leads."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.signing_in import App, Browser, app_of
from tests.world import Reply, Tenant, World, running

OUT = "https://client.test/out"


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


@pytest.fixture(scope="module")
def app(tenant: Tenant) -> App:
    return app_of(tenant, first_party=True, post_logout_redirect_uris=[OUT, OUT + "?a=b"])


class SignedIn:
    """A browser that is signed in, and what the client got."""

    def __init__(self, app: App, person: str) -> None:
        self.browser = Browser(app.tenant.world)
        self.tokens = app.tokens_for(self.browser, person)

    def out(self, **parameters: str) -> Reply:
        return self.browser.get(f"/oauth2/logout?{urlencode(parameters)}")

    @property
    def still(self) -> bool:
        return self.browser.session is not None


@pytest.fixture
def here(app: App, ada: str) -> SignedIn:
    return SignedIn(app, ada)


def led(reply: Reply) -> str:
    assert reply.status == 303, reply.text
    return reply.headers["location"]


def test_a_client_of_the_session_ends_it_and_gets_the_browser_back(here, app, world, tenant):
    reply = here.out(id_token_hint=here.tokens["id_token"], post_logout_redirect_uri=OUT, state="s&t")

    assert led(reply) == f"{OUT}?state=s%26t"
    assert reply.cookies == ("__Host-platforma=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0",)
    assert not here.still
    assert app.refresh(here.tokens["refresh_token"]).json["error"] == "invalid_grant"
    world.clock.move(seconds=5)
    assert world.call("GET", "/v1/me", token=here.tokens["access_token"]).status == 401
    told = tenant.events(action="oauth.logout.start")
    assert {event["resource_type"] for event in told} >= {"session", "grant"}


def test_a_uri_with_a_query_keeps_it(here):
    reply = here.out(id_token_hint=here.tokens["id_token"], post_logout_redirect_uri=OUT + "?a=b", state="s")

    assert led(reply) == f"{OUT}?a=b&state=s"


def test_without_a_uri_the_person_sees_our_own_page(here):
    assert led(here.out(id_token_hint=here.tokens["id_token"])) == "/sign-out"
    assert not here.still


def test_without_a_hint_or_with_one_of_another_session_the_person_is_asked(here, app, ada):
    elsewhere = SignedIn(app, ada)

    assert led(here.out(client_id=app.id, post_logout_redirect_uri=OUT)) == "/sign-out"
    assert led(here.out(id_token_hint=elsewhere.tokens["id_token"], post_logout_redirect_uri=OUT)) == "/sign-out"
    assert here.still
    assert elsewhere.still


def test_whose_session_is_over_already_is_led_back_all_the_same(here, world):
    world.clock.move(minutes=31)

    assert led(here.out(id_token_hint=here.tokens["id_token"], post_logout_redirect_uri=OUT)) == OUT


def test_an_expired_id_token_is_hint_enough(here, world, app, ada, tenant):
    world.clock.move(minutes=29)
    assert here.still
    world.clock.move(minutes=29)
    assert here.still
    world.clock.move(minutes=29)

    assert led(here.out(id_token_hint=here.tokens["id_token"], post_logout_redirect_uri=OUT)) == OUT
    assert not here.still


@pytest.mark.parametrize(
    "uri",
    ["https://evil.test/out", OUT + "/", OUT + "#x", "https://client.test/out?a=c", "https://client.test@evil.test/out"],
)
def test_nothing_is_followed_that_is_not_registered_and_nothing_ended(here, uri):
    reply = here.out(id_token_hint=here.tokens["id_token"], post_logout_redirect_uri=uri)

    assert (reply.status, reply.json["error"], "location" in reply.headers) == (400, "invalid_request", False)
    assert here.still


def test_a_hint_that_is_not_the_clients_is_refused(here, app, tenant):
    other = app_of(tenant, post_logout_redirect_uris=[OUT])
    forged = here.tokens["id_token"][:-8] + "AAAAAAAA"
    cases = (
        {"id_token_hint": forged},
        {"id_token_hint": here.tokens["id_token"], "client_id": other.id},
        {"id_token_hint": here.tokens["access_token"]},
        {"id_token_hint": "x"},
        {"client_id": "x", "post_logout_redirect_uri": OUT},
        {"post_logout_redirect_uri": OUT},
    )
    for case in cases:
        assert here.out(**case).json["error"] == "invalid_request"
    assert here.still


def test_another_sites_form_is_led_on_to_where_the_browser_shows_its_session(here, world):
    form = {"id_token_hint": here.tokens["id_token"], "post_logout_redirect_uri": OUT}

    reply = world.call("POST", "/oauth2/logout", form=form)

    assert here.still
    assert led(here.browser.get(led(reply))) == OUT
    assert not here.still


def test_nobody_in_particular_is_signed_out_already(world):
    assert led(world.call("GET", "/oauth2/logout")) == "/sign-out"
