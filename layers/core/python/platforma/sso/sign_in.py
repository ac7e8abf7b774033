"""
A sign-in by an identity provider, from the moment that its answer is believed; and what is kept of one that failed.

Whatever of the protocol led here, the rest is the same: who that is here, with which roles, a session, and where to go on.
"""

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime

from platforma.identity.model import User
from platforma.identity.sign_in import place_of
from platforma.identity.throttle import AttemptCounts, charge_attempt
from platforma.kernel.clock import Clock
from platforma.kernel.errors import PlatformaError
from platforma.kernel.events import Attempt
from platforma.oauth.sessions import Session, Sessions, start_session
from platforma.oauth.sessions.model import LIFETIME as SESSION_LIFETIME
from platforma.sso.flow import Flow
from platforma.sso.model import Connection, ProviderSession
from platforma.sso.ports import ProviderSessions, Traces
from platforma.sso.profile import Attributes, read_profile
from platforma.sso.provision import People, provision
from platforma.sso.traces import Trace

FEDERATED = "fed"
"""The method of every sign-in by a provider, beside those of RFC 8176 that the provider tells of."""
METHODS = frozenset(
    {
        *("face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin", "pop", "pwd", "rba"),
        *("retina", "sc", "sms", "swk", "tel", "user", "vbm", "wia"),
    }
)
"""RFC 8176 section 2."""
FREE_FAILURES = 20
"""How many failures from one network address are kept without a delay, a day."""
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Said:
    """
    What a verified answer of a provider's says: whom it calls what, and how and when they were authenticated there.

    *methods* are names of RFC 8176; others are not passed on. *ends_at_provider*: its session there, *index*, can be ended
    together with ours; at *logout_url* by showing *hint*, where the provider's settings do not say how.
    """

    subject: str
    attributes: Attributes
    auth_time: datetime
    methods: tuple[str, ...] = ()
    index: str | None = None
    ends_at_provider: bool = False
    logout_url: str | None = None
    hint: str | None = field(default=None, repr=False)

    @property
    def amr(self) -> tuple[str, ...]:
        """The methods, as a session keeps them."""
        return (FEDERATED, *sorted(METHODS & set(self.methods)))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in, and the value of the session's cookie, told this once."""

    user: User
    session: Session
    cookie: str


def finish_sign_in(
    connection: Connection,
    said: Said,
    *,
    flow: Flow | None,
    people: People,
    sessions: Sessions,
    traces: Traces,
    provider_sessions: ProviderSessions,
    clock: Clock,
    attempt: Attempt,
) -> SignedIn:
    """
    A session of the person whom *said* is about. *flow* None: the provider began it.

    Raises:
        Unprocessable: what the provider says of the person cannot be read.
        SignInRefused: they may not sign in.
        Unavailable: nobody is signed in.
    """
    since = clock()
    profile = read_profile(said.attributes, connection.attribute_mapping)
    user = provision(connection, said.subject, profile, people=people, attempt=attempt)
    attempt.principal_type, attempt.principal_id, attempt.user_id = "user", user.id, user.id
    traces.keep(Trace(connection.tenant_id, connection.id, attempt.request_id, clock(), user_id=user.id))
    current = sessions.get(flow.session_id) if flow is not None and flow.session_id else None
    session, cookie = start_session(
        connection.tenant_id,
        user.id,
        amr=said.amr,
        attempt=attempt,
        sessions=sessions,
        clock=clock,
        current=current,
        interaction=flow.interaction if flow is not None else None,
        auth_time=said.auth_time,
        since=since,
    )
    if said.ends_at_provider:
        until = clock() + SESSION_LIFETIME
        known = ProviderSession(
            connection.tenant_id,
            session.id,
            connection.id,
            said.subject,
            said.index,
            until,
            logout_url=said.logout_url,
            hint=said.hint,
        )
        provider_sessions.keep(known)
    return SignedIn(user, session, cookie)


def note_failure(
    connection: Connection,
    error: PlatformaError,
    *,
    traces: Traces,
    counts: AttemptCounts,
    clock: Clock,
    attempt: Attempt,
) -> None:
    """
    Keep why a sign-in failed, under the reference that the person is shown.

    Raises:
        RateLimited: so many failed from this network address that no more are kept for now.
    """
    place = f"sso:{connection.id}:{place_of(attempt.ip_address)}"
    charge_attempt(connection.tenant_id, place, counts=counts, now=clock(), free=FREE_FAILURES)
    why = reason_of(error)
    traces.keep(Trace(connection.tenant_id, connection.id, attempt.request_id, clock(), code=error.code, why=why))


def reason_of(error: PlatformaError) -> str:
    """What was wrong, in plain words, for those who look after the connection."""
    faults = [fault["detail"] for fault in getattr(error, "errors", ())]
    why = getattr(error, "why", None) or " ".join(faults) or error.detail
    return "".join(each if unicodedata.category(each)[0] != "C" else "�" for each in why[:_LONGEST])
