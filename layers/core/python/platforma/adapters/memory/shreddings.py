"""Shreddings in memory."""

from collections.abc import Callable
from threading import Lock

from platforma.kernel.events import Event, entered
from platforma.keys.shredding import Shredding


class MemoryShreddings:
    """`Shreddings`. *record* gets each event."""

    def __init__(self, record: Callable[[Event], None] = lambda _: None) -> None:
        self._record = record
        self._kept: dict[str, Shredding] = {}
        self._lock = Lock()

    def get(self, tenant_id: str) -> Shredding | None:
        """The tenant's shredding."""
        return self._kept.get(tenant_id)

    def begin(self, shredding: Shredding) -> Shredding:
        """Keep it unless one was begun."""
        with self._lock:
            return self._kept.setdefault(shredding.tenant_id, shredding)

    def finish(self, shredding: Shredding, event: Event) -> Shredding:
        """Keep the statement unless there is one."""
        with self._lock:
            standing = self._kept[shredding.tenant_id]
            if standing.statement is not None:
                return standing
            self._kept[shredding.tenant_id] = shredding
            self._record(event)
            entered((event,))
            return shredding
