"""
A person's sign-in in one browser, and the rules that need nothing but it.

The cookie holds `{id}.{secret}`; what is kept is a hash of the secret, which 256 random bits make safe to find by.
"""

import hashlib
import hmac
import secrets as entropy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from platforma.kernel.clock import rfc3339
from platforma.kernel.ids import is_id, made_before, new_id

LIFETIME = timedelta(hours=12)
IDLE = timedelta(minutes=30)
SEEN_EVERY = timedelta(minutes=1)
"""How exact `last_seen_at` is: a write for every request would buy nothing."""

ACR_SINGLE, ACR_MULTI = "urn:platforma:acr:aal1", "urn:platforma:acr:aal2"
ACR_VALUES = (ACR_SINGLE, ACR_MULTI)
"""One factor and two, after the authenticator assurance levels of NIST SP 800-63B; a later one satisfies an earlier one."""


@dataclass(frozen=True, slots=True)
class Session:
    """
    A sign-in. *amr* are RFC 8176's names, `mfa` among them where more than one factor was shown.

    *interaction* names the kept authorization request in which the person signed in, if it was in one. *auth_time* is when
    the person showed who they are, which at an identity provider may be long before *started_at*, when it was told here.
    *signed_out* says that the person was, wherever they were, after it began: it is over, though nobody has ended it yet.
    """

    id: str
    tenant_id: str
    user_id: str
    amr: tuple[str, ...]
    auth_time: datetime
    created_at: datetime
    last_seen_at: datetime
    secret_hash: bytes = field(repr=False)
    interaction: str | None = None
    ended_at: datetime | None = None
    started_at: datetime | None = None
    signed_out: bool = False

    @property
    def mfa(self) -> bool:
        """Whether a second factor was shown."""
        return "mfa" in self.amr

    @property
    def acr(self) -> str:
        """The authentication context class (OpenID Connect Core section 2)."""
        return acr_of(self.amr)

    @property
    def expires_at(self) -> datetime:
        """When it ends if nobody is seen any more."""
        return min((self.started_at or self.auth_time) + LIFETIME, self.last_seen_at + IDLE)

    def alive(self, now: datetime) -> bool:
        """Whether it was neither ended nor left alone too long."""
        return self.open(now) and not self.signed_out

    def open(self, now: datetime) -> bool:
        """Whether it is there to be ended."""
        return self.ended_at is None and now < self.expires_at

    def seen(self, now: datetime) -> "Session":
        """It, with the person seen now."""
        return replace(self, last_seen_at=now)

    def as_json(self) -> dict[str, object]:
        """The session as the API shows it."""
        return {
            "id": self.id,
            "user_id": self.user_id,
            "amr": list(self.amr),
            "acr": self.acr,
            "auth_time": rfc3339(self.auth_time),
            "created_at": rfc3339(self.created_at),
            "last_seen_at": rfc3339(self.last_seen_at),
            "expires_at": rfc3339(self.expires_at),
        }


@dataclass(frozen=True, slots=True)
class SignedOut:
    """That a person was signed out *at* a time wherever they were, but for the session *but*."""

    at: datetime
    but: str | None = None

    def ends(self, session_id: str) -> bool:
        """Whether the session of this id, which is of the person, is over by it: its id tells when it began."""
        return session_id != self.but and made_before(session_id, self.at)


def acr_of(amr: tuple[str, ...]) -> str:
    """The context class that authentication by *amr* has."""
    return ACR_MULTI if "mfa" in amr else ACR_SINGLE


def satisfies(acr: str, wanted: tuple[str, ...]) -> bool:
    """Whether authentication of the class *acr* is as good as one of *wanted* (RFC 9470 section 5)."""
    return any(each in ACR_VALUES and ACR_VALUES.index(acr) >= ACR_VALUES.index(each) for each in wanted)


@dataclass(frozen=True, slots=True)
class UnverifiedCookie:
    """A session cookie taken apart; nothing in it is believed yet."""

    session_id: str
    secret_hash: bytes = field(repr=False)

    def opens(self, session: Session) -> bool:
        """Whether it is the very cookie of *session*, in constant time."""
        return self.session_id == session.id and hmac.compare_digest(self.secret_hash, session.secret_hash)


def read_cookie(value: str | None) -> UnverifiedCookie | None:
    """What a cookie of the form of ours says; None for any other."""
    session_id, _, secret = (value or "").partition(".")
    if not is_id(session_id, "ses") or len(secret) != 43 or not secret.isascii():
        return None
    return UnverifiedCookie(session_id, _hash(secret))


def new_session(
    tenant_id: str,
    user_id: str,
    *,
    amr: tuple[str, ...],
    now: datetime,
    interaction: str | None,
    of: Session | None,
    auth_time: datetime | None = None,
    since: datetime | None = None,
) -> tuple[Session, str]:
    """
    A session that begins now, and the value of its cookie, which is told this once. *auth_time* None: now; *since*, as
    `start_session` has it, is the time in its id.

    *of* is the same person's session that it renews: its id stays, so that what was given in it lives on, and its cookie
    opens nothing any more.
    """
    secret = entropy.token_urlsafe(32)
    session = Session(
        id=of.id if of else new_id("ses", since or now),
        tenant_id=tenant_id,
        user_id=user_id,
        amr=amr,
        auth_time=now if auth_time is None else min(auth_time, now),
        created_at=of.created_at if of else now,
        last_seen_at=now,
        secret_hash=_hash(secret),
        interaction=interaction,
        started_at=None if auth_time is None else now,
    )
    return session, f"{session.id}.{secret}"


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
