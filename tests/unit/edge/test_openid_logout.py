"""Sign-out at an OpenID provider, both ways, and everything that must not end anybody's session."""

from urllib.parse import parse_qs, urlsplit

import pytest

from platforma import bootstrap
from platforma.kernel.errors import Unavailable
from platforma.oauth.client_keys import ClientKeys
from tests.fakes.openid_provider import ISSUER, FakeOpenIDProvider, OpenIDVisitor
from tests.persons import Fields
from tests.signing_in import Browser
from tests.unit.edge.test_openid_sign_in import connected
from tests.world import URL, Reply, Tenant, World

END = f"{ISSUER}/logout?from=us"


@pytest.fixture
def provider(world: World, monkeypatch: pytest.MonkeyPatch) -> FakeOpenIDProvider:
    made = FakeOpenIDProvider(world.clock, configuration={"end_session_endpoint": END})
    made.claims["sid"] = "s1"
    monkeypatch.setattr(bootstrap.parts.ground, "fetch", lambda: made)
    monkeypatch.setitem(bootstrap.oidc.ports, "calls", lambda: made)
    for area in (bootstrap.oidc, bootstrap.oidc_logout):
        monkeypatch.setitem(area.ports, "client_keys", lambda: ClientKeys(made, world.clock))
    return made


@pytest.fixture
def ada(world: World, tenant: Tenant, provider: FakeOpenIDProvider) -> OpenIDVisitor:
    visitor = OpenIDVisitor(tenant, connected(world, tenant), provider, Browser(world))
    assert visitor.sign_in().status == 303
    return visitor


def tell(visitor: OpenIDVisitor, token: str) -> Reply:
    path = f"{visitor.path}/backchannel-logout"
    return visitor.tenant.world.call("POST", path, form={"logout_token": token})


def refused(reply: Reply, visitor: OpenIDVisitor) -> None:
    assert (reply.status, reply.json["error"]) == (400, "invalid_request")
    assert visitor.browser.session is not None


def sign_out(visitor: OpenIDVisitor) -> Reply:
    page = visitor.browser.get("/sign-out")
    return visitor.browser.post("/sign-out", {"token": Fields(page.text).hidden["token"]})


def test_who_signs_out_here_signs_out_at_the_provider_too(ada, world):
    session = ada.browser.session
    assert "https://op.test" in ada.browser.get("/sign-out").headers["content-security-policy"]

    on = sign_out(ada)
    asked = world.call("GET", on.headers["location"])

    assert bootstrap.parts.oauth.sessions().get(session.id).ended_at is not None
    where = urlsplit(asked.headers["location"])
    sent = {name: values[0] for name, values in parse_qs(where.query).items()}
    assert (asked.status, f"{where.scheme}://{where.netloc}{where.path}") == (302, f"{ISSUER}/logout")
    assert (sent["from"], sent["client_id"]) == ("us", "client")
    assert sent["post_logout_redirect_uri"] == f"{URL}{ada.path}/slo"
    assert sent["id_token_hint"].count(".") == 2
    assert world.call("GET", f"{ada.path}/slo").headers["location"] == "/sign-out"


def test_a_provider_without_a_place_to_sign_out_keeps_its_session(ada, provider, world, tenant):
    provider.configuration = {"end_session_endpoint": "http://op.test/plain"}
    world.clock.move(minutes=11)
    other = OpenIDVisitor(tenant, ada.connection_id, provider, Browser(world))
    other.sign_in()

    reply = sign_out(other)

    assert (reply.status, other.browser.session) == (200, None)


def test_who_signs_out_while_keys_are_out_of_reach_is_signed_out_here(ada, monkeypatch):
    def gone(*_: object) -> None:
        raise Unavailable

    monkeypatch.setattr(bootstrap.parts.sso.provider_sessions(), "of", gone)

    reply = sign_out(ada)

    assert (reply.status, ada.browser.session) == (200, None)


def test_an_id_token_too_long_for_an_address_is_not_shown_again(ada, provider, world, tenant):
    provider.claims["groups"] = [f"{number:036}" for number in range(200)]
    other = OpenIDVisitor(tenant, ada.connection_id, provider, Browser(world))
    other.sign_in()

    asked = world.call("GET", sign_out(other).headers["location"])

    assert asked.status == 302
    assert "id_token_hint" not in asked.headers["location"]


def test_a_sign_out_link_that_is_forged_or_old(ada, world):
    where = sign_out(ada).headers["location"]

    assert world.call("GET", where[:-1] + ("0" if where[-1] != "0" else "1")).status == 404
    assert world.call("POST", f"{ada.path}/slo", form={"SAMLRequest": "x"}).status == 404
    world.clock.move(minutes=6)
    assert world.call("GET", where).status == 404


def test_the_provider_ends_a_session_and_the_log_says_whose(ada, provider, tenant):
    session = ada.browser.session

    reply = tell(ada, provider.logout_token())

    assert (reply.status, reply.headers["cache-control"]) == (200, "no-store")
    assert ada.browser.session is None
    (event,) = tenant.events(action="sso.logout_tokens.consume", resource=session.id)
    assert (event["user_id"], event["result"]) == (session.user_id, "success")


def test_only_the_session_that_the_provider_names_ends_and_all_where_it_names_none(ada, provider, tenant, world):
    provider.claims["sid"] = "s2"
    other = OpenIDVisitor(tenant, ada.connection_id, provider, Browser(world))
    other.sign_in()

    tell(ada, provider.logout_token(sid="s2"))
    assert (ada.browser.session is None, other.browser.session is None) == (False, True)
    tell(ada, provider.logout_token(sid=None))

    assert ada.browser.session is None


def test_a_session_by_a_password_is_none_of_the_providers(ada, provider, tenant, world):
    own = Browser(world)
    own.sign_in(tenant.id, ada.browser.session.user_id)

    tell(ada, provider.logout_token(sid=None))

    assert own.session is not None
    assert ada.browser.session is None


def test_a_stranger_is_ended_nowhere(ada, provider):
    assert tell(ada, provider.logout_token(sub="eve-1")).status == 200
    assert ada.browser.session is not None


@pytest.mark.parametrize(
    "bent",
    [
        {"iss": "https://evil.test"},
        {"aud": "another"},
        {"aud": ["client", "another"]},
        {"events": None},
        {"events": {}},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": True}},
        {"nonce": "n"},
        {"sub": None},
        {"sub": 7},
        {"jti": None},
        {"iat": None},
        {"exp": None},
        {"typ": "at+jwt"},
    ],
)
def test_a_token_that_is_no_logout_token_for_us(ada, provider, bent):
    refused(tell(ada, provider.logout_token(**bent)), ada)


def test_an_id_token_is_no_logout_token(ada, provider):
    refused(tell(ada, provider.token()), ada)


def test_a_logout_token_by_somebody_else_or_by_no_key(ada, provider, world):
    forged = FakeOpenIDProvider(world.clock)
    refused(tell(ada, forged.logout_token()), ada)
    head, body, _ = provider.logout_token().split(".")
    refused(tell(ada, f"eyJhbGciOiJub25lIn0.{body}."), ada)
    refused(tell(ada, f"{head}.{body}."), ada)
    refused(tell(ada, ""), ada)


def test_a_logout_token_shown_twice_or_late(ada, provider, world):
    token, old = provider.logout_token(sub="eve-1"), provider.logout_token()
    assert tell(ada, token).status == 200

    refused(tell(ada, token), ada)
    world.clock.move(minutes=12)
    refused(tell(ada, old), ada)


def test_a_logout_token_at_another_connection(ada, provider, world):
    other = connected(world, world.tenant("other", "admin@other.test"), client_id="another")
    visitor = OpenIDVisitor(ada.tenant, other, provider, ada.browser)

    refused(tell(visitor, provider.logout_token()), ada)


def test_strangers_write_nothing_into_a_tenants_log(ada, provider, world, tenant):
    before = len([each for each in tenant.events(limit="200") if each["action"].startswith("sso.")])

    refused(tell(ada, FakeOpenIDProvider(world.clock).logout_token()), ada)

    assert len([each for each in tenant.events(limit="200") if each["action"].startswith("sso.")]) == before
