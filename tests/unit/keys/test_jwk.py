import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from platforma.keys.jwk import NotAKey, from_jwk, thumbprint, to_jwk

# RFC 9449 sections 4.1 and 6.1: the proof's key, and its thumbprint in the access token.
RFC_9449 = {
    "kty": "EC",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    "crv": "P-256",
}

# RFC 7638 section 3.1 and RFC 8037 appendix A.2 and A.3.
RFC_7638 = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
    "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"
    "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
    "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
}
RFC_8037 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


@pytest.mark.parametrize(
    ("jwk", "expected"),
    [
        (RFC_7638, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (RFC_8037, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ],
)
def test_rsa_and_ed25519_keys_are_read_written_and_named_as_in_their_rfcs(jwk, expected):
    assert to_jwk(from_jwk(jwk)) == jwk
    assert thumbprint(jwk) == expected


@pytest.mark.parametrize("private", ["d", "p", "k"])
def test_a_private_half_is_refused(private):
    with pytest.raises(NotAKey):
        from_jwk({**RFC_9449, private: "AAAA"})


def test_a_weak_rsa_key_is_refused():
    weak = to_jwk(rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key())

    with pytest.raises(NotAKey):
        from_jwk(weak)


@pytest.mark.parametrize("change", [{"e": "Aw"}, {"e": "AQ"}, {"n": "AAAA"}, {"n": "A" + RFC_7638["n"]}])
def test_an_rsa_key_of_another_form_is_refused(change):
    with pytest.raises(NotAKey):
        from_jwk({**RFC_7638, **change})


def test_the_thumbprint_is_that_of_rfc_9449():
    assert thumbprint(RFC_9449) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def test_the_key_of_rfc_9449_is_read_and_written_the_same():
    assert to_jwk(from_jwk(RFC_9449)) == RFC_9449


@given(st.integers(1, 2**64))
def test_every_key_is_written_at_full_length_and_read_back(scalar):
    public_key = ec.derive_private_key(scalar, ec.SECP256R1()).public_key()

    jwk = to_jwk(public_key)

    assert (len(jwk["x"]), len(jwk["y"])) == (43, 43)
    assert from_jwk(jwk) == public_key


@pytest.mark.parametrize("change", [{"kty": "oct"}, {"crv": "P-384"}, {"x": "AAAA"}, {"y": RFC_9449["x"]}, {"x": "%%%%"}])
def test_what_is_no_key_of_the_curve_is_refused(change):
    with pytest.raises(NotAKey):
        from_jwk({**RFC_9449, **change})
