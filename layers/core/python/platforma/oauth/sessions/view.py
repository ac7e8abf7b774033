"""What stands on a sign-in: session, grants, families of refresh tokens, clients; and who was told of its end."""

from collections.abc import Iterable
from typing import Any

from platforma.kernel.clock import Clock, rfc3339
from platforma.kernel.errors import NotFound
from platforma.kernel.events import Attempt
from platforma.oauth.authorization.ports import Grants
from platforma.oauth.backchannel.ports import Logouts
from platforma.oauth.grants.model import Grant
from platforma.oauth.sessions.life import end_session, get_session
from platforma.oauth.sessions.model import Session
from platforma.oauth.sessions.ports import Sessions


def list_sessions(
    tenant_id: str, user_id: str | None, *, limit: int, after: str | None, sessions: Sessions, clock: Clock
) -> tuple[list[Session], str | None]:
    """A page of the live sessions of the user, or with None of everybody; and the position that the next begins behind."""
    if user_id is None:
        page, following = sessions.of_tenant(tenant_id, limit=limit, after=after)
    else:
        page, following = sessions.of_user(tenant_id, user_id, limit=limit, after=after)
    now = clock()
    return [session for session in page if session.alive(now)], following


def view_session(
    session_id: str, *, tenant_id: str, sessions: Sessions, grants: Grants, logouts: Logouts, clock: Clock
) -> tuple[Session, dict[str, Any]]:
    """
    A session, all that was given in it, and the clients to be told of its end.

    One that was ended is shown for a day where there were such clients, so that it can be seen whether they were told.

    Raises:
        NotFound: the tenant has none of this id that is alive, or was ended so.
    """
    session = get_session(session_id, tenant_id=tenant_id, sessions=sessions)
    alive = session.alive(clock())
    told = logouts.of_session(session.id)
    if not alive and (session.ended_at is None or not told):
        raise NotFound
    return session, {
        **session.as_json(),
        "ended_at": rfc3339(session.ended_at) if session.ended_at else None,
        **_given(_grants_of(session, grants)),
        "logouts": [each.as_json(ended=session.ended_at is not None) for each in told],
    }


def close_session(
    session_id: str, *, tenant_id: str, attempt: Attempt, sessions: Sessions, grants: Grants, clock: Clock
) -> dict[str, Any]:
    """
    End a session, and say what ended with it.

    The session's own end is what everything given in it hangs by: it bites at once. The grants are then closed one by one.

    Raises:
        NotFound: the tenant has none of this id that is alive.
    """
    session = end_session(session_id, tenant_id=tenant_id, attempt=attempt, sessions=sessions, clock=clock)
    held = _grants_of(session, grants)
    for part, grant in enumerate(held, start=2):
        event = attempt.event("success", resource=grant.id, resource_type="grant", part=part)
        grants.end(grant, clock(), event)
    return {"id": session.id, "ended": _given(held)}


def _grants_of(session: Session, grants: Grants) -> list[Grant]:
    return [grant for grant in grants.of_user(session.tenant_id, session.user_id) if grant.session_id == session.id]


def _given(grants: Iterable[Grant]) -> dict[str, Any]:
    held = list(grants)
    return {
        "grants": [grant.as_json() for grant in held],
        "clients": sorted({grant.client_id for grant in held}),
    }
