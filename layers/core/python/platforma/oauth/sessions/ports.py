"""Where sessions and what was revoked are kept. Every read is consistent; every method may raise `Unavailable`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from platforma.kernel.events import Event
from platforma.oauth.sessions.model import Session


class Sessions(Protocol):
    """
    Sign-ins, by id. An ended one is kept for as long as something given in it might be shown again.

    A new password, a suspension and a deletion sign a user out wherever they are, by the very write; sessions are read so.
    """

    def get(self, session_id: str) -> Session | None:
        """The session of this id, ended or not."""

    def of_user(self, tenant_id: str, user_id: str, *, limit: int, after: str | None) -> tuple[list[Session], str | None]:
        """Up to *limit* sessions of the user by id, which is by age, behind the id *after*; the second value is the next."""

    def of_tenant(self, tenant_id: str, *, limit: int, after: str | None) -> tuple[list[Session], str | None]:
        """As `of_user`, everybody's; *after* is the position that a page before gave."""

    def add(self, session: Session, event: Event) -> None:
        """
        Keep a new session, with its event.

        Raises:
            Conflict: the id is taken.
        """

    def renew(self, before: Session, after: Session, event: Event) -> None:
        """
        Put *after* in the place of *before*.

        Raises:
            PreconditionFailed: it was renewed or ended in between.
        """

    def note_seen(self, session: Session) -> None:
        """Keep `last_seen_at`, unless the session was renewed or ended in between."""

    def end(self, session: Session, at: datetime, event: Event) -> None:
        """
        End it, and with it every token and family that names it: one write, which moves the revocation version.

        The clients that are to be told of it (`oauth.backchannel`) wait to be, by the same write.

        Raises:
            PreconditionFailed: it has ended already.
        """


class Revocations(Protocol):
    """What of a tenant was ended before its time: ids of sessions, grants and access tokens."""

    def any_of(self, tenant_id: str, ids: Iterable[str], *, user_id: str | None = None) -> bool:
        """Whether one of *ids* was revoked, or is a session of the user *user_id*, who was signed out after it began."""

    def revoke(self, tenant_id: str, revoked_id: str, until: datetime, event: Event) -> None:
        """Have *revoked_id* be revoked until all that names it has expired; moves the revocation version."""
