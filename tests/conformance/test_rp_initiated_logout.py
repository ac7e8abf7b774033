"""OpenID Connect RP-Initiated Logout Certification Profile: what ends, who is asked, and where the browser goes."""

from base64 import urlsafe_b64encode
from json import dumps
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.conformance.relying_party import AFTER_LOGOUT, RelyingParty
from tests.visiting import Person

PAGE = "text/html"


def is_led_back(reply: httpx.Response) -> bool:
    return reply.is_redirect and reply.headers["location"].startswith(AFTER_LOGOUT)


def is_page(reply: httpx.Response, status: int = 200) -> bool:
    return (reply.status_code, reply.headers["content-type"].partition(";")[0]) == (status, PAGE)


def signed_out_by_hand(person: Person) -> str:
    """What the page says once the question was answered with yes."""
    return person.visit("/sign-out").text


def test_oidcc_rp_initiated_logout_discovery_endpoint_verification(metadata: dict[str, Any]):
    assert metadata["end_session_endpoint"].startswith("https://")


def test_oidcc_rp_initiated_logout(client: RelyingParty, person: Person):
    told, state = client.sign_in(person).tokens["id_token"], "s" * 128
    reply = client.log_out(person, id_token_hint=told, post_logout_redirect_uri=AFTER_LOGOUT, state=state)

    assert reply.headers["location"] == f"{AFTER_LOGOUT}?state={state}"
    assert not client.still_in(person)


def test_oidcc_rp_initiated_logout_no_state(client: RelyingParty, person: Person):
    told = client.sign_in(person).tokens["id_token"]
    reply = client.log_out(person, id_token_hint=told, post_logout_redirect_uri=AFTER_LOGOUT)

    assert reply.headers["location"] == AFTER_LOGOUT
    assert not client.still_in(person)


def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(client: RelyingParty, person: Person):
    told = client.sign_in(person).tokens["id_token"]
    person.http.headers["Accept"] = PAGE
    reply = client.log_out(person, id_token_hint=told, post_logout_redirect_uri="https://client.test/other", state="s")

    assert is_page(reply, 400)
    assert client.still_in(person)


def test_oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(client: RelyingParty, person: Person):
    told = client.sign_in(person).tokens["id_token"]
    person.http.headers["Accept"] = PAGE
    reply = client.log_out(person, id_token_hint=told, post_logout_redirect_uri=AFTER_LOGOUT + "?foo=bar", state="s")

    assert is_page(reply, 400)
    assert client.still_in(person)


def test_oidcc_rp_initiated_logout_modified_id_token_hint(client: RelyingParty, person: Person):
    _, claims, _ = client.sign_in(person).tokens["id_token"].split(".")
    told = f"{urlsafe_b64encode(dumps({'alg': 'none'}).encode()).rstrip(b'=').decode()}.{claims}."
    person.http.headers["Accept"] = PAGE
    reply = client.log_out(person, id_token_hint=told, post_logout_redirect_uri=AFTER_LOGOUT, state="s")

    assert is_page(reply, 400)
    assert client.still_in(person)


def test_oidcc_rp_initiated_logout_bad_id_token_hint(client: RelyingParty, person: Person):
    signed_in = client.sign_in(person)
    header = jwt.get_unverified_header(signed_in.tokens["id_token"])
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    told = jwt.encode(signed_in.claims, key, algorithm="RS256", headers=header)
    person.http.headers["Accept"] = PAGE
    reply = client.log_out(person, id_token_hint=told, post_logout_redirect_uri=AFTER_LOGOUT, state="s")

    assert is_page(reply, 400)
    assert client.still_in(person)


def test_oidcc_rp_initiated_logout_no_id_token_hint(client: RelyingParty, person: Person):
    """Without a hint it could be a link on any page: the person is asked, and goes nowhere after."""
    client.sign_in(person)
    person.http.headers["Accept"] = PAGE
    reply = client.log_out(person, post_logout_redirect_uri=AFTER_LOGOUT, state="s")

    assert not is_led_back(reply)
    assert client.still_in(person)


def test_oidcc_rp_initiated_logout_no_params(client: RelyingParty, person: Person):
    client.sign_in(person)
    reply = client.log_out(person)

    assert is_page(reply) and "Do you want to sign out?" in reply.text
    assert "You are signed out." in signed_out_by_hand(person)
    assert not client.still_in(person)


def test_oidcc_rp_initiated_logout_only_state(client: RelyingParty, person: Person):
    client.sign_in(person)
    reply = client.log_out(person, state="s")

    assert is_page(reply) and "Do you want to sign out?" in reply.text
    assert "You are signed out." in signed_out_by_hand(person)
    assert not client.still_in(person)


def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(client: RelyingParty, person: Person):
    told = client.sign_in(person).tokens["id_token"]
    reply = client.log_out(person, id_token_hint=told)

    assert is_page(reply) and "You are signed out." in reply.text
    assert not client.still_in(person)
