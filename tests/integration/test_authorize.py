"""Authorization requests through the URL: where they lead, what is pushed, and what leads nowhere."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.integration.conftest import Running
from tests.signing_in import REDIRECT_URI, challenge


@pytest.fixture(scope="module")
def client(running: Running, token: str) -> dict[str, Any]:
    body = {
        "name": "shop",
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": [REDIRECT_URI],
        "scopes": ["openid", "offline_access", "infrastructure:read"],
    }
    reply = running.call("POST", "/v1/oauth-clients", token=token, json=body)
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


def asked(client: dict[str, Any], **more: str) -> dict[str, str]:
    return {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": REDIRECT_URI,
        "scope": "openid infrastructure:read",
        "state": "a-state",
        "code_challenge": challenge("v" * 43),
        "code_challenge_method": "S256",
        **more,
    }


def led_to(reply: httpx.Response) -> tuple[str, dict[str, str]]:
    assert reply.status_code == 303, reply.text
    parts = urlsplit(reply.headers["location"])
    return f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.netloc else parts.path, {
        name: values[0] for name, values in parse_qs(parts.query).items()
    }


def test_who_is_not_signed_in_is_led_to_the_page_by_a_flow_of_their_browser(running: Running, client: dict[str, Any]):
    reply = running.call("GET", "/oauth2/authorize", params=asked(client))

    where, parameters = led_to(reply)
    assert (where, parameters.keys()) == ("/login", {"flow"})
    assert reply.headers["set-cookie"].startswith("__Host-platforma-browser=")
    assert {"Secure", "HttpOnly", "Path=/"} <= {part.strip() for part in reply.headers["set-cookie"].split(";")}
    assert reply.headers["cache-control"] == "no-store"


def test_the_same_request_may_be_posted(running: Running, client: dict[str, Any]):
    assert led_to(running.call("POST", "/oauth2/authorize", data=asked(client)))[0] == "/login"


def test_a_pushed_request_leads_there_too_and_another_clients_reference_nowhere(
    running: Running, client: dict[str, Any], token: str
):
    secret = (client["client_id"], client["client_secret"])
    pushed = running.call("POST", "/oauth2/par", data=asked(client), auth=secret)
    assert pushed.status_code == 201, pushed.text
    reference = {"client_id": client["client_id"], "request_uri": pushed.json()["request_uri"]}
    other = running.stack["service_client"]["client_id"]

    assert led_to(running.call("GET", "/oauth2/authorize", params=reference))[0] == "/login"
    stolen = running.call("GET", "/oauth2/authorize", params=reference | {"client_id": other})
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_request_uri")


def test_silent_and_wrong_requests_go_back_with_an_error_and_the_issuer(running: Running, client: dict[str, Any]):
    silent = led_to(running.call("GET", "/oauth2/authorize", params=asked(client, prompt="none")))
    plain = led_to(running.call("GET", "/oauth2/authorize", params=asked(client, code_challenge_method="plain")))

    for (where, answer), error in ((silent, "login_required"), (plain, "invalid_request")):
        assert (where, answer["error"]) == (REDIRECT_URI, error)
        assert (answer["state"], answer["iss"]) == ("a-state", running.stack["url"])


def test_a_foreign_redirect_uri_leads_nowhere(running: Running, client: dict[str, Any]):
    reply = running.call("GET", "/oauth2/authorize", params=asked(client, redirect_uri="https://evil.test/callback"))

    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")
    assert "location" not in reply.headers


def test_a_code_and_a_refresh_token_that_are_none_are_refused(running: Running, client: dict[str, Any]):
    secret = (client["client_id"], client["client_secret"])
    code = {"grant_type": "authorization_code", "code": "x" * 43, "redirect_uri": REDIRECT_URI, "code_verifier": "v" * 43}
    refresh = {"grant_type": "refresh_token", "refresh_token": "prt_" + "x" * 92}

    for form in (code, refresh):
        reply = running.call("POST", "/oauth2/token", data=form, auth=secret)
        assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")


def test_discovery_names_what_a_client_needs_to_sign_people_in(running: Running):
    said = running.call("GET", "/.well-known/openid-configuration").json()

    assert said["authorization_endpoint"] == running.stack["url"] + "/oauth2/authorize"
    assert said["pushed_authorization_request_endpoint"] == running.stack["url"] + "/oauth2/par"
    assert (said["response_types_supported"], said["code_challenge_methods_supported"]) == (["code"], ["S256"])
    assert "RS256" in said["id_token_signing_alg_values_supported"]


def test_a_token_is_introspected_given_back_and_good_no_more(running: Running, token: str):
    secret = tuple(running.stack["service_client"][name] for name in ("client_id", "client_secret"))
    mine = running.token()

    def introspected() -> dict[str, Any]:
        return dict(running.call("POST", "/oauth2/introspect", data={"token": mine}, auth=secret).json())

    assert introspected()["active"] is True
    assert running.call("POST", "/oauth2/revoke", data={"token": mine}, auth=secret).status_code == 200
    time.sleep(5)  # how long a revocation may take to bite
    assert introspected() == {"active": False}


def test_userinfo_is_for_people_and_says_so_as_a_protected_resource(running: Running, token: str):
    reply = running.call("GET", "/oauth2/userinfo", token=token)

    assert (reply.status_code, reply.json()["error"]) == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in reply.headers["www-authenticate"]
    assert running.call("GET", "/.well-known/oauth-protected-resource").json()["resource"] == running.stack["url"]
