"""OpenID Connect Core: Basic Certification Profile; `response_type=code`, a static client, discovery."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from json import dumps
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.conformance.relying_party import OTHER_REDIRECT_URI, Account, RelyingParty, SignedIn
from tests.running import Running
from tests.signing_in import REDIRECT_URI
from tests.visiting import Person

PAGE = {"Accept": "text/html"}
Call = Callable[..., Any]


@pytest.fixture(scope="session")
def spent(client: RelyingParty, running: Running, account: Account) -> tuple[str, str, str, float]:
    """A code that was redeemed, its verifier, the access token that it gave, and when."""
    with Person(running, account.email) as person:
        code = client.code(person)
    reply = client.redeem(code)
    assert reply.status_code == 200, reply.text
    return code, client.verifier, reply.json()["access_token"], time.monotonic()


def again(client: RelyingParty, code: str, verifier: str) -> Any:
    return client.token_endpoint(
        grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI, code_verifier=verifier
    )


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none"}, claims)
    return ".".join(urlsafe_b64encode(dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


def test_oidcc_codereuse(client: RelyingParty, spent: tuple[str, str, str, float]):
    code, verifier, _, _ = spent

    reply = again(client, code, verifier)

    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")


def test_oidcc_server(client: RelyingParty, person: Person, account: Account):
    signed_in = client.sign_in(person)

    assert signed_in.claims["sub"] == account.id
    assert client.userinfo(signed_in.tokens["access_token"])["sub"] == account.id
    assert person.pages[0] == "/login"


def test_oidcc_server_client_secret_post(running: Running, token: str, person: Person):
    client = RelyingParty(running, token, token_endpoint_auth_method="client_secret_post")
    code = client.code(person)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": client.verifier,
        "client_id": client.id,
        "client_secret": client.registered["client_secret"],
    }
    reply = running.call("POST", "/oauth2/token", data=form)

    assert reply.status_code == 200, reply.text
    client.verified(reply.json(), nonce=client.nonce)


def test_oidcc_response_type_missing(client: RelyingParty, person: Person):
    assert client.refused(person, response_type=None) in ("invalid_request", "unsupported_response_type")


def test_oidcc_idtoken_signature(client: RelyingParty, person: Person):
    """Without `id_token_signed_response_alg` it is RS256, by a key that the header names."""
    client.sign_in(person)

    assert client.registered["id_token_signed_response_alg"] == "RS256"


def test_oidcc_idtoken_unsigned(running: Running, token: str, metadata: dict[str, Any]):
    """The suite leaves out who does not offer it; here it cannot be registered either."""
    body = {"name": "none", "id_token_signed_response_alg": "none"}

    assert "none" not in metadata["id_token_signing_alg_values_supported"]
    assert running.call("POST", "/v1/oauth-clients", token=token, json=body).status_code == 422


def test_oidcc_userinfo_get(client: RelyingParty, person: Person, account: Account):
    access_token = client.sign_in(person).tokens["access_token"]

    assert client.userinfo(access_token) == {"sub": account.id}


def test_oidcc_userinfo_post_header(client: RelyingParty, running: Running, person: Person, account: Account):
    access_token = client.sign_in(person).tokens["access_token"]
    reply = running.call("POST", "/oauth2/userinfo", token=access_token)

    assert (reply.status_code, reply.json()["sub"]) == (200, account.id)


def test_oidcc_userinfo_post_body(client: RelyingParty, running: Running, person: Person, account: Account):
    access_token = client.sign_in(person).tokens["access_token"]
    reply = running.call("POST", "/oauth2/userinfo", data={"access_token": access_token})

    assert (reply.status_code, reply.json()["sub"]) == (200, account.id)


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(client: RelyingParty, person: Person):
    assert "nonce" not in client.sign_in(person, nonce=None).claims


def given_by(client: RelyingParty, person: Person, scope: str) -> dict[str, Any]:
    """What userinfo says after a sign-in with this scope."""
    signed_in = client.sign_in(person, scope=scope)
    assert set(signed_in.tokens["scope"].split()) == set(scope.split())
    return client.userinfo(signed_in.tokens["access_token"])


def test_oidcc_scope_profile(client: RelyingParty, person: Person, account: Account):
    assert given_by(client, person, "openid profile") == {"sub": account.id, "name": "Ada Lovelace"}


def test_oidcc_scope_email(client: RelyingParty, person: Person, account: Account):
    assert given_by(client, person, "openid email") == {"sub": account.id, "email": account.email}


def test_oidcc_scope_address(client: RelyingParty, person: Person, metadata: dict[str, Any]):
    """The suite leaves out who does not offer it; here it is refused."""
    assert "address" not in metadata["scopes_supported"]
    assert client.refused(person, scope="openid address") == "invalid_scope"


def test_oidcc_scope_phone(client: RelyingParty, person: Person, metadata: dict[str, Any]):
    """The suite leaves out who does not offer it; here it is refused."""
    assert "phone" not in metadata["scopes_supported"]
    assert client.refused(person, scope="openid phone") == "invalid_scope"


def test_oidcc_scope_all(client: RelyingParty, person: Person, account: Account, metadata: dict[str, Any]):
    scope = " ".join(metadata["scopes_supported"])

    assert given_by(client, person, scope) == {"sub": account.id, "name": "Ada Lovelace", "email": account.email}


def test_oidcc_alternate_happy_flow(client: RelyingParty, person: Person):
    """Neither the order of scopes nor that of parameters matters."""
    asked = dict(reversed(client.request(scope="email profile openid").items()))
    answer = client.answer(person.led_back("/oauth2/authorize?" + urlencode(asked)))

    assert client.redeem(answer["code"]).status_code == 200


def test_oidcc_display_page(client: RelyingParty, person: Person):
    client.sign_in(person, display="page")


def test_oidcc_display_popup(client: RelyingParty, person: Person):
    client.sign_in(person, display="popup")


def test_oidcc_prompt_login(client: RelyingParty, person: Person):
    first = client.sign_in(person)
    person.pages.clear()
    time.sleep(1.1)
    second = client.sign_in(person, prompt="login")

    assert "/login" in person.pages
    assert second.claims["auth_time"] > first.claims["auth_time"]
    assert second.claims["sub"] == first.claims["sub"]


def test_oidcc_prompt_none_not_logged_in(client: RelyingParty, person: Person):
    assert client.refused(person, prompt="none", state="s" * 128) == "login_required"


def test_oidcc_prompt_none_logged_in(client: RelyingParty, person: Person):
    first = client.sign_in(person)
    person.pages.clear()
    second = client.sign_in(person, prompt="none")

    assert person.pages == []
    assert same_sign_in(first, second)


def same_sign_in(first: SignedIn, second: SignedIn) -> bool:
    return all(first.claims[name] == second.claims[name] for name in ("sub", "auth_time", "sid", "acr"))


def test_oidcc_max_age_1(client: RelyingParty, person: Person):
    first = client.sign_in(person)
    person.pages.clear()
    time.sleep(2)
    second = client.sign_in(person, max_age="1")

    assert "/login" in person.pages
    assert second.claims["auth_time"] > first.claims["auth_time"]
    assert time.time() - second.claims["auth_time"] < 30


def test_oidcc_max_age_10000(client: RelyingParty, person: Person):
    first = client.sign_in(person)
    person.pages.clear()
    second = client.sign_in(person, max_age="10000")

    assert person.pages == []
    assert same_sign_in(first, second)


def test_oidcc_ensure_request_with_unknown_parameter_succeeds(client: RelyingParty, person: Person):
    client.sign_in(person, extra="foobar")


def test_oidcc_id_token_hint(client: RelyingParty, person: Person):
    first = client.sign_in(person)
    second = client.sign_in(person, prompt="none", id_token_hint=first.tokens["id_token"])

    assert same_sign_in(first, second)


def test_oidcc_login_hint(client: RelyingParty, person: Person, account: Account):
    asked = client.link(login_hint=account.email)
    shown = person.http.get(asked, follow_redirects=True)
    back = person.led_back(asked)

    assert f'value="{account.email}"' in shown.text
    assert client.redeem(client.answer(back)["code"]).status_code == 200


def test_oidcc_ui_locales(client: RelyingParty, person: Person):
    shown = person.http.get(client.link(ui_locales="de"), follow_redirects=True)

    assert '<html lang="de">' in shown.text
    client.sign_in(person, ui_locales="se")


def test_oidcc_claims_locales(client: RelyingParty, person: Person):
    client.sign_in(person, claims_locales="se")


def test_oidcc_ensure_request_with_acr_values_succeeds(client: RelyingParty, person: Person, metadata: dict[str, Any]):
    first = metadata["acr_values_supported"][0]

    assert client.sign_in(person, acr_values=" ".join(metadata["acr_values_supported"])).claims["acr"] == first


def test_oidcc_ensure_registered_redirect_uri(client: RelyingParty, person: Person):
    reply = person.http.get(client.link(redirect_uri="https://client.test/unregistered"), headers=PAGE)

    assert (reply.status_code, reply.is_redirect) == (400, False)
    assert reply.headers["content-type"].startswith("text/html")
    assert "This link is not a good one" in reply.text


def test_oidcc_ensure_post_request_succeeds(client: RelyingParty, person: Person):
    reply = person.http.post("/oauth2/authorize", data=client.request())
    assert reply.is_redirect, reply.text
    answer = client.answer(person.led_back(reply.headers["location"]))

    assert client.redeem(answer["code"]).status_code == 200


def test_oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(
    client: RelyingParty, person: Person, metadata: dict[str, Any]
):
    reply = person.http.get(client.link(request_uri="https://client.test/request.jwt"), headers=PAGE)

    assert metadata["request_uri_parameter_supported"] is False
    assert (reply.status_code, reply.is_redirect) == (400, False)


def test_oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(
    client: RelyingParty, person: Person, metadata: dict[str, Any]
):
    """The suite leaves out who offers signed ones alone; here an unsigned one is refused."""
    request = unsigned({"client_id": client.id, "scope": "openid", "response_type": "code", "redirect_uri": REDIRECT_URI})
    reply = person.http.get(client.link(request=request), headers=PAGE)

    assert "none" not in metadata["request_object_signing_alg_values_supported"]
    assert (reply.status_code, reply.is_redirect) == (400, False)


def test_oidcc_ensure_request_object_with_redirect_uri(client: RelyingParty, person: Person, metadata: dict[str, Any]):
    """As before: what stands in an unsigned one counts for nothing, and so does what stands beside it."""
    request = unsigned({"client_id": client.id, "redirect_uri": OTHER_REDIRECT_URI})
    reply = person.http.get(client.link(request=request), headers=PAGE)

    assert "none" not in metadata["request_object_signing_alg_values_supported"]
    assert (reply.status_code, reply.is_redirect) == (400, False)


def test_oidcc_claims_essential(client: RelyingParty, person: Person):
    claims = dumps({"userinfo": {"name": {"essential": True}}})
    access_token = client.sign_in(person, scope="openid profile", claims=claims).tokens["access_token"]

    assert client.userinfo(access_token)["name"] == "Ada Lovelace"


def test_oidcc_refresh_token(client: RelyingParty, running: Running, token: str, person: Person):
    asked = {"scope": "openid offline_access", "prompt": "consent"}
    first = client.sign_in(person, **asked)
    refreshed = client.token_endpoint(grant_type="refresh_token", refresh_token=first.tokens["refresh_token"]).json()
    claims = client.verified(refreshed, nonce="")
    other = RelyingParty(running, token)
    others = other.sign_in(person, **asked).tokens["refresh_token"]
    stolen = client.token_endpoint(grant_type="refresh_token", refresh_token=others)

    assert "/consent" in person.pages
    assert all(claims[name] == first.claims[name] for name in ("iss", "sub", "aud", "auth_time"))
    assert claims["iat"] >= first.claims["iat"]
    assert client.userinfo(refreshed["access_token"])["sub"] == claims["sub"]
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")


def test_oidcc_ensure_request_with_valid_pkce_succeeds(client: RelyingParty, person: Person):
    code = client.code(person)

    assert again(client, code, "w" * 43).json()["error"] == "invalid_grant"
    assert client.redeem(code).status_code == 200


def test_oidcc_codereuse_30seconds(client: RelyingParty, running: Running, spent: tuple[str, str, str, float]):
    code, verifier, access_token, since = spent
    time.sleep(max(0.0, 31 - (time.monotonic() - since)))

    reply = again(client, code, verifier)

    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")
    assert running.call("GET", "/oauth2/userinfo", token=access_token).status_code == 401
