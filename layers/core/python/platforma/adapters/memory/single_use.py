"""What is good for one use, in memory."""

from datetime import datetime
from threading import Lock

from platforma.kernel.clock import Clock
from platforma.kernel.errors import AlreadyUsed


class MemorySingleUse:
    """`platforma.oauth.ports.SingleUse`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._used: dict[str, datetime] = {}
        self._lock = Lock()

    def spend(self, name: str, *, until: datetime) -> None:
        """Use up *name*."""
        with self._lock:
            if name in self._used and self._used[name] > self._clock():
                raise AlreadyUsed
            self._used[name] = until
