"""
Public keys as JSON Web Keys, and their thumbprints: EC P-256, Ed25519, RSA.

`from_jwk` reads a key that anyone may have sent: exact lengths, a point on its curve, an RSA modulus of 2048 to 4096 bits
with the common exponent, and no private half.

Source: RFC 7517, RFC 7518 section 6, RFC 8037, RFC 7638.
"""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

PublicKeyTypes = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

ALGORITHMS: Mapping[str, tuple[str, ...]] = {"EC": ("ES256",), "OKP": ("EdDSA", "Ed25519"), "RSA": ("RS256", "PS256")}
"""The signature algorithms that a key of each type is for (RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864)."""
_COORDINATE = 32
_RSA_BITS = range(2048, 4097)
_EXPONENT = 65537
_ROCA_PRIMES = (
    *(3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109),
    *(113, 127, 131, 137, 139, 149, 151, 157, 163, 167),
)
_REQUIRED = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class NotAKey(ValueError):
    """It is no public key of a type that is used here."""


def to_jwk(public_key: PublicKeyTypes) -> dict[str, str]:
    """The members that make the key, and no other; coordinates at full length (RFC 7518 section 6.2.1.2)."""
    if isinstance(public_key, ed25519.Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": _text(public_key.public_bytes_raw())}
    if isinstance(public_key, rsa.RSAPublicKey):
        numbers = public_key.public_numbers()
        return {"kty": "RSA", "n": _integer(numbers.n), "e": _integer(numbers.e)}
    point = public_key.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": _coordinate(point.x), "y": _coordinate(point.y)}


def from_jwk(jwk: Mapping[str, Any]) -> PublicKeyTypes:
    """
    The key that *jwk* is.

    Raises:
        NotAKey: it is none, of another type, too weak or too long, or has a private half.
    """
    if not _PRIVATE.isdisjoint(jwk):
        raise NotAKey("A private or symmetric key.")
    try:
        match jwk.get("kty"), jwk.get("crv"):
            case "EC", "P-256":
                point = b"\x04" + _octets(jwk["x"], _COORDINATE) + _octets(jwk["y"], _COORDINATE)
                return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            case "OKP", "Ed25519":
                return ed25519.Ed25519PublicKey.from_public_bytes(_octets(jwk["x"], _COORDINATE))
            case "RSA", _:
                return _rsa(_octets(jwk["n"]), _octets(jwk["e"]))
    except (KeyError, ValueError, TypeError):
        raise NotAKey("Its members make no key.") from None
    raise NotAKey("Not of a type that is used here.")


def thumbprint(jwk: Mapping[str, str]) -> str:
    """The base64url SHA-256 of the required members in lexicographic order (RFC 7638 section 3)."""
    required = {name: jwk[name] for name in _REQUIRED[jwk["kty"]]}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True)
    return _text(sha256(canonical.encode()).digest())


def _rsa(modulus: bytes, exponent: bytes) -> rsa.RSAPublicKey:
    n, e = int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")
    if n.bit_length() not in _RSA_BITS or e != _EXPONENT or modulus[0] == 0 or not n & 1 or _is_roca(n):
        raise ValueError
    return rsa.RSAPublicNumbers(e, n).public_key()


def _is_roca(modulus: int) -> bool:
    """Whether a weak chip made it, whose primes are powers of 65537 modulo many small ones (CVE-2017-15361)."""
    return all(modulus % prime in _powers(prime) for prime in _ROCA_PRIMES)


@cache
def _powers(prime: int) -> frozenset[int]:
    return frozenset(pow(_EXPONENT, power, prime) for power in range(prime))


def _coordinate(number: int) -> str:
    return _text(number.to_bytes(_COORDINATE, "big"))


def _integer(number: int) -> str:
    return _text(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _octets(text: str, length: int | None = None) -> bytes:
    """Canonical base64url: one spelling of a key alone, so that it has one thumbprint."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError from None
    if not raw or _text(raw) != text or length not in (None, len(raw)):
        raise ValueError
    return raw
