"""
FAPI 2.0 Security Profile (final): `private_key_jwt`, DPoP, pushed requests; a client with `profile: fapi2`.

Left out are the suite's modules on open banking, which is not offered here, and two that wait for minutes, tried by a clock
instead: `par-attempt-to-use-expired-request_uri` (tests/unit/edge/test_pushed_requests.py) and
`ensure-token-endpoint-fails-with-expired-auth-code` (tests/security/test_sign_in_attacks.py).
"""

import time
from json import dumps
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from platforma.keys.jwk import to_jwk
from tests.conformance.fapi2_client import FAPI2Client
from tests.conformance.relying_party import Account
from tests.proving import Holder
from tests.running import Running
from tests.signing_in import REDIRECT_URI
from tests.visiting import Person

PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="session")
def first(running: Running, token: str) -> FAPI2Client:
    return FAPI2Client(running, token)


@pytest.fixture(scope="session")
def second(running: Running, token: str) -> FAPI2Client:
    return FAPI2Client(running, token)


def error(reply: httpx.Response) -> str:
    assert reply.status_code in (400, 401), reply.text
    return str(reply.json()["error"])


def leads_nowhere(reply: httpx.Response) -> bool:
    return 400 <= reply.status_code < 500 and reply.headers["content-type"].startswith("text/html")


def test_fapi2_security_profile_final_discovery_end_point_verification(metadata: dict[str, Any]):
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert metadata["pushed_authorization_request_endpoint"].startswith("https://")
    assert {"private_key_jwt", "tls_client_auth"} <= set(metadata["token_endpoint_auth_methods_supported"])
    good = {"PS256", "ES256", "EdDSA"}
    assert good & set(metadata["token_endpoint_auth_signing_alg_values_supported"])
    assert good & set(metadata["dpop_signing_alg_values_supported"])
    assert good & set(metadata["id_token_signing_alg_values_supported"])
    assert metadata["tls_client_certificate_bound_access_tokens"] is True
    assert metadata["mtls_endpoint_aliases"]["token_endpoint"].startswith("https://")
    assert {"authorization_code", "refresh_token"} <= set(metadata["grant_types_supported"])
    assert not {"implicit", "password"} & set(metadata["grant_types_supported"])


def test_fapi2_security_profile_final_happy_flow(first: FAPI2Client, second: FAPI2Client, person: Person, account: Account):
    one, two = first.sign_in(person), second.sign_in(person)

    assert first.resource(one.tokens["access_token"]).json()["sub"] == account.id
    assert one.claims["sub"] == two.claims["sub"] == account.id
    assert second.resource(two.tokens["access_token"], holder=first.holder).status_code == 401
    said = jwt.decode(one.tokens["access_token"], options={"verify_signature": False})
    assert said["cnf"] == {"jkt": first.holder.jkt}


def test_fapi2_security_profile_final_access_token_type_header_case_sensitivity(first: FAPI2Client, person: Person):
    access_token = first.sign_in(person).tokens["access_token"]

    for scheme in ("DPoP", "dpop", "DPOP", "dPoP"):
        assert first.resource(access_token, scheme=scheme).status_code == 200


def test_fapi2_security_profile_final_attempt_reuse_authorization_code_after_one_second(first: FAPI2Client, person: Person):
    code = first.code(person)
    access_token = first.redeem(code).json()["access_token"]
    time.sleep(1)

    assert error(first.redeem(code)) == "invalid_grant"
    time.sleep(5)  # how long a revocation may take to bite
    assert first.resource(access_token).status_code == 401


def test_fapi2_security_profile_final_check_dpop_proof_nbf_exp(first: FAPI2Client, person: Person):
    now = int(time.time())
    times = {"nbf": now - 1, "exp": now + 60}
    code = first.code(person)
    reply = first.redeem(code, **times)

    assert reply.status_code == 200, reply.text
    assert first.resource(reply.json()["access_token"], **times).status_code == 200
    assert first.resource(reply.json()["access_token"], exp=now - 30).status_code == 401
    assert first.resource(reply.json()["access_token"], nbf=now + 90).status_code == 401


def test_fapi2_security_profile_final_dpop_negative_tests(first: FAPI2Client, person: Person):
    access_token, now = first.sign_in(person).tokens["access_token"], int(time.time())
    assert first.resource(access_token).status_code == 200
    wrong: list[dict[str, Any]] = [
        {"proves": False},
        {"scheme": "Bearer"},
        {"scheme": "Bearer", "proves": False},
        {"holder": Holder()},
        {"htm": "POST"},
        {"htm": None},
        {"htu": first.issuer + "/v1/me"},
        {"htu": "https://elsewhere.test/oauth2/userinfo"},
        {"htu": None},
        {"ath": "x" * 43},
        {"token": None},
        {"token": access_token + "x"},
        {"iat": now - 3600},
        {"iat": now + 3600},
        {"iat": None},
        {"jti": None},
        {"nonce": "made up"},
        {"header": {"typ": "JWT"}},
        {"header": {"jwk": Holder().jwk}},
    ]

    for one in wrong:
        assert first.resource(access_token, **one).status_code == 401, one
    replayed = {"jti": "the-same-twice"}
    assert [first.resource(access_token, **replayed).status_code for _ in range(2)] == [200, 401]


def test_fapi2_security_profile_final_ensure_authorization_code_is_bound_to_client(
    first: FAPI2Client, second: FAPI2Client, person: Person
):
    code = first.code(person)
    second.verifier = first.verifier

    assert error(second.redeem(code)) == "invalid_grant"


def test_fapi2_security_profile_final_ensure_authorization_request_with_64_char_nonce_success(
    first: FAPI2Client, person: Person
):
    assert first.sign_in(person, nonce="n" * 64).claims["nonce"] == "n" * 64


def test_fapi2_security_profile_final_ensure_authorization_request_with_long_nonce(first: FAPI2Client, person: Person):
    assert first.sign_in(person, nonce="n" * 384).claims["nonce"] == "n" * 384


def test_fapi2_security_profile_final_ensure_authorization_request_with_long_state(first: FAPI2Client, person: Person):
    first.sign_in(person, state="s" * 1000)


def test_fapi2_security_profile_final_ensure_authorization_request_without_nonce_success(first: FAPI2Client, person: Person):
    assert "nonce" not in first.sign_in(person, nonce=None).claims


def test_fapi2_security_profile_final_ensure_authorization_request_without_state_success(first: FAPI2Client, person: Person):
    assert "s_hash" not in first.sign_in(person, state=None).claims


def test_fapi2_security_profile_final_ensure_client_assertion_in_token_endpoint(
    first: FAPI2Client, running: Running, person: Person
):
    form = {
        "grant_type": "authorization_code",
        "code": first.code(person),
        "redirect_uri": REDIRECT_URI,
        "code_verifier": first.verifier,
        "client_id": first.id,
    }
    reply = running.call("POST", "/oauth2/token", data=form, headers={"DPoP": first.proof("/oauth2/token")})

    assert error(reply) in ("invalid_client", "invalid_request")


def test_fapi2_security_profile_final_ensure_client_assertion_with_exp_is_5_minutes_in_past_fails(
    first: FAPI2Client, person: Person
):
    past = int(time.time()) - 300

    assert error(first.redeem(first.code(person), assertion={"iat": past - 60, "exp": past})) == "invalid_client"


def test_fapi2_security_profile_final_ensure_client_assertion_with_no_sub_fails(first: FAPI2Client, person: Person):
    assert error(first.redeem(first.code(person), assertion={"sub": None})) == "invalid_client"


def test_fapi2_security_profile_final_ensure_client_assertion_with_wrong_aud_fails(first: FAPI2Client, person: Person):
    assert error(first.redeem(first.code(person), assertion={"audience": "https://elsewhere.test"})) == "invalid_client"


def test_fapi2_security_profile_final_ensure_client_id_in_token_endpoint(
    first: FAPI2Client, second: FAPI2Client, person: Person
):
    assert error(first.redeem(first.code(person), client_id=second.id)) in ("invalid_client", "invalid_request")


def test_fapi2_security_profile_final_ensure_dpop_auth_code_binding_success(first: FAPI2Client, person: Person):
    first.sign_in(person, dpop_jkt=first.holder.jkt, proves=True)


def test_fapi2_security_profile_final_ensure_dpopproof_at_par_endpoint_binding_success(first: FAPI2Client, person: Person):
    first.sign_in(person, proves=True)


def skewed(first: FAPI2Client, person: Person, seconds: int) -> int:
    iat = int(time.time()) + seconds
    reply = first.redeem(first.code(person), iat=iat)
    assert reply.status_code == 200, reply.text
    return first.resource(reply.json()["access_token"], iat=iat).status_code


def test_fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_after_succeeds(first: FAPI2Client, person: Person):
    assert skewed(first, person, 9) == 200


def test_fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_before_succeeds(
    first: FAPI2Client, person: Person
):
    assert skewed(first, person, -10) == 200


def test_fapi2_security_profile_final_ensure_holder_of_key_required(first: FAPI2Client, person: Person):
    assert error(first.redeem(first.code(person), proves=False)) in ("invalid_dpop_proof", "invalid_request")


def test_fapi2_security_profile_final_ensure_mismatched_dpop_jkt_fails(first: FAPI2Client):
    assert error(first.push(dpop_jkt=Holder().jkt, proves=True)) in ("invalid_request", "invalid_dpop_proof")


def test_fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_jkt(
    first: FAPI2Client, person: Person
):
    assert error(first.redeem(first.code(person, dpop_jkt=Holder().jkt))) == "invalid_grant"


def test_fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(
    first: FAPI2Client, person: Person
):
    assert error(first.redeem(first.code(person, proves=True), holder=Holder())) == "invalid_grant"


def test_fapi2_security_profile_final_ensure_other_scope_order_succeeds(first: FAPI2Client, person: Person):
    first.sign_in(person, scope="email profile openid")


def test_fapi2_security_profile_final_ensure_redirect_uri_in_authorization_request(first: FAPI2Client):
    assert error(first.push(redirect_uri=None)) == "invalid_request"


def test_fapi2_security_profile_final_ensure_registered_redirect_uri(first: FAPI2Client):
    assert error(first.push(redirect_uri="https://client.test/unregistered")) == "invalid_request"


def test_fapi2_security_profile_final_plain_fapi_tolerate_unregistered_redirect_uri(first: FAPI2Client):
    """RFC 9126 section 2.4 lets a server take one; this one does not."""
    assert error(first.push(redirect_uri="https://elsewhere.test/callback")) == "invalid_request"


def test_fapi2_security_profile_final_ensure_response_type_code_idtoken_fails(first: FAPI2Client):
    assert error(first.push(response_type="code id_token")) == "unsupported_response_type"


def test_fapi2_security_profile_final_ensure_response_type_token_fails(first: FAPI2Client):
    assert error(first.push(response_type="token")) == "unsupported_response_type"


def test_fapi2_security_profile_final_ensure_signed_client_assertion_with_rs256_fails(
    running: Running, token: str, person: Person
):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    client = FAPI2Client(running, token)
    jwks = {"keys": [client.signer.jwk, {**to_jwk(key.public_key()), "kid": "rsa"}]}
    path = f"/v1/oauth-clients/{client.id}"
    changed = running.call("PATCH", path, token=token, json={"jwks": jwks}, headers={"If-Match": "*"})
    assert changed.status_code == 200, changed.text
    code = client.code(person)

    def signed(_audience: Any = None, **_claims: Any) -> dict[str, str]:
        made = client.signer.assertion(client.id, client.issuer)
        claims = jwt.decode(made["client_assertion"], options={"verify_signature": False})
        return {**made, "client_assertion": jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "rsa"})}

    client.assertion = signed
    algorithm = "RS256"
    assert error(client.redeem(code)) == "invalid_client"
    algorithm = "PS256"
    assert client.redeem(code).status_code == 200


def test_fapi2_security_profile_final_ensure_unsigned_authorization_request_without_using_par_fails(
    first: FAPI2Client, person: Person
):
    assert first.refused(person) == "invalid_request"


def test_fapi2_security_profile_final_par_attempt_reuse_request_uri(first: FAPI2Client, person: Person):
    link = first.pushed()
    first.answer(person.led_back(link))

    assert leads_nowhere(person.http.get(link, headers=PAGE))


def test_fapi2_security_profile_final_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(
    first: FAPI2Client, person: Person
):
    link = first.pushed()
    assert "/login?" in person.http.get(link).headers["location"]

    assert "code" in first.answer(person.led_back(link))


def test_fapi2_security_profile_final_par_attempt_to_use_request_uri_for_different_client(
    first: FAPI2Client, second: FAPI2Client, person: Person
):
    request_uri = first.push().json()["request_uri"]

    assert leads_nowhere(person.http.get(second.reference(request_uri), headers=PAGE))


def test_fapi2_security_profile_final_par_test_array_as_audience_fails(first: FAPI2Client):
    reply = first.post("/oauth2/par", first.request(), assertion={"audience": [first.issuer]}, proves=False)

    assert error(reply) == "invalid_client"


def test_fapi2_security_profile_final_par_test_par_endpoint_url_as_audience_fails(first: FAPI2Client):
    audience = first.issuer + "/oauth2/par"

    assert error(first.post("/oauth2/par", first.request(), assertion={"audience": audience})) == "invalid_client"


def test_fapi2_security_profile_final_par_test_token_endpoint_url_as_audience_fails(first: FAPI2Client):
    audience = first.issuer + "/oauth2/token"

    assert error(first.post("/oauth2/par", first.request(), assertion={"audience": audience})) == "invalid_client"


def test_fapi2_security_profile_final_par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted(
    first: FAPI2Client,
):
    soon = int(time.time()) + 8
    reply = first.post("/oauth2/par", first.request(), assertion={"iat": soon, "nbf": soon}, proves=False)

    assert reply.status_code == 201, reply.text


def test_fapi2_security_profile_final_par_ensure_jwt_client_assertions_nbf_over_60_seconds_in_the_future_fails(
    first: FAPI2Client,
):
    later = int(time.time()) + 65
    times = {"iat": later, "nbf": later, "exp": later + 60}

    assert error(first.post("/oauth2/par", first.request(), assertion=times, proves=False)) == "invalid_client"


def test_fapi2_security_profile_final_ensure_pkce_code_verifier_required(first: FAPI2Client, person: Person):
    assert error(first.redeem(first.code(person), code_verifier=None)) in ("invalid_grant", "invalid_request")


def test_fapi2_security_profile_final_incorrect_pkce_code_verifier_rejected(first: FAPI2Client, person: Person):
    assert error(first.redeem(first.code(person), code_verifier="w" * 43)) == "invalid_grant"


def test_fapi2_security_profile_final_par_ensure_pkce_required(first: FAPI2Client):
    assert error(first.push(code_challenge=None, code_challenge_method=None)) == "invalid_request"


def test_fapi2_security_profile_final_par_plain_pkce_rejected(first: FAPI2Client):
    assert error(first.push(code_challenge="v" * 43, code_challenge_method="plain")) == "invalid_request"


def refused_method(running: Running, method: str) -> int:
    return running.call(method, "/oauth2/par").status_code


def test_fapi2_security_profile_final_par_attempt_invalid_http_method(running: Running):
    assert {refused_method(running, method) for method in ("GET", "PUT", "PATCH", "DELETE")} <= {403, 404, 405}


def test_fapi2_security_profile_final_par_authorization_request_containing_request_uri_form_param(first: FAPI2Client):
    assert error(first.push(request_uri="urn:ietf:params:oauth:request_uri:made-up")) == "invalid_request"


def test_fapi2_security_profile_final_par_without_duplicate_parameters(first: FAPI2Client, person: Person):
    """The link has the reference and the client alone, as every one here."""
    first.sign_in(person)


def test_fapi2_security_profile_final_refresh_token(first: FAPI2Client, second: FAPI2Client, person: Person):
    told = first.sign_in(person, scope="openid offline_access", prompt="consent")
    form = {"grant_type": "refresh_token", "refresh_token": told.tokens["refresh_token"]}
    refreshed = first.post("/oauth2/token", form)

    assert refreshed.status_code == 200, refreshed.text
    assert refreshed.json()["refresh_token"] == form["refresh_token"], "FAPI 2.0 does not rotate (section 5.3.2.1)"
    assert first.resource(refreshed.json()["access_token"]).status_code == 200
    assert error(first.post("/oauth2/token", form, proves=False)) == "invalid_dpop_proof"
    assert error(second.post("/oauth2/token", form)) == "invalid_grant"
    assert error(first.post("/oauth2/token", form, assertion={"audience": "https://elsewhere.test"})) == "invalid_client"
    assert first.post("/oauth2/token", form).status_code == 200


def test_fapi2_security_profile_final_test_claims_parameter_identity_claims(
    first: FAPI2Client, person: Person, metadata: dict[str, Any], account: Account
):
    claims = {"id_token": dict.fromkeys(metadata["claims_supported"])}
    said = first.sign_in(person, scope="openid profile email", claims=dumps(claims)).claims

    assert (said["name"], said["email"]) == ("Ada Lovelace", account.email)


def test_fapi2_security_profile_final_test_essential_acr_sca_claim(first: FAPI2Client, person: Person):
    claims = {"id_token": {"acr": {"essential": True, "values": ["urn:openbanking:psd2:sca"]}}}
    answer = first.answer(person.led_back(first.pushed(claims=dumps(claims))))

    assert "code" in answer or answer["error"] in ("access_denied", "unmet_authentication_requirements")


def test_fapi2_security_profile_final_user_rejects_authentication(first: FAPI2Client, person: Person):
    answer = first.answer(person.led_back(first.pushed(prompt="consent"), answer="deny"))

    assert answer["error"] == "access_denied"
