"""Factors in memory."""

from collections.abc import Callable, Iterator
from threading import Lock

from platforma.identity.factors.model import Factors
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Event, entered


class MemoryFactors:
    """`FactorStore`. *record* is told each event in the moment of its write, *exists* asked for (tenant, user)."""

    def __init__(
        self, record: Callable[[Event], None] = lambda _: None, exists: Callable[[str, str], bool] = lambda *_: True
    ) -> None:
        self._kept: dict[tuple[str, str], Factors] = {}
        self._record, self._exists, self._lock = record, exists, Lock()

    def read(self, tenant_id: str, user_id: str) -> Factors:
        """The person's."""
        return self._kept.get((tenant_id, user_id)) or Factors(tenant_id, user_id)

    def every(self, tenant_id: str) -> Iterator[Factors]:
        """Each person's that has any."""
        return iter([kept for (tenant, _), kept in sorted(self._kept.items()) if tenant == tenant_id])

    def put(self, before: Factors, after: Factors, event: Event | None) -> None:
        """Put *after* in the place of *before*."""
        with self._lock:
            there = self._exists(after.tenant_id, after.user_id)
            if not there or self.read(before.tenant_id, before.user_id).version != before.version:
                raise PreconditionFailed
            if event is not None:
                self._record(event)
                entered((event,))
            self._kept[after.tenant_id, after.user_id] = after
