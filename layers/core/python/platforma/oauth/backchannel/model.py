"""A client that is to be told of a session's end, what has come of that, and the token that tells it."""

import secrets as entropy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import jwt

from platforma.kernel.clock import rfc3339
from platforma.oauth.access_token import SigningKeys
from platforma.oauth.grants.model import Grant
from platforma.oauth.model import Client
from platforma.oauth.sessions.model import Session

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYPE = "logout+jwt"
LIFETIME_SECONDS = 120
"""How long a logout token is good, as section 4 recommends: each attempt makes its own."""
WAITS = (10, 30, 120, 600, 900, 900, 900)
"""Seconds behind each failed attempt but the last: eight attempts within an hour. A queue holds back for 900 at most."""

Outcome = Literal["delivered", "failed"]


@dataclass(frozen=True, slots=True)
class Logout:
    """
    A client that got an ID token in a session and registered where it wants to be told of the session's end.

    *reason* is why the last attempt failed: a status, or the name of a fault; never what the client answered.
    """

    session_id: str
    client_id: str
    tenant_id: str
    attempts: int = 0
    attempted_at: datetime | None = None
    outcome: Outcome | None = None
    reason: str | None = None

    def attempted(self, now: datetime, reason: str | None, *, final: bool = False) -> "Logout":
        """It, after one attempt more that failed for *reason*, or with None succeeded."""
        attempts = self.attempts + 1
        outcome: Outcome | None = "delivered" if reason is None else None
        if reason is not None and (final or attempts > len(WAITS)):
            outcome = "failed"
        return replace(self, attempts=attempts, attempted_at=now, outcome=outcome, reason=reason)

    def due_at(self, ended_at: datetime) -> datetime:
        """When the next attempt is to be made, for a session that ended then."""
        if self.attempted_at is None:
            return ended_at
        return self.attempted_at + timedelta(seconds=WAITS[self.attempts - 1])

    def as_json(self, *, ended: bool) -> dict[str, object]:
        """It as a session's view shows it: `signed_in` until the session ends, then `pending` until there is an outcome."""
        return {
            "client_id": self.client_id,
            "state": self.outcome or ("pending" if ended else "signed_in"),
            "attempts": self.attempts,
            "attempted_at": rfc3339(self.attempted_at) if self.attempted_at else None,
            "reason": self.reason,
        }


def to_be_told(grant: Grant, client: Client) -> Logout | None:
    """What *client* is told by when the session of *grant* ends; None where it gets no ID token, or names no place."""
    if client.backchannel_logout_uri is None or "openid" not in grant.scope:
        return None
    return Logout(grant.session_id, client.id, grant.tenant_id)


def logout_token(session: Session, client: Client, *, signing_keys: SigningKeys, issuer: str, now: datetime) -> str:
    """
    The token that tells *client* of the end of *session* (section 2.4), signed as its ID tokens are.

    Raises:
        Unavailable: there is no key to sign with.
    """
    key = signing_keys.active(client.id_token_signed_response_alg)
    iat = int(now.timestamp())
    claims = {
        "iss": issuer,
        "sub": session.user_id,
        "aud": client.id,
        "iat": iat,
        "exp": iat + LIFETIME_SECONDS,
        "jti": entropy.token_urlsafe(16),
        "sid": session.id,
        "events": {EVENT: {}},
    }
    return jwt.encode(claims, key.private_key, algorithm=key.algorithm, headers={"typ": TYPE, "kid": key.kid})
