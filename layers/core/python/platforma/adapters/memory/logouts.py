"""Clients to be told of sessions' ends, in memory; and a queue of whom to tell."""

from collections.abc import Callable
from threading import Lock

from platforma.kernel.errors import AlreadyUsed
from platforma.kernel.events import Event
from platforma.oauth.backchannel.model import Logout


class MemoryLogouts:
    """`platforma.oauth.backchannel.Logouts`. *enter* gets each event."""

    def __init__(self, enter: Callable[[Event], None]) -> None:
        self._enter = enter
        self._kept: dict[tuple[str, str], Logout] = {}
        self._waiting: dict[str, None] = {}
        self._lock = Lock()

    def of_session(self, session_id: str) -> list[Logout]:
        """Every client that is to be told of the end of this session."""
        return [each for (of, _), each in sorted(self._kept.items()) if of == session_id]

    def get(self, session_id: str, client_id: str) -> Logout | None:
        """This client's."""
        return self._kept.get((session_id, client_id))

    def note(self, before: Logout, after: Logout, event: Event | None) -> None:
        """Keep an attempt."""
        with self._lock:
            kept = self._kept[after.session_id, after.client_id]
            if kept.attempts != before.attempts or kept.outcome is not None:
                raise AlreadyUsed
            self._kept[after.session_id, after.client_id] = after
            if event is not None:
                self._enter(event)

    def waiting(self) -> list[str]:
        """Ids of ended sessions that may have clients without an outcome."""
        return sorted(self._waiting)

    def settle(self, session_id: str) -> None:
        """Let the session not be waiting any more."""
        self._waiting.pop(session_id, None)

    def keep(self, logout: Logout) -> None:
        """As a part of another write: this client is to be told."""
        self._kept[logout.session_id, logout.client_id] = logout

    def wait(self, session_id: str) -> None:
        """As a part of another write: the session has ended."""
        self._waiting[session_id] = None


class MemoryLogoutQueue:
    """`platforma.oauth.backchannel.LogoutQueue`: *put_there* is what was put, each with its wait."""

    def __init__(self) -> None:
        self.put_there: list[tuple[str, str, int]] = []

    def put(self, session_id: str, client_id: str, *, wait: int = 0) -> None:
        """Have the client be told."""
        self.put_there.append((session_id, client_id, wait))
