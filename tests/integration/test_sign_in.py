"""A person's sign-in through the URL, from the page to the end of all that was given."""

import base64
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.integration.conftest import Running
from tests.signing_in import REDIRECT_URI, challenge
from tests.visiting import Person, signed_in

VERIFIER = "v" * 43
ANY = {"If-Match": "*"}


def admin(running: Running) -> tuple[str, str]:
    """The id of a new session of the demo tenant's administrator, and its cookie."""
    return signed_in(running, running.stack["admin"]["email"], running.stack["admin"]["password"])


@pytest.fixture(scope="module")
def client(running: Running, token: str) -> dict[str, Any]:
    body = {
        "name": "shop",
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": [REDIRECT_URI],
        "scopes": ["openid", "profile", "email", "offline_access", "infrastructure:read"],
        "post_logout_redirect_uris": ["https://client.test/out"],
        "first_party": True,
    }
    reply = running.call("POST", "/v1/oauth-clients", token=token, json=body)
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


def tokens(running: Running, client: dict[str, Any], cookie: str) -> dict[str, Any]:
    asked = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": REDIRECT_URI,
        "scope": "openid profile email offline_access infrastructure:read",
        "code_challenge": challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    led = running.call("GET", "/oauth2/authorize", params=asked, headers={"Cookie": cookie})
    assert led.status_code == 303, led.text
    (code,) = parse_qs(urlsplit(led.headers["location"]).query)["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}
    first, again = token_of(running, client, form), token_of(running, client, form)
    assert first.status_code == 200, first.text
    assert again.json()["error"] == "invalid_grant"
    # The second use has ended what the first one gave.
    assert token_of(running, client, refreshing(first.json())).json()["error"] == "invalid_grant"
    led = running.call("GET", "/oauth2/authorize", params=asked, headers={"Cookie": cookie})
    form["code"] = parse_qs(urlsplit(led.headers["location"]).query)["code"][0]
    return dict(token_of(running, client, form).json())


def token_of(running: Running, client: dict[str, Any], form: dict[str, str]) -> httpx.Response:
    return running.call("POST", "/oauth2/token", data=form, auth=(client["client_id"], client["client_secret"]))


def refreshing(given: dict[str, Any]) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}


def test_a_session_gives_tokens_and_takes_them_along(running: Running, client: dict[str, Any]):
    session_id, cookie = admin(running)
    given = tokens(running, client, cookie)

    shown = running.call("GET", "/oauth2/userinfo", token=given["access_token"]).json()
    assert (shown["sub"], shown["email"]) == (running.stack["admin"]["user_id"], running.stack["admin"]["email"])
    header = base64.urlsafe_b64decode(given["id_token"].partition(".")[0] + "==")
    assert b'"RS256"' in header
    second, replayed = (token_of(running, client, refreshing(given)) for _ in range(2))
    assert (second.status_code, replayed.json()) == (200, second.json())

    where = f"/v1/sessions/{session_id}"
    assert session_id in running.call("GET", "/v1/sessions", token=given["access_token"]).text
    graph = running.call("GET", where, token=given["access_token"]).json()
    assert graph["clients"] == [client["client_id"]]
    assert running.call("GET", "/v1/consents", token=given["access_token"]).json()["items"] == []

    ended = running.call("DELETE", where, token=given["access_token"], headers=ANY)
    assert (ended.status_code, ended.json()["ended"]["clients"]) == (200, [client["client_id"]])
    time.sleep(5)  # how long a revocation may take to bite
    assert running.call("GET", "/v1/me", token=given["access_token"]).status_code == 401
    assert token_of(running, client, refreshing(second.json())).json()["error"] == "invalid_grant"


def test_a_device_asks_waits_and_gets_tokens_once_its_person_allowed_it(running: Running, token: str):
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    body = {
        "name": "tv",
        "type": "public",
        "token_endpoint_auth_method": "none",
        "grant_types": [grant],
        "scopes": ["openid", "infrastructure:read"],
    }
    device = running.call("POST", "/v1/oauth-clients", token=token, json=body).json()
    mine = {"client_id": device["client_id"]}
    told = running.call("POST", "/oauth2/device_authorization", data={**mine, "scope": "openid"}).json()
    form = {"grant_type": grant, "device_code": told["device_code"], **mine}

    def polled() -> httpx.Response:
        return running.call("POST", "/oauth2/token", data=form)

    assert told["verification_uri"] == running.stack["url"] + "/device"
    assert [polled().json()["error"] for _ in range(2)] == ["authorization_pending", "slow_down"]
    person = running.stack["admin"]
    with Person(running, person["email"], person["password"]) as browser:
        done = browser.visit(told["verification_uri"], user_code=told["user_code"])
        assert browser.pages == ["/device", "/login", "/device"], done.text
    time.sleep(told["interval"])
    given = polled()
    assert given.status_code == 200, given.text
    shown = running.call("GET", "/oauth2/userinfo", token=given.json()["access_token"]).json()
    assert shown["sub"] == running.stack["admin"]["user_id"]
    assert polled().json()["error"] == "invalid_grant"


def test_a_client_ends_the_sign_in_and_gets_the_browser_back(running: Running, client: dict[str, Any]):
    _, cookie = admin(running)
    given = tokens(running, client, cookie)
    asked = {"id_token_hint": given["id_token"], "post_logout_redirect_uri": "https://client.test/out", "state": "s"}

    unasked = running.call("GET", "/oauth2/logout", headers={"Cookie": cookie})
    reply = running.call("GET", "/oauth2/logout", params=asked, headers={"Cookie": cookie})

    assert (unasked.status_code, unasked.headers["location"]) == (303, "/sign-out")
    assert (reply.status_code, reply.headers["location"]) == (303, "https://client.test/out?state=s")
    assert "Max-Age=0" in reply.headers["set-cookie"]
    assert token_of(running, client, refreshing(given)).json()["error"] == "invalid_grant"
