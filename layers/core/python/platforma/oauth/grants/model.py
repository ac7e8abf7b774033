"""What a person allowed a client, once: a grant, and the family of refresh tokens that it may have."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from platforma.kernel.clock import rfc3339
from platforma.oauth.sessions.model import acr_of

SLIDES = timedelta(days=30)
LIVES_AT_MOST = timedelta(days=90)
REPLAYED_WITHIN = timedelta(seconds=30)
"""How long a client that lost the answer to a refresh may ask for it again."""


@dataclass(frozen=True, slots=True)
class Spent:
    """The refresh token that was spent last: by what request, and its answer, sealed under a key made of the token."""

    token_hash: bytes = field(repr=False)
    at: datetime
    request: bytes
    answer: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """
    One redeemed authorization of a client by a person, in a session.

    Access tokens of it have a `jti` of `{grant id}.{random}`, so that ending it ends them. *generation* counts the refresh
    tokens made, by one and not by time: two never share a number. *binding* is the `cnf` of its tokens. *claims* are what
    the client asked for by the `claims` parameter (OpenID Connect Core section 5.5).
    """

    id: str
    tenant_id: str
    client_id: str
    user_id: str
    session_id: str
    scope: tuple[str, ...]
    audience: str
    amr: tuple[str, ...]
    auth_time: datetime
    created_at: datetime
    claims: Mapping[str, Any] = field(default_factory=dict)
    nonce: str | None = None
    binding: Mapping[str, str] | None = None
    generation: int = 0
    token_hash: bytes | None = field(default=None, repr=False)
    used_at: datetime | None = None
    spent: Spent | None = None
    ended_at: datetime | None = None

    @property
    def acr(self) -> str:
        """The context class of the authentication behind it."""
        return acr_of(self.amr)

    @property
    def refreshable_until(self) -> datetime:
        """When the refresh token of now expires: 30 days after its last use, 90 after the grant."""
        return min((self.used_at or self.created_at) + SLIDES, self.created_at + LIVES_AT_MOST)

    def refreshable(self, now: datetime) -> bool:
        """Whether it has a refresh token that is good."""
        return self.ended_at is None and self.token_hash is not None and now < self.refreshable_until

    def refreshed(self, token_hash: bytes, spent: Spent | None, now: datetime) -> "Grant":
        """The next generation of it."""
        return replace(self, generation=self.generation + 1, token_hash=token_hash, spent=spent, used_at=now)

    def as_json(self) -> dict[str, object]:
        """The grant as a session's view shows it: never a token, nor anything made of one."""
        family = self.token_hash is not None
        return {
            "id": self.id,
            "client_id": self.client_id,
            "scope": " ".join(self.scope),
            "audience": self.audience,
            "created_at": rfc3339(self.created_at),
            "ended_at": rfc3339(self.ended_at) if self.ended_at else None,
            "refresh_tokens": {
                "issued": self.generation,
                "last_used_at": rfc3339(self.used_at) if self.used_at else None,
                "expires_at": rfc3339(self.refreshable_until),
            }
            if family
            else None,
        }
