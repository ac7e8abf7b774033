"""
A JWS in compact form, read strictly (RFC 7515 section 7.1, RFC 8725).

Of two parsers that read one token differently, one can be fooled. So there is one reading: canonical base64url without
padding, UTF-8 JSON objects without duplicate members. The header of a token of ours has exactly the members that we write;
in one that a client signs, what would change how it is read or name its key elsewhere is not skipped but refused.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import jwt

from platforma.kernel.errors import Malformed
from platforma.kernel.strict_json import parse_json
from platforma.keys.jwk import ALGORITHMS, PublicKeyTypes, to_jwk
from platforma.keys.signing import PublicKey
from platforma.oauth.errors import InvalidToken

MAX_BYTES = 8192
_OURS = frozenset({"alg", "typ", "kid"})
_VERIFIERS = jwt.PyJWS(algorithms=["ES256", "EdDSA", "RS256", "PS256"])
MAX_HELD = 2048
_HELD: OrderedDict[bytes, PublicKey] = OrderedDict()
"""Digests of whole tokens (header, payload and signature) whose signature held, and the key that it held under."""
_REFUSED = frozenset({"crit", "b64", "zip", "jku", "x5u", "x5c", "enc"})


@dataclass(frozen=True, slots=True)
class UnverifiedJWS:
    """A token taken apart; nothing in it is believed yet."""

    token: str
    header: dict[str, Any]
    payload: bytes
    signature: bytes


def parse_compact(token: str) -> UnverifiedJWS:
    """
    Take a token that should be ours apart.

    Raises:
        InvalidToken: over 8 KiB, not three parts in canonical base64url, or not the header of a token of ours.
    """
    unverified = _parse(token)
    if unverified.header.keys() != _OURS:
        raise InvalidToken
    return unverified


def parse_foreign(token: str, *, embedded_key: bool = False, max_bytes: int = MAX_BYTES) -> UnverifiedJWS:
    """
    Take a token that somebody else signed apart; only with *embedded_key* may, and must, its header hold a `jwk`.

    Raises:
        InvalidToken: over *max_bytes*, not three parts in canonical base64url, or a header that could be read in two ways.
    """
    unverified = _parse(token, max_bytes)
    header = unverified.header
    if not _REFUSED.isdisjoint(header) or ("jwk" in header) != embedded_key:
        raise InvalidToken
    if not isinstance(header.get("alg"), str) or not all(isinstance(header.get(name, ""), str) for name in ("typ", "kid")):
        raise InvalidToken
    return unverified


def verify_signature(unverified: UnverifiedJWS, key: PublicKeyTypes, algorithms: Collection[str]) -> None:
    """
    Require that *key* signed it, by an algorithm that is one of *algorithms* and for keys of this type.

    Raises:
        InvalidToken: it did not.
    """
    algorithm = unverified.header["alg"]
    if algorithm not in algorithms or algorithm not in ALGORITHMS[to_jwk(key)["kty"]]:
        raise InvalidToken
    _require_signed(unverified, key, "EdDSA" if algorithm == "Ed25519" else algorithm)


def verify_own_signature(unverified: UnverifiedJWS, key: PublicKey) -> None:
    """
    Require that *key*, one of our own, signed it, by the one algorithm that the key is for.

    A signature that was verified before under this very key object is not computed again: that is half of the cost of a
    call. Nothing that may change (times, the key set, revocation) is remembered.

    Raises:
        InvalidToken: it did not, or its header says another algorithm.
    """
    if unverified.header["alg"] != key.algorithm:
        raise InvalidToken
    digest = sha256(unverified.token.encode()).digest()
    if _HELD.get(digest) is key:
        _HELD.move_to_end(digest)
        return
    _require_signed(unverified, key.public_key, key.algorithm)
    _HELD[digest] = key
    while len(_HELD) > MAX_HELD:
        _HELD.popitem(last=False)


def _require_signed(unverified: UnverifiedJWS, key: PublicKeyTypes, algorithm: str) -> None:
    """What `jwt.decode` does in the end; the token is not taken apart a second time."""
    signed = unverified.token.rpartition(".")[0].encode()
    if not _VERIFIERS.get_algorithm_by_name(algorithm).verify(signed, key, unverified.signature):
        raise InvalidToken


def _parse(token: str, max_bytes: int = MAX_BYTES) -> UnverifiedJWS:
    if len(token) > max_bytes or not token.isascii():
        raise InvalidToken
    parts = token.split(".")
    if len(parts) != 3:
        raise InvalidToken
    header, payload, signature = (_canonical(part) for part in parts)
    return UnverifiedJWS(token, json_object(header), payload, signature)


def json_object(raw: bytes) -> dict[str, Any]:
    """
    The JSON object that *raw* is.

    Raises:
        InvalidToken: it is none, or two readers could read it differently.
    """
    try:
        value = parse_json(raw)
    except Malformed:
        raise InvalidToken from None
    if not isinstance(value, dict):
        raise InvalidToken
    return value


def _canonical(part: str) -> bytes:
    try:
        raw = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise InvalidToken from None
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise InvalidToken
    return raw
