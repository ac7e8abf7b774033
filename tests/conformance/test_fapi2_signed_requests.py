"""
FAPI 2.0 Message Signing (final): its modules on signed request objects (RFC 9101), pushed.

Signed answers (JARM) are not offered.
"""

import time

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from platforma.keys.jwk import to_jwk
from tests.conformance.fapi2_client import FAPI2Client
from tests.proving import Holder
from tests.running import Running
from tests.visiting import Person


@pytest.fixture(scope="session")
def first(running: Running, token: str) -> FAPI2Client:
    return FAPI2Client(running, token)


@pytest.fixture(scope="session")
def second(running: Running, token: str) -> FAPI2Client:
    return FAPI2Client(running, token)


def refused(reply: httpx.Response) -> bool:
    return reply.status_code == 400 and reply.json()["error"] == "invalid_request_object"


def in_minutes(minutes: float) -> int:
    return int(time.time() + 60 * minutes)


def test_fapi2_security_profile_final_happy_flow(first: FAPI2Client, person: Person):
    pushed = first.push_signed(first.request_object())
    assert pushed.status_code == 201, pushed.text
    answer = first.answer(person.led_back(first.reference(pushed.json()["request_uri"])))
    reply = first.redeem(answer["code"])

    assert reply.status_code == 200, reply.text
    first.verified(reply.json(), nonce=first.nonce)


def test_fapi2_security_profile_final_ensure_request_object_with_multiple_aud_succeeds(first: FAPI2Client):
    audience = ["https://elsewhere.test", first.issuer]

    assert first.push_signed(first.request_object(aud=audience)).status_code == 201


def test_fapi2_security_profile_final_ensure_request_object_with_bad_aud_fails(first: FAPI2Client):
    assert refused(first.push_signed(first.request_object(aud="https://elsewhere.test")))


def test_fapi2_security_profile_final_ensure_request_object_without_exp_fails(first: FAPI2Client):
    assert refused(first.push_signed(first.request_object(exp=None)))


def test_fapi2_security_profile_final_ensure_request_object_without_nbf_fails(first: FAPI2Client):
    assert refused(first.push_signed(first.request_object(nbf=None)))


def test_fapi2_security_profile_final_ensure_expired_request_object_fails(first: FAPI2Client):
    assert refused(first.push_signed(first.request_object(exp=in_minutes(-5), nbf=in_minutes(-10), iat=in_minutes(-10))))


def test_fapi2_security_profile_final_ensure_request_object_with_exp_over_60_fails(first: FAPI2Client):
    assert refused(first.push_signed(first.request_object(exp=in_minutes(70))))


def test_fapi2_security_profile_final_ensure_request_object_with_nbf_over_60_fails(first: FAPI2Client):
    assert refused(first.push_signed(first.request_object(nbf=in_minutes(-70))))


def test_fapi2_security_profile_final_ensure_request_object_with_nbf_8_seconds_in_the_future_is_accepted(first: FAPI2Client):
    assert first.push_signed(first.request_object(nbf=int(time.time()) + 8)).status_code == 201


def test_fapi2_security_profile_final_ensure_signed_request_object_with_rs256_fails(running: Running, token: str):
    key = Holder()
    key.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    client = FAPI2Client(running, token)
    jwks = {"keys": [client.signer.jwk, to_jwk(key.key.public_key())]}
    path = f"/v1/oauth-clients/{client.id}"
    running.call("PATCH", path, token=token, json={"jwks": jwks}, headers={"If-Match": "*"}).raise_for_status()

    assert refused(client.push_signed(client.request_object(signer=key, algorithm="RS256")))
    assert client.push_signed(client.request_object(signer=key, algorithm="PS256")).status_code == 201


def test_fapi2_security_profile_final_ensure_request_object_signature_algorithm_is_not_none(first: FAPI2Client):
    assert refused(first.push_signed(first.request_object(algorithm="none")))


def test_fapi2_security_profile_final_ensure_request_object_with_invalid_signature_fails(first: FAPI2Client):
    header, claims, _ = first.request_object().split(".")
    other = first.request_object().rpartition(".")[2]

    assert refused(first.push_signed(f"{header}.{claims}.{other}"))


def test_fapi2_security_profile_final_ensure_matching_key_in_authorization_request(first: FAPI2Client, second: FAPI2Client):
    assert refused(first.push_signed(first.request_object(signer=second.signer)))


def test_fapi2_security_profile_final_par_authorization_request_containing_request_uri(first: FAPI2Client):
    uri = "urn:ietf:params:oauth:request_uri:made-up"

    assert refused(first.push_signed(first.request_object(request_uri=uri)))


def test_fapi2_security_profile_final_ensure_unsigned_request_at_par_endpoint_fails(running: Running, token: str):
    client = FAPI2Client(running, token, require_signed_request_object=True)

    reply = client.push()

    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")
    assert client.push_signed(client.request_object()).status_code == 201
