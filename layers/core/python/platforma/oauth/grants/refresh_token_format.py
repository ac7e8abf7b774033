"""
The form of a refresh token: `prt_`, and in base64url

    pepper version, 1 byte | grant id, 16 | generation, 4 | secret, 32 | MAC, 16

The MAC, under the pepper, makes it genuine: without it whoever knows a grant's id (it stands in each access token's `jti`)
could show a token of an old generation and end a family that is not theirs. What is kept is a hash of the whole token.
"""

import binascii
import hashlib
import hmac
import secrets as entropy
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

from platforma.keys.errors import UnknownPepper
from platforma.keys.model import Pepper
from platforma.keys.ports import Secrets

_PREFIX = "prt_"
_SIZE = 1 + 16 + 4 + 32 + 16
_LENGTH = len(_PREFIX) + 4 * _SIZE // 3
_PURPOSE = b"platforma oauth refresh token v1\x00"


@dataclass(frozen=True, slots=True)
class GenuineRefreshToken:
    """A refresh token that we once issued. Whether it is still good is not known yet."""

    grant_id: str
    generation: int
    hash: bytes = field(repr=False)


def new_refresh_token(grant_id: str, generation: int, *, secrets: Secrets) -> tuple[str, bytes]:
    """A refresh token, told this once, and the hash that is kept of it."""
    pepper = secrets.pepper()
    body = (
        bytes([pepper.version])
        + urlsafe_b64decode(grant_id + "==")
        + generation.to_bytes(4, "big")
        + entropy.token_bytes(32)
    )
    token = _PREFIX + urlsafe_b64encode(body + _mac(body, pepper)).decode()
    return token, _hash(token)


def genuine_refresh_token(token: str, *, secrets: Secrets) -> GenuineRefreshToken | None:
    """*token* taken apart, if it is one that we issued; None for anything else, at the same cost."""
    if len(token) != _LENGTH or not token.startswith(_PREFIX) or not token.isascii():
        return None
    try:
        raw = urlsafe_b64decode(token.removeprefix(_PREFIX))
        pepper = secrets.pepper(raw[0])
    except (binascii.Error, ValueError, UnknownPepper):
        return None
    body, mac = raw[:-16], raw[-16:]
    if len(raw) != _SIZE or _PREFIX + urlsafe_b64encode(raw).decode() != token:
        return None
    if not hmac.compare_digest(_mac(body, pepper), mac):
        return None
    grant_id = urlsafe_b64encode(body[1:17]).rstrip(b"=").decode()
    return GenuineRefreshToken(grant_id, int.from_bytes(body[17:21], "big"), _hash(token))


def _mac(body: bytes, pepper: Pepper) -> bytes:
    return hmac.digest(pepper.key, _PURPOSE + body, hashlib.sha256)[:16]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
