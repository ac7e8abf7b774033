"""Counts of password attempts in memory."""

from threading import Lock

from platforma.identity.errors import TurnTaken
from platforma.identity.throttle import Attempts


class MemoryAttemptCounts:
    """`AttemptCounts`."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Attempts] = {}
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
