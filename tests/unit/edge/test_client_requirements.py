"""
What a client registered as required of its requests is required on every way in.

A requirement that one endpoint or grant forgot is a known fault of servers: each is tried on all of them. That a request
which meets it is looked at further (and then refused for what it shows) is the control of each case.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.proving import Holder
from tests.signing_in import REDIRECT_URI, App, Browser, answer_of, app_of, challenge, page_of
from tests.world import URL, Reply, Tenant, World, running

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
GRANTS: dict[str, dict[str, str]] = {
    "client_credentials": {},
    "authorization_code": {"code": "x" * 43, "redirect_uri": REDIRECT_URI, "code_verifier": "v" * 43},
    "refresh_token": {"refresh_token": "prt_" + "x" * 92},
    DEVICE_CODE: {"device_code": "x" * 43},
    TOKEN_EXCHANGE: {
        "subject_token": "x",
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    },
}
ASKED = {
    "response_type": "code",
    "redirect_uri": REDIRECT_URI,
    "scope": "openid",
    "code_challenge": challenge("v" * 43),
    "code_challenge_method": "S256",
}
WAYS: dict[str, tuple[str, dict[str, str]]] = {
    **{name.rpartition(":")[2]: ("/oauth2/token", {"grant_type": name, **form}) for name, form in GRANTS.items()},
    "par": ("/oauth2/par", ASKED),
    "device_authorization": ("/oauth2/device_authorization", {"scope": "openid"}),
    "introspect": ("/oauth2/introspect", {"token": "x"}),
    "revoke": ("/oauth2/revoke", {"token": "x"}),
}
TOKEN_WAYS = [name for name, (path, _) in WAYS.items() if path == "/oauth2/token"]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def holder(world: World) -> Holder:
    return Holder(lambda: world.clock().timestamp())


def register(tenant: Tenant, **fields: Any) -> dict[str, Any]:
    usual = {"grant_types": list(GRANTS), "redirect_uris": [REDIRECT_URI], "scopes": ["openid"], "name": "demanding"}
    made: dict[str, Any] = tenant.call("POST", "/v1/oauth-clients", usual | fields, expect=201).json
    return made


def post(world: World, way: str, *, headers: dict[str, str] | None = None, **form: str) -> Reply:
    path, usual = WAYS[way]
    return world.call("POST", path, form=usual | form, headers=headers)


def with_proof(world: World, way: str, holder: Holder, headers: dict[str, str], **form: str) -> Reply:
    nonce = None
    for _ in range(2):
        proof = holder.proof("POST", URL + WAYS[way][0], nonce=nonce)
        reply = post(world, way, headers={**headers, "DPoP": proof}, **form)
        nonce = reply.headers.get("dpop-nonce")
    return reply


@pytest.fixture(scope="module")
def bound(tenant: Tenant) -> dict[str, Any]:
    return register(tenant, dpop_bound_access_tokens=True)


@pytest.mark.parametrize("way", TOKEN_WAYS)
def test_a_client_of_bound_tokens_gets_none_without_a_proof(way: str, world: World, bound: dict[str, Any], holder: Holder):
    basic = world.basic(bound)

    assert post(world, way, headers=basic).json["error"] == "invalid_dpop_proof"
    assert with_proof(world, way, holder, basic).json.get("error") not in ("invalid_dpop_proof", "use_dpop_nonce")


def test_a_request_pushed_without_a_proof_gives_a_code_that_is_redeemed_with_one_alone(
    world: World, bound: dict[str, Any], tenant: Tenant
):
    pushed = post(world, "par", headers=world.basic(bound))
    assert pushed.status == 201, pushed.text

    browser, where = Browser(world), {"client_id": bound["client_id"], "request_uri": pushed.json["request_uri"]}
    _, flow = page_of(browser.get("/oauth2/authorize?" + urlencode(where)))
    browser.sign_in(tenant.id, tenant.user(), flow=flow)
    browser.get(f"/oauth2/authorize?flow={flow}")
    browser.allow(flow)
    code = answer_of(browser.get(f"/oauth2/authorize?flow={flow}"))["code"]
    assert App(tenant, bound, "v" * 43).redeem(code).json["error"] == "invalid_dpop_proof"


@pytest.mark.parametrize("way", TOKEN_WAYS)
def test_a_client_of_certificate_bound_tokens_gets_none_without_a_certificate(way: str, world: World, tenant: Tenant):
    client = register(tenant, tls_client_certificate_bound_access_tokens=True)

    reply = post(world, way, headers=world.basic(client))

    assert (reply.status, reply.json["error"]) == (400, "invalid_request")
    assert "certificate" in reply.json["error_description"]


@pytest.fixture(scope="module")
def signing(tenant: Tenant, holder: Holder) -> dict[str, Any]:
    return register(tenant, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [holder.jwk]})


@pytest.mark.parametrize("way", WAYS)
def test_a_client_that_signs_proves_itself_by_nothing_else(way: str, world: World, signing: dict[str, Any], holder: Holder):
    secret = {"client_id": signing["client_id"], "client_secret": signing["client_secret"] or "x" * 54}
    basic = world.basic(secret)

    for reply in (
        post(world, way, client_id=secret["client_id"]),
        post(world, way, **secret),
        post(world, way, headers=basic),
        post(world, way, **Holder(lambda: world.clock().timestamp()).assertion(signing["client_id"], URL)),
        post(world, way, **holder.assertion(signing["client_id"], URL + WAYS[way][0])),
        post(world, way, **holder.assertion(signing["client_id"], [URL])),
    ):
        assert (reply.status, reply.json["error"]) == (401, "invalid_client")
    good = post(world, way, **holder.assertion(signing["client_id"], URL))
    assert good.status in (200, 201, 400) and good.json.get("error") != "invalid_client", good.text


@pytest.mark.parametrize("way", WAYS)
def test_a_client_with_a_secret_is_not_let_in_by_its_name(way: str, world: World, tenant: Tenant):
    client = register(tenant)
    *almost, last = client["client_secret"]
    wrong = "".join(almost) + ("y" if last == "x" else "x")

    for reply in (
        post(world, way),
        post(world, way, client_id=client["client_id"]),
        post(world, way, client_id=client["client_id"], client_secret=wrong),
    ):
        assert (reply.status, reply.json["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("way", WAYS)
def test_a_suspended_client_is_none_anywhere(way: str, world: World, tenant: Tenant):
    client = register(tenant)
    path = f"/v1/oauth-clients/{client['client_id']}"
    tenant.call("PATCH", path, {"status": "suspended"}, headers={"If-Match": "*"}, expect=200)

    assert post(world, way, headers=world.basic(client)).json["error"] == "invalid_client"


@pytest.mark.parametrize("way", TOKEN_WAYS)
def test_a_grant_that_a_client_is_not_registered_for_is_refused(way: str, world: World, tenant: Tenant):
    others = [name for name in GRANTS if name.rpartition(":")[2] != way]
    client = register(tenant, grant_types=others)

    assert post(world, way, headers=world.basic(client)).json["error"] == "unauthorized_client"


def test_a_device_asks_for_nothing_without_its_grant(world: World, tenant: Tenant):
    client = register(tenant, grant_types=["client_credentials"])

    assert post(world, "device_authorization", headers=world.basic(client)).json["error"] == "unauthorized_client"


def test_a_request_is_neither_pushed_nor_sent_without_the_code_grant(world: World, tenant: Tenant):
    app = app_of(tenant, grant_types=["client_credentials"])

    assert post(world, "par", headers=world.basic(app.registered)).json["error"] == "unauthorized_client"
    assert "error=unauthorized_client" in world.call("GET", app.link()).headers["location"]


@pytest.mark.parametrize("how", ["query", "form", "silent", "form_post"])
def test_a_client_that_pushes_is_refused_whatever_way_its_request_comes(how: str, world: World, tenant: Tenant):
    app = app_of(tenant, require_pushed_authorization_requests=True)
    more = {"silent": {"prompt": "none"}, "form_post": {"response_mode": "form_post"}}.get(how, {})
    if how == "form":
        reply = world.call("POST", "/oauth2/authorize", form=app.parameters())
    else:
        reply = world.call("GET", app.link(**more))

    said = reply.headers.get("location", reply.text)
    assert "invalid_request" in said and "code=" not in said


@pytest.mark.parametrize("how", ["query", "form", "silent", "par"])
def test_a_client_that_signs_its_requests_is_refused_an_unsigned_one_whatever_way_it_comes(
    how: str, world: World, tenant: Tenant, holder: Holder
):
    app = app_of(tenant, jwks={"keys": [holder.jwk]}, require_signed_request_object=True)
    if how == "par":
        reply = world.call("POST", "/oauth2/par", form=app.parameters(), headers=world.basic(app.registered))
    elif how == "form":
        reply = world.call("POST", "/oauth2/authorize", form=app.parameters())
    else:
        reply = world.call("GET", app.link(**({"prompt": "none"} if how == "silent" else {})))

    said = reply.headers.get("location", reply.text)
    assert "invalid_request" in said and "code=" not in said and "request_uri" not in said


@pytest.mark.parametrize("way", TOKEN_WAYS)
def test_a_client_of_the_fapi2_profile_gets_bound_tokens_alone_on_every_way(
    way: str, world: World, tenant: Tenant, holder: Holder
):
    fields = {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [holder.jwk]}, "profile": "fapi2"}
    client = register(tenant, **fields)

    def proved() -> dict[str, str]:
        return holder.assertion(client["client_id"], URL)

    assert post(world, way, **proved()).json["error"] == "invalid_dpop_proof"
    first = post(world, way, headers={"DPoP": holder.proof("POST", URL + "/oauth2/token")}, **proved())
    nonce = first.headers["dpop-nonce"]
    proof = holder.proof("POST", URL + "/oauth2/token", nonce=nonce)
    assert post(world, way, headers={"DPoP": proof}, **proved()).json.get("error") != "invalid_dpop_proof"


def test_the_device_way_demands_what_the_others_do_of_who_proves_nothing(world: World, tenant: Tenant):
    """A public client is one by its registration alone: a confidential one cannot go on without its secret."""
    public = register(tenant, type="public", token_endpoint_auth_method="none", grant_types=[DEVICE_CODE])

    told = post(world, "device_authorization", client_id=public["client_id"])
    assert told.status == 200, told.text
    polled = post(world, "device_code", client_id=public["client_id"], device_code=told.json["device_code"])
    assert polled.json["error"] == "authorization_pending"
    with_a_secret = post(world, "device_authorization", client_id=public["client_id"], client_secret="x" * 54)
    assert with_a_secret.json["error"] == "invalid_client"
