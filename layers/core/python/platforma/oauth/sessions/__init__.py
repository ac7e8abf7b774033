"""Sign-in sessions: what a browser holds, for 12 hours at most and 30 minutes of nobody being seen."""

from platforma.oauth.sessions.life import end_session, end_sessions, get_session, read_session, start_session
from platforma.oauth.sessions.model import ACR_MULTI, ACR_SINGLE, ACR_VALUES, Session, acr_of, satisfies
from platforma.oauth.sessions.ports import Revocations, Sessions

__all__ = [
    "ACR_MULTI",
    "ACR_SINGLE",
    "ACR_VALUES",
    "Revocations",
    "Session",
    "Sessions",
    "acr_of",
    "end_session",
    "end_sessions",
    "get_session",
    "read_session",
    "satisfies",
    "start_session",
]
