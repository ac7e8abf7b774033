"""
Initial access tokens (RFC 7591 section 3): whoever holds one may register one client of the tenant that gave it out.

Nothing of it is stored: it says its tenant, its end, and the most that the client may be registered for, under a MAC of the
platform's. A made-up one costs no read; a genuine one is spent by a conditional write.
"""

import hashlib
import hmac
import json
import secrets as entropy
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from platforma.kernel.clock import Clock
from platforma.kernel.errors import AlreadyUsed
from platforma.keys.ports import Secrets
from platforma.oauth.errors import InvalidToken
from platforma.oauth.ports import SingleUse

PREFIX = "iat_"
DEFAULT_SECONDS, MAX_SECONDS = 3600, 86400
_PURPOSE = b"platforma oauth initial access token v1\x00"
_MAX_LENGTH = 6144


@dataclass(frozen=True, slots=True)
class InitialAccessToken:
    """What a genuine one says: a client of *tenant_id*, for at most these *scopes*, until *expires_at*."""

    tenant_id: str
    scopes: tuple[str, ...]
    expires_at: datetime
    nonce: str


def new_initial_access_token(
    tenant_id: str, scopes: Sequence[str], *, expires_in: int, secrets: Secrets, clock: Clock
) -> tuple[str, InitialAccessToken]:
    """A fresh one, as it is shown this once, and what it says; *expires_in* is in seconds."""
    expires_at = clock().replace(microsecond=0) + timedelta(seconds=expires_in)
    token = InitialAccessToken(tenant_id, tuple(scopes), expires_at, entropy.token_urlsafe(16))
    said = {"t": tenant_id, "s": list(scopes), "e": int(expires_at.timestamp()), "n": token.nonce}
    payload = urlsafe_b64encode(json.dumps(said, separators=(",", ":")).encode()).decode().rstrip("=")
    return f"{PREFIX}{payload}.{_mac(payload, secrets)}", token


def spend_initial_access_token(
    presented: str, *, secrets: Secrets, single_use: SingleUse, clock: Clock
) -> InitialAccessToken:
    """
    Turn a presented one into what it says, and use it up.

    Raises:
        InvalidToken: not one of ours, expired, or used before.
    """
    payload, _, mac = presented.removeprefix(PREFIX).rpartition(".")
    known = presented.startswith(PREFIX) and presented.isascii() and len(presented) <= _MAX_LENGTH
    if not known or not hmac.compare_digest(mac, _mac(payload, secrets)):
        raise InvalidToken
    said = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    token = InitialAccessToken(said["t"], tuple(said["s"]), datetime.fromtimestamp(said["e"], UTC), said["n"])
    if token.expires_at <= clock():
        raise InvalidToken
    try:
        single_use.spend(f"initial|{token.tenant_id}|{token.nonce}", until=token.expires_at)
    except AlreadyUsed:
        raise InvalidToken from None
    return token


def _mac(payload: str, secrets: Secrets) -> str:
    mac = hmac.digest(secrets.secret("lookup"), _PURPOSE + payload.encode(), hashlib.sha256)
    return urlsafe_b64encode(mac).decode().rstrip("=")
