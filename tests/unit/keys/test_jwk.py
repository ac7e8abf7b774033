import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from platforma.kernel.errors import Broken
from platforma.keys.jwk import from_jwk, thumbprint, to_jwk

# RFC 9449 sections 4.1 and 6.1: the proof's key, and its thumbprint in the access token.
RFC_9449 = {
    "kty": "EC",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    "crv": "P-256",
}


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
    with pytest.raises(Broken):
        from_jwk({**RFC_9449, **change})
