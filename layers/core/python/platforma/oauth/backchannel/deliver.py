"""
Telling a client that a session has ended, and finding those whom a lost message would leave untold.

A message may come twice or late, and what it asks for may be done: what the table says counts. A client that is told twice
logs out once.
"""

from datetime import timedelta

from platforma.kernel.clock import Clock
from platforma.kernel.errors import AlreadyUsed
from platforma.kernel.events import Attempt, Event
from platforma.oauth.access_token import SigningKeys
from platforma.oauth.backchannel.model import WAITS, Logout, logout_token
from platforma.oauth.backchannel.ports import LogoutQueue, Logouts, Post
from platforma.oauth.errors import Unfetched
from platforma.oauth.ports import Clients
from platforma.oauth.sessions.model import Session
from platforma.oauth.sessions.ports import Sessions

LATE = timedelta(minutes=2)
"""How long behind its time an attempt is taken for lost."""


def deliver_logout(
    session_id: str,
    client_id: str,
    *,
    attempt: Attempt,
    sessions: Sessions,
    logouts: Logouts,
    logout_queue: LogoutQueue,
    clients: Clients,
    post: Post,
    signing_keys: SigningKeys,
    issuer: str,
    clock: Clock,
) -> Logout | None:
    """
    Tell the client once that the session has ended; what has come of it, None where there is nothing to tell.

    An attempt that failed is put back into the queue, until there is an outcome, which the tenant's log has.

    Raises:
        Unavailable: nothing was noted: the message has to come again.
    """
    session, logout = sessions.get(session_id), logouts.get(session_id, client_id)
    if session is None or session.ended_at is None or logout is None or logout.outcome is not None:
        return None
    now = clock()
    client = clients.get(client_id)
    if client is None or client.status != "active" or client.backchannel_logout_uri is None:
        after = logout.attempted(now, "not_registered", final=True)
    else:
        token = logout_token(session, client, signing_keys=signing_keys, issuer=issuer, now=now)
        after = logout.attempted(now, _told(client.backchannel_logout_uri, token, post))
    try:
        logouts.note(logout, after, _event(session, after, attempt) if after.outcome else None)
    except AlreadyUsed:  # the same message, a second time at once
        return None
    if after.outcome is None:
        logout_queue.put(session_id, client_id, wait=WAITS[after.attempts - 1])
    return after


def find_late_logouts(*, sessions: Sessions, logouts: Logouts, logout_queue: LogoutQueue, clock: Clock) -> dict[str, int]:
    """Put back into the queue what a message was lost of; how many, and how many sessions are settled since the last run."""
    found = {"late": 0, "settled": 0}
    for session_id in logouts.waiting():
        session = sessions.get(session_id)
        ended_at = session.ended_at if session else None
        due = [each for each in logouts.of_session(session_id) if each.outcome is None]
        if ended_at is None or not due:
            logouts.settle(session_id)
            found["settled"] += 1
            continue
        for each in due:
            if each.due_at(ended_at) + LATE <= clock():
                logout_queue.put(session_id, each.client_id)
                found["late"] += 1
    return found


def _told(uri: str, token: str, post: Post) -> str | None:
    """Why the client was not told, by section 2.8: anything but a plain success; None where it was."""
    try:
        status = post.post(uri, {"logout_token": token})
    except Unfetched as error:
        return str(error.facts.get("cause", "unreachable"))[:64]
    return None if status in (200, 204) else f"status_{status}"


def _event(session: Session, logout: Logout, attempt: Attempt) -> Event:
    attempt.tenant_id = session.tenant_id
    told = {"client_id": logout.client_id, "session_id": session.id, "attempts": logout.attempts}
    return attempt.event(
        "success" if logout.outcome == "delivered" else "failure",
        resource=session.id,
        resource_type="session",
        reason=logout.reason,
        changes={"after": told},
    )
