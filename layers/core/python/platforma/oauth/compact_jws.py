"""
A JWS in compact form, read strictly (RFC 7515 section 7.1, RFC 8725).

Of two parsers that read one token differently, one can be fooled. So there is one reading: canonical base64url without
padding, UTF-8 JSON objects without duplicate members, and a header of exactly the members that our own tokens have; `crit`,
`jwk`, `jku`, `x5c`, `x5u`, `b64` or `zip` are not skipped but refused.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from platforma.kernel.errors import Malformed
from platforma.kernel.strict_json import parse_json
from platforma.oauth.errors import InvalidToken

MAX_BYTES = 8192
_HEADER = frozenset({"alg", "typ", "kid"})


@dataclass(frozen=True, slots=True)
class UnverifiedJWS:
    """A token taken apart; nothing in it is believed yet."""

    token: str
    header: dict[str, Any]
    payload: bytes


def parse_compact(token: str) -> UnverifiedJWS:
    """
    Take *token* apart.

    Raises:
        InvalidToken: over 8 KiB, not three parts in canonical base64url, or not the header of a token of ours.
    """
    if len(token) > MAX_BYTES or not token.isascii():
        raise InvalidToken
    parts = token.split(".")
    if len(parts) != 3:
        raise InvalidToken
    header, payload, _ = (_canonical(part) for part in parts)
    members = json_object(header)
    if members.keys() != _HEADER:
        raise InvalidToken
    return UnverifiedJWS(token, members, payload)


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
