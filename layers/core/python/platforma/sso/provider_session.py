"""
By which identity provider, and in which of its sessions, somebody signed in: what it takes to sign out there as well.

A link to the provider's sign-out is good for five minutes, for one session that has just ended here.
"""

import hmac
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256

from platforma.identity.ports import Directory
from platforma.kernel.clock import Clock
from platforma.kernel.errors import NotFound, PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.kernel.ids import is_id
from platforma.oauth.sessions import Session, Sessions
from platforma.sso.model import Connection, ProviderSession
from platforma.sso.ports import Connections, ProviderSessions

_GOOD_FOR = timedelta(minutes=5)


def signs_out_at(session: Session, *, provider_sessions: ProviderSessions, connections: Connections) -> str | None:
    """The provider's address at which the person of *session* signs out as well; None where there is none."""
    _, where = _leading_on(session, provider_sessions, connections)
    return where


def sign_out_link(
    session: Session, *, provider_sessions: ProviderSessions, connections: Connections, key: bytes, clock: Clock
) -> str | None:
    """Where the person of *session* goes on to sign out at the provider too; None where there is no such place."""
    connection, where = _leading_on(session, provider_sessions, connections)
    if connection is None or where is None:
        return None
    until = str(int((clock() + _GOOD_FOR).timestamp()))
    return f"/sso/{connection.id}/slo?out={session.id}.{until}.{_mac(key, connection.id, session.id, until)}"


def open_sign_out_link(
    connection: Connection, link: str, *, provider_sessions: ProviderSessions, key: bytes, clock: Clock
) -> ProviderSession:
    """
    The provider's session that is to end.

    Raises:
        NotFound: the link is none of ours, or too old.
    """
    session_id, _, rest = link.partition(".")
    until, _, mac = rest.partition(".")
    good = hmac.compare_digest(mac.encode(), _mac(key, connection.id, session_id, until).encode())
    known = None
    if good and is_id(session_id, "ses") and int(until) > clock().timestamp():
        known = provider_sessions.of(connection.tenant_id, session_id)
    if known is None or known.connection_id != connection.id:
        raise NotFound
    return known


def end_provider_sessions(
    connection: Connection,
    subject: str,
    indexes: tuple[str, ...],
    *,
    directory: Directory,
    sessions: Sessions,
    provider_sessions: ProviderSessions,
    clock: Clock,
    attempt: Attempt,
) -> int:
    """
    End what whom the provider calls *subject* has here by the connection, in those of its sessions (without *indexes*: in
    all); how many sessions ended.
    """
    identity = directory.identity(connection.tenant_id, connection.id, subject)
    user_id = directory.owner_of(connection.tenant_id, identity)
    if user_id is None:
        return 0
    attempt.principal_type, attempt.principal_id, attempt.user_id = "user", user_id, user_id
    ended, after = 0, None
    while True:
        page, after = sessions.of_user(connection.tenant_id, user_id, limit=100, after=after)
        for session in page:
            known = provider_sessions.of(connection.tenant_id, session.id) if session.alive(clock()) else None
            if known is None or known.connection_id != connection.id or (indexes and known.index not in indexes):
                continue
            ended += 1
            event = attempt.event("success", resource=session.id, resource_type="session", part=ended)
            with suppress(PreconditionFailed):  # it has ended in between, which is what was wanted
                sessions.end(session, clock(), event)
        if after is None:
            return ended


def _leading_on(
    session: Session, provider_sessions: ProviderSessions, connections: Connections
) -> tuple[Connection | None, str | None]:
    known = provider_sessions.of(session.tenant_id, session.id)
    connection = connections.get(known.connection_id) if known is not None else None
    if known is None or connection is None or not connection.enabled:
        return None, None
    return connection, connection.logout_url or known.logout_url


def _mac(key: bytes, *about: str) -> str:
    parts = (part.encode("utf-8", "surrogatepass") for part in about)
    message = b"platforma sso sign-out v1\0" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.new(key, message, sha256).hexdigest()
