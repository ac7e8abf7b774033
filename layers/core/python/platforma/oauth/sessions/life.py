"""Sign-ins begin, are read again at each request, and end."""

from datetime import datetime
from typing import Any

from platforma.kernel.clock import Clock
from platforma.kernel.errors import NotFound, PreconditionFailed
from platforma.kernel.events import Attempt, Event
from platforma.kernel.ids import is_id
from platforma.oauth.sessions.model import SEEN_EVERY, Session, new_session, read_cookie
from platforma.oauth.sessions.ports import Sessions


def start_session(
    tenant_id: str,
    user_id: str,
    *,
    amr: tuple[str, ...],
    attempt: Attempt,
    sessions: Sessions,
    clock: Clock,
    current: Session | None = None,
    interaction: str | None = None,
    auth_time: datetime | None = None,
    since: datetime | None = None,
) -> tuple[Session, str]:
    """
    A session of a person who has just been authenticated by *amr*, and the value of its cookie, told this once; where an
    identity provider says so, by it and at *auth_time*.

    *current* is the one that the browser had. The same person's is renewed: id and what was given in it stay, the cookie is
    another, so that none that was planted before is good afterwards. Another person's ends. *interaction* names the kept
    authorization request that asked for the sign-in. *since* is when the first thing that was shown began to be looked at: a
    sign-out after it (a new password, a suspension) ends this session too, though it begins later. None: now.
    """
    now = clock()
    mine = current is not None and (current.tenant_id, current.user_id) == (tenant_id, user_id) and current.alive(now)
    if current is not None and not mine and current.ended_at is None and current.tenant_id == tenant_id:
        _end(current, now, sessions, attempt.event("success", **_named(current), reason="replaced", part=2))
    session, cookie = new_session(
        tenant_id,
        user_id,
        amr=amr,
        now=now,
        interaction=interaction,
        of=current if mine else None,
        auth_time=auth_time,
        since=since,
    )
    event = attempt.event("success", **_named(session), changes={"after": {"user_id": user_id, "amr": list(amr)}})
    if mine and current is not None:
        sessions.renew(current, session, event)
    else:
        sessions.add(session, event)
    return session, cookie


def read_session(cookie: str | None, *, sessions: Sessions, clock: Clock) -> Session | None:
    """The live session that *cookie* opens, the person noted as seen; None for any other cookie, whatever is wrong."""
    shown, now = read_cookie(cookie), clock()
    session = sessions.get(shown.session_id) if shown else None
    if shown is None or session is None or not shown.opens(session) or not session.alive(now):
        return None
    if now - session.last_seen_at >= SEEN_EVERY:
        session = session.seen(now)
        sessions.note_seen(session)
    return session


def end_session(session_id: str, *, tenant_id: str, attempt: Attempt, sessions: Sessions, clock: Clock) -> Session:
    """
    End a session of the tenant: its cookie, the families and the live tokens given in it, everywhere within 5 seconds.

    Raises:
        NotFound: the tenant has none of this id that is alive.
    """
    session, now = get_session(session_id, tenant_id=tenant_id, sessions=sessions), clock()
    if session.ended_at is not None:
        raise NotFound
    _end(session, now, sessions, attempt.event("success", **_named(session)))
    return session


def get_session(session_id: str, *, tenant_id: str, sessions: Sessions) -> Session:
    """
    The tenant's session, ended or not.

    Raises:
        NotFound: it has none of this id.
    """
    session = sessions.get(session_id) if is_id(session_id, "ses") else None
    if session is None or session.tenant_id != tenant_id:
        raise NotFound
    return session


def end_sessions(
    tenant_id: str, user_id: str, *, attempt: Attempt, sessions: Sessions, clock: Clock, but: str | None = None
) -> list[Session]:
    """
    End every session of the user, but for the one of the id *but*; those that were ended. One event each.

    Called a second time it ends what a first call left when it was cut off.
    """
    ended: list[Session] = []
    after, now, part = None, clock(), 1 if not attempt.entered else 2
    while True:
        page, after = sessions.of_user(tenant_id, user_id, limit=100, after=after)
        for session in page:
            if session.id != but and session.open(now):
                _end(session, now, sessions, attempt.event("success", **_named(session), part=part))
                ended.append(session)
                part += 1
        if after is None:
            return ended


def _end(session: Session, now: datetime, sessions: Sessions, event: Event) -> None:
    try:
        sessions.end(session, now, event)
    except PreconditionFailed:  # it has ended in between, which is what was wanted
        return


def _named(session: Session) -> dict[str, Any]:
    return {"resource": session.id, "resource_type": "session"}
