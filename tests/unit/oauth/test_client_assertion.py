"""`private_key_jwt`, `tls_client_auth` and `none`: who proves to be which client, and who does not."""

import json

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from platforma.keys.jwk import to_jwk
from platforma.oauth import patch_client, presented_client
from platforma.oauth.client_assertion import ASSERTION_TYPE
from platforma.oauth.client_keys import FETCHED_EVERY, KEPT
from platforma.oauth.errors import InvalidClient, InvalidRequest
from tests.proving import certificate
from tests.unit.oauth.conftest import ISSUER

KEY = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
JWKS = {"keys": [{**to_jwk(KEY.public_key()), "kid": "a"}]}
URI = "https://client.test/jwks"


@pytest.fixture
def client(register):
    return register(token_endpoint_auth_method="private_key_jwt", jwks=JWKS)[0]


@pytest.fixture
def claims(client, clock):
    now = int(clock().timestamp())
    return {"iss": client.id, "sub": client.id, "aud": ISSUER, "jti": "j", "iat": now, "exp": now + 60}


def form(assertion, **more):
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, **more}


def signed(claims, key=KEY, alg="ES256", **header):
    return jwt.encode(claims, key, algorithm=alg, headers={"kid": "a", **header})


@pytest.fixture
def shows(prove):
    return lambda assertion, **more: prove(presented_client(None, form(assertion, **more)))


def test_a_signed_assertion_proves_the_client(shows, client, claims):
    assert shows(signed(claims), client_id=client.id).id == client.id


def test_an_assertion_is_good_once(shows, claims):
    assertion = signed(claims)
    shows(assertion)

    with pytest.raises(InvalidClient):
        shows(assertion)


def test_another_client_may_use_the_same_jti(shows, claims, register):
    other, _ = register(token_endpoint_auth_method="private_key_jwt", jwks=JWKS)
    shows(signed(claims))

    assert shows(signed({**claims, "iss": other.id, "sub": other.id})).id == other.id


@pytest.mark.parametrize(
    "change",
    [
        {"aud": [ISSUER]},
        {"aud": f"{ISSUER}/oauth2/token"},
        {"aud": f"{ISSUER}/oauth2/par"},
        {"aud": f"{ISSUER}/"},
        {"aud": None},
        {"iss": "cli_other"},
        {"sub": "cli_other"},
        {"jti": None},
        {"jti": ""},
        {"jti": 1},
        {"jti": "x" * 257},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
    ],
)
def test_claims_of_another_form_are_refused(shows, claims, change):
    changed = {name: value for name, value in {**claims, **change}.items() if value is not None}

    with pytest.raises(InvalidClient):
        shows(jwt.api_jws.encode(json.dumps(changed).encode(), KEY, algorithm="ES256", headers={"kid": "a"}))


@pytest.mark.parametrize(("name", "seconds"), [("iat", 8), ("nbf", 8), ("iat", -3000)])
def test_a_clock_that_is_a_little_off_is_borne_with(shows, claims, name, seconds):
    assert shows(signed({**claims, name: claims["iat"] + seconds}))


@pytest.mark.parametrize(("name", "seconds"), [("iat", 61), ("nbf", 61), ("exp", 0), ("exp", -300), ("exp", 3601)])
def test_an_assertion_of_another_time_is_refused(shows, claims, name, seconds):
    with pytest.raises(InvalidClient):
        shows(signed({**claims, name: claims["iat"] + seconds}))


@pytest.mark.parametrize(
    "header", [{"crit": ["exp"]}, {"jku": URI}, {"x5u": URI}, {"jwk": JWKS["keys"][0]}, {"typ": "at+jwt"}, {"kid": "b"}]
)
def test_a_header_that_leads_elsewhere_is_refused(shows, claims, header):
    with pytest.raises(InvalidClient):
        shows(signed(claims, **header))


@pytest.mark.parametrize(
    ("key", "alg"), [(ec.generate_private_key(ec.SECP256R1()), "ES256"), (RSA, "RS256"), ("s" * 32, "HS256"), (None, "none")]
)
def test_a_signature_by_another_key_or_algorithm_is_refused(shows, claims, key, alg):
    with pytest.raises(InvalidClient):
        shows(signed(claims, key=key, alg=alg))


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
def test_rsa_is_refused_or_taken_as_the_profile_says(shows, claims, register, clock, alg):
    jwks = {"keys": [{**to_jwk(RSA.public_key()), "kid": "a"}]}
    plain, _ = register(token_endpoint_auth_method="private_key_jwt", jwks=jwks)
    fapi, _ = register(token_endpoint_auth_method="private_key_jwt", jwks=jwks, profile="fapi2")

    assert shows(signed({**claims, "iss": plain.id, "sub": plain.id}, key=RSA, alg=alg)).id == plain.id
    by_fapi = signed({**claims, "iss": fapi.id, "sub": fapi.id}, key=RSA, alg=alg)
    if alg == "PS256":
        assert shows(by_fapi).id == fapi.id
    else:
        with pytest.raises(InvalidClient):
            shows(by_fapi)


def test_a_client_proves_itself_as_it_registered_and_in_no_other_way(prove, register, client, claims):
    by_secret, secret = register()
    claims = {**claims, "iss": by_secret.id, "sub": by_secret.id}

    with pytest.raises(InvalidClient):
        prove(presented_client(None, form(signed(claims))))
    with pytest.raises(InvalidClient):
        prove(presented_client(None, {"client_id": client.id, "client_secret": secret}))
    with pytest.raises(InvalidClient):
        prove(presented_client(None, {"client_id": client.id}))
    with pytest.raises(InvalidClient):
        prove(presented_client(None, {"client_id": by_secret.id}))


@pytest.mark.parametrize("more", [{"client_id": "cli_other"}, {"client_assertion_type": "urn:other"}])
def test_an_assertion_of_another_type_or_for_another_client_is_refused(shows, claims, more):
    with pytest.raises(InvalidClient):
        shows(signed(claims), **more)


def test_an_assertion_beside_a_secret_is_two_ways_at_once(shows, claims):
    with pytest.raises(InvalidRequest):
        shows(signed(claims), client_secret="x")


def test_a_suspended_client_is_refused(shows, client, claims, clients, attempt, tenant_id):
    fields = {"tenant_id": tenant_id, "if_version": None, "attempt": attempt(), "clients": clients}
    patch_client(client.id, {"status": "suspended"}, **fields)

    with pytest.raises(InvalidClient):
        shows(signed(claims))


@pytest.fixture
def remote(register, web):
    web[URI] = json.dumps(JWKS).encode()
    return register(token_endpoint_auth_method="private_key_jwt", jwks_uri=URI)[0]


@pytest.fixture
def asserts(shows, remote, claims):
    """An assertion of *remote*'s with a fresh id."""
    count = iter(range(10_000))

    def made(key=KEY, alg="ES256", **header):
        fresh = {**claims, "iss": remote.id, "sub": remote.id, "jti": f"j{next(count)}", "exp": claims["iat"] + 3000}
        return shows(signed(fresh, key=key, alg=alg, **header))

    return made


def test_keys_behind_an_address_are_fetched_once(asserts, web):
    asserts()
    asserts()

    assert web.fetched == [URI]


def test_a_new_key_of_a_client_is_known_at_its_first_use_and_made_up_ones_buy_a_fetch_in_half_a_minute(asserts, web, clock):
    asserts()
    new = ed25519.Ed25519PrivateKey.generate()
    web[URI] = json.dumps({"keys": [*JWKS["keys"], {**to_jwk(new.public_key()), "kid": "b"}]}).encode()
    for _ in range(10):
        with pytest.raises(InvalidClient):
            asserts(new, "EdDSA", kid="b")
    assert web.fetched == [URI]

    clock.forward(seconds=FETCHED_EVERY.total_seconds())

    assert asserts(new, "EdDSA", kid="b")
    assert web.fetched == [URI, URI]


def test_a_withdrawn_key_of_a_client_is_trusted_no_longer_than_its_set_is_kept(asserts, web, clock):
    asserts()
    web[URI] = b'{"keys":[]}'
    clock.forward(seconds=KEPT.total_seconds())

    with pytest.raises(InvalidClient):
        asserts()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"keys":{}}', b'{"keys":[1]}', b'{"keys":[],"keys":[]}'])
def test_an_address_that_gives_no_key_set_proves_nobody(asserts, web, body):
    web[URI] = body

    with pytest.raises(InvalidClient):
        asserts()


NAMES = [x509.DNSName("pay.a.test"), x509.UniformResourceIdentifier("spiffe://a/pay")]


@pytest.mark.parametrize(
    "subject",
    [
        {"tls_client_auth_subject_dn": "O=A,CN=pay"},
        {"tls_client_auth_san_dns": "pay.a.test"},
        {"tls_client_auth_san_uri": "spiffe://a/pay"},
    ],
)
def test_a_certificate_of_the_registered_name_proves_the_client(prove, register, clock, subject):
    client, _ = register(token_endpoint_auth_method="tls_client_auth", **subject)

    assert prove(presented_client(None, {"client_id": client.id}, certificate(clock, names=NAMES))).id == client.id


@pytest.mark.parametrize(
    "subject",
    [
        {"tls_client_auth_subject_dn": "CN=pay"},
        {"tls_client_auth_san_dns": "PAY.b.test"},
        {"tls_client_auth_san_uri": "spiffe://a/"},
    ],
)
def test_a_certificate_of_another_name_proves_nobody(prove, register, clock, subject):
    client, _ = register(token_endpoint_auth_method="tls_client_auth", **subject)

    for shown in (certificate(clock, names=NAMES), certificate(clock), None, b"nonsense"):
        with pytest.raises(InvalidClient):
            prove(presented_client(None, {"client_id": client.id}, shown))


def test_an_expired_certificate_proves_nobody(prove, register, clock):
    client, _ = register(token_endpoint_auth_method="tls_client_auth", tls_client_auth_san_dns="pay.a.test")

    with pytest.raises(InvalidClient):
        prove(presented_client(None, {"client_id": client.id}, certificate(clock, names=NAMES, days=-1)))


def test_a_public_client_is_merely_named(prove, register):
    client, _ = register(type="public", grant_types=[])

    assert prove(presented_client(None, {"client_id": client.id})).id == client.id
