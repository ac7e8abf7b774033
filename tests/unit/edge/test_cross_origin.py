"""What a client without a server may read from its own page, in a browser (Fetch standard, CORS)."""

from collections.abc import Iterator
from typing import Any

import pytest

from platforma.edge.endpoints import ENDPOINTS
from platforma.oauth.redirect_uri import leads_to
from tests.proving import Holder
from tests.signing_in import App, Browser, answer_of, app_of
from tests.world import URL, Reply, Tenant, World, running

SITE, ELSEWHERE = "https://client.test", "https://evil.test"
DOCUMENTS = [row.path for row in ENDPOINTS if row.readable_by == "any site"]
THEIRS = sorted({row.path for row in ENDPOINTS if row.readable_by == "the client's sites"})


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def app(tenant: Tenant) -> App:
    return app_of(tenant, type="public", token_endpoint_auth_method="none", first_party=True)


@pytest.fixture(scope="module")
def ada(tenant: Tenant) -> str:
    return tenant.user()


@pytest.fixture
def given(app: App, world: World, tenant: Tenant, ada: str) -> dict[str, Any]:
    browser = Browser(world)
    browser.sign_in(tenant.id, ada)
    reply = browser.get(app.link())
    told: dict[str, Any] = app.redeem(answer_of(reply)["code"]).json
    return told


def readers(reply: Reply) -> str | None:
    assert "access-control-allow-credentials" not in reply.headers
    return reply.headers.get("access-control-allow-origin")


def test_these_endpoints_and_no_others_are_read_by_pages_of_other_sites():
    assert THEIRS == ["/oauth2/par", "/oauth2/revoke", "/oauth2/token", "/oauth2/userinfo"]
    assert len(DOCUMENTS) == 4
    asked = {row.path for row in ENDPOINTS if row.method == "OPTIONS"}
    assert asked == {*THEIRS, *DOCUMENTS}


@pytest.mark.parametrize("path", DOCUMENTS)
def test_public_documents_are_read_by_any_page(path: str, world: World, tenant: Tenant):
    asked = world.call("OPTIONS", path, headers={"Origin": ELSEWHERE, "Access-Control-Request-Headers": "mcp-version"})

    assert (asked.status, asked.text, readers(asked)) == (204, "", "*")
    assert asked.headers["access-control-allow-methods"] == "GET"
    assert readers(world.call("GET", path, headers={"Origin": ELSEWHERE})) == "*"


@pytest.mark.parametrize("path", THEIRS)
def test_a_browser_is_told_what_it_may_send_before_it_is_known_who_asks(path: str, world: World):
    asked = world.call("OPTIONS", path, headers={"Origin": SITE, "Access-Control-Request-Method": "POST"})

    assert (asked.status, asked.text, readers(asked)) == (204, "", "*")
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert {"Authorization", "DPoP"} <= set(asked.headers["access-control-allow-headers"].split(", "))


@pytest.mark.parametrize(("origin", "reader"), [(SITE, SITE), (ELSEWHERE, None), ("null", None), (None, None)])
def test_tokens_are_read_by_the_clients_own_site_alone(
    origin: str | None, reader: str | None, world: World, app: App, given
):
    headers = {} if origin is None else {"Origin": origin}
    form = {"client_id": app.id, "grant_type": "refresh_token", "refresh_token": given["refresh_token"]}

    good = world.call("POST", "/oauth2/token", form=form, headers=headers)
    bad = world.call("POST", "/oauth2/token", form={**form, "refresh_token": "prt_x"}, headers=headers)
    gone = world.call("POST", "/oauth2/revoke", form={"client_id": app.id, "token": "x"}, headers=headers)
    pushed = world.call("POST", "/oauth2/par", form={"client_id": app.id}, headers=headers)

    assert [reply.status for reply in (good, bad, gone, pushed)] == [200, 400, 200, 400]
    for reply in (good, bad, gone, pushed):
        assert readers(reply) == reader
        assert reply.headers["vary"] == "Origin"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_userinfo_is_read_by_the_site_of_the_client_that_the_token_was_given_to(method: str, world: World, given):
    def asked(origin: str) -> Reply:
        return world.call(method, "/oauth2/userinfo", token=given["access_token"], headers={"Origin": origin})

    assert (asked(SITE).status, readers(asked(SITE)), readers(asked(ELSEWHERE))) == (200, SITE, None)


def test_a_page_reads_the_nonce_that_its_proof_needs(world: World, app: App, given):
    holder, headers = Holder(lambda: world.clock().timestamp()), {"Origin": SITE}
    form = {"client_id": app.id, "grant_type": "refresh_token", "refresh_token": given["refresh_token"]}

    proof = holder.proof("POST", URL + "/oauth2/token")
    reply = world.call("POST", "/oauth2/token", form=form, headers={**headers, "DPoP": proof})

    assert (reply.json["error"], readers(reply)) == ("use_dpop_nonce", SITE)
    assert reply.headers["dpop-nonce"] and "DPoP-Nonce" in reply.headers["access-control-expose-headers"]


def test_who_is_no_client_is_answered_for_no_page(world: World):
    for form in ({"client_id": "cli_01ja2s8n7vfxkrcm4fyzqf1q5m"}, {"client_id": "x"}, {}):
        assert readers(world.call("POST", "/oauth2/token", form=form, headers={"Origin": SITE})) is None
    assert readers(world.call("GET", "/oauth2/userinfo", token="x.y.z", headers={"Origin": SITE})) is None


def test_a_client_that_is_suspended_has_no_site(world: World, tenant: Tenant):
    app = app_of(tenant, type="public", token_endpoint_auth_method="none")
    path = f"/v1/oauth-clients/{app.id}"
    tenant.call("PATCH", path, {"status": "suspended"}, headers={"If-Match": "*"}, expect=200)

    assert readers(world.call("POST", "/oauth2/token", form={"client_id": app.id}, headers={"Origin": SITE})) is None


@pytest.mark.parametrize("path", ["/oauth2/authorize", "/oauth2/logout", "/login", "/v1/me"])
def test_what_depends_on_a_cookie_or_is_no_clients_is_read_by_no_other_site(path: str, world: World):
    assert readers(world.call("GET", path, headers={"Origin": SITE})) is None


@pytest.mark.parametrize(
    ("uri", "origin", "leads"),
    [
        ("https://app.test/cb", "https://app.test", True),
        ("https://app.test:443/cb", "https://app.test", True),
        ("https://APP.test/cb", "https://app.test", True),
        ("https://app.test:8443/cb?x=1", "https://app.test:8443", True),
        ("https://app.test:8443/cb", "https://app.test", False),
        ("https://app.test/cb", "http://app.test", False),
        ("https://app.test/cb", "https://app.test.evil.test", False),
        ("https://app.test/cb", "https://evil.test/https://app.test", False),
        ("https://app.test/cb", "https://app.test/", False),
        ("https://app.test/cb", "https://x.app.test", False),
        ("https://app.test/cb", "https://app.test, https://evil.test", False),
        ("https://app.test/cb", "*", False),
        ("http://localhost:3000/cb", "http://localhost:3000", True),
        ("http://localhost:3000/cb", "http://localhost:3001", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51234", True),
        ("http://[::1]/cb", "http://[::1]:51234", True),
        ("http://127.0.0.1/cb", "http://127.0.0.2:51234", False),
        ("com.example.app:/cb", "null", False),
        ("com.example.app:/cb", "com.example.app://", False),
    ],
)
def test_a_redirect_uri_leads_to_one_origin(uri: str, origin: str, leads: bool):
    assert leads_to(uri, origin) is leads
