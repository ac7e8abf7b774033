"""Counts of password attempts in memory."""

from datetime import datetime
from threading import Lock

from platforma.identity.errors import TurnTaken
from platforma.identity.throttle import Attempts


class MemoryAttemptCounts:
    """`AttemptCounts`."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Attempts] = {}
        self._known: dict[tuple[str, str], datetime] = {}
        self._lock = Lock()

    def read(self, tenant_id: str, subject: str) -> Attempts | None:
        """What was charged to the subject."""
        return self._counts.get((tenant_id, subject))

    def charge(self, tenant_id: str, subject: str, charged: Attempts, *, replacing: Attempts | None) -> None:
        """Put *charged* in the place of what was read."""
        with self._lock:
            if self._counts.get((tenant_id, subject)) != replacing:
                raise TurnTaken
            self._counts[tenant_id, subject] = charged

    def forget(self, tenant_id: str, subject: str) -> None:
        """Charge the subject nothing any more."""
        self._counts.pop((tenant_id, subject), None)

    def remember(self, tenant_id: str, subject: str, *, until: datetime) -> None:
        """Keep in mind that this subject is known."""
        self._known[tenant_id, subject] = until

    def remembers(self, tenant_id: str, subject: str, *, now: datetime) -> bool:
        """Whether it is known still."""
        until = self._known.get((tenant_id, subject))
        return until is not None and now < until
