"""Sessions and revocations in memory."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from threading import Lock

from platforma.adapters.memory.logouts import MemoryLogouts
from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Event, entered
from platforma.kernel.ids import is_id
from platforma.oauth.backchannel.ports import LogoutQueue
from platforma.oauth.sessions.model import Session, SignedOut


class MemoryRevocations:
    """`platforma.oauth.sessions.Revocations`. *record* gets each event, *signed_out* is what the directory noted."""

    def __init__(
        self,
        record: Callable[[Event], None] = lambda _: None,
        signed_out: Mapping[tuple[str, str], tuple[datetime, str | None]] | None = None,
    ) -> None:
        self._record = record
        self._signed_out = {} if signed_out is None else signed_out
        self._ids: set[tuple[str, str]] = set()
        self.revocation_version: Counter[str] = Counter()

    def any_of(self, tenant_id: str, ids: Iterable[str], *, user_id: str | None = None) -> bool:
        """Whether one of *ids* was revoked."""
        return any((tenant_id, each) in self._ids or self.over(tenant_id, user_id, each) for each in ids)

    def over(self, tenant_id: str, user_id: str | None, session_id: str) -> bool:
        """Whether the user was signed out after this session began."""
        out = self._signed_out.get((tenant_id, user_id or ""))
        return out is not None and is_id(session_id, "ses") and SignedOut(*out).ends(session_id)

    def revoke(self, tenant_id: str, revoked_id: str, until: datetime, event: Event) -> None:
        """Have *revoked_id* be revoked."""
        _ = until
        self.note(tenant_id, revoked_id)
        self.enter(event)

    def note(self, tenant_id: str, revoked_id: str) -> None:
        """As a part of another write."""
        self._ids.add((tenant_id, revoked_id))
        self.revocation_version[tenant_id] += 1

    def enter(self, event: Event) -> None:
        """Keep an event."""
        self._record(event)
        entered((event,))


class MemorySessions:
    """`platforma.oauth.sessions.Sessions`."""

    def __init__(self, revocations: MemoryRevocations, logouts: MemoryLogouts, queue: LogoutQueue) -> None:
        self._revocations, self._logouts, self._queue = revocations, logouts, queue
        self._sessions: dict[str, Session] = {}
        self._lock = Lock()

    def get(self, session_id: str) -> Session | None:
        """The session of this id."""
        session = self._sessions.get(session_id)
        return None if session is None else self._read(session)

    def _read(self, session: Session) -> Session:
        return replace(session, signed_out=self._revocations.over(session.tenant_id, session.user_id, session.id))

    def of_user(self, tenant_id: str, user_id: str, *, limit: int, after: str | None) -> tuple[list[Session], str | None]:
        """A page of the user's sessions."""
        found, last = self._page(tenant_id, user_id, limit, None if after is None else f"{user_id}#{after}")
        return found, None if last is None else last.partition("#")[2]

    def of_tenant(self, tenant_id: str, *, limit: int, after: str | None) -> tuple[list[Session], str | None]:
        """A page of everybody's sessions."""
        return self._page(tenant_id, None, limit, after)

    def _page(self, tenant_id: str, user_id: str | None, limit: int, after: str | None) -> tuple[list[Session], str | None]:
        with self._lock:
            listed = sorted(
                (f"{each.user_id}#{each.id}", each)
                for each in self._sessions.values()
                if each.tenant_id == tenant_id and user_id in (None, each.user_id) and each.ended_at is None
            )
        rest = [pair for pair in listed if pair[0] > (after or "")]
        return [self._read(each) for _, each in rest[:limit]], rest[limit - 1][0] if len(rest) > limit else None

    def add(self, session: Session, event: Event) -> None:
        """Keep a new session."""
        with self._lock:
            if session.id in self._sessions:
                raise Conflict
            self._sessions[session.id] = session
            self._revocations.enter(event)

    def renew(self, before: Session, after: Session, event: Event) -> None:
        """Put *after* in the place of *before*."""
        with self._lock:
            self._require(before)
            self._sessions[after.id] = after
            self._revocations.enter(event)

    def note_seen(self, session: Session) -> None:
        """Keep `last_seen_at`."""
        with self._lock:
            kept = self._sessions.get(session.id)
            if kept is not None and kept.secret_hash == session.secret_hash and kept.ended_at is None:
                self._sessions[session.id] = replace(kept, last_seen_at=session.last_seen_at)

    def end(self, session: Session, at: datetime, event: Event) -> None:
        """End it, and have its clients be told."""
        told = [each for each in self._logouts.of_session(session.id) if each.outcome is None]
        with self._lock:
            kept = self._sessions.get(session.id)
            if kept is None or kept.ended_at is not None:
                raise PreconditionFailed
            self._sessions[session.id] = replace(kept, ended_at=at)
            self._revocations.note(session.tenant_id, session.id)
            self._revocations.enter(event)
            if told:
                self._logouts.wait(session.id)
        for each in told:
            self._queue.put(session.id, each.client_id)

    def _require(self, before: Session) -> None:
        kept = self._sessions.get(before.id)
        if kept is None or kept.ended_at is not None or kept.secret_hash != before.secret_hash:
            raise PreconditionFailed
