"""Erasures in memory."""

from collections.abc import Iterator
from threading import Lock

from platforma.audit.erasure import Erasure
from platforma.kernel.errors import Conflict
from platforma.kernel.events import Event, entered


class MemoryErasures:
    """`Erasures`. *events* are those that came with new ones."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._lock = Lock()
        self._kept: dict[tuple[str, str], Erasure] = {}

    def add(self, erasure: Erasure, event: Event) -> None:
        """Keep it."""
        with self._lock:
            if (erasure.tenant_id, erasure.user_id) in self._kept:
                raise Conflict("The person's erasure was asked for before.")
            self._kept[erasure.tenant_id, erasure.user_id] = erasure
        self.events.append(event)
        entered((event,))

    def get(self, tenant_id: str, user_id: str) -> Erasure | None:
        """The person's erasure."""
        return self._kept.get((tenant_id, user_id))

    def open(self) -> Iterator[Erasure]:
        """Those that are not done."""
        return iter([one for one in self._kept.values() if one.status != "done"])

    def replace(self, before: Erasure, after: Erasure) -> bool:
        """Its new state."""
        with self._lock:
            if self._kept.get((before.tenant_id, before.user_id)) != before:
                return False
            self._kept[after.tenant_id, after.user_id] = after
            return True
