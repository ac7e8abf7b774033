"""P-256 public keys as JSON Web Keys, and their thumbprints (RFC 7517, RFC 7518 section 6.2, RFC 7638)."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec

from platforma.kernel.errors import Broken

_COORDINATE = 32


def to_jwk(public_key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """The members that make the key, and no other; coordinates at full length (RFC 7518 section 6.2.1.2)."""
    numbers = public_key.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": _encode(numbers.x), "y": _encode(numbers.y)}


def from_jwk(jwk: Mapping[str, str]) -> ec.EllipticCurvePublicKey:
    """
    The key that one of our own JWKs is; for what we stored, not for what a stranger sends.

    Raises:
        Broken: it is no P-256 key.
    """
    try:
        if (jwk["kty"], jwk["crv"]) != ("EC", "P-256"):
            raise ValueError
        point = b"\x04" + _decode(jwk["x"]) + _decode(jwk["y"])
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (KeyError, ValueError, binascii.Error):
        raise Broken("A stored public key is no P-256 key.") from None


def thumbprint(jwk: Mapping[str, str]) -> str:
    """The base64url SHA-256 of the required members in lexicographic order (RFC 7638 section 3)."""
    required = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True)
    return urlsafe_b64encode(sha256(canonical.encode()).digest()).rstrip(b"=").decode()


def _encode(coordinate: int) -> str:
    return urlsafe_b64encode(coordinate.to_bytes(_COORDINATE, "big")).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(raw) != _COORDINATE:
        raise ValueError
    return raw
