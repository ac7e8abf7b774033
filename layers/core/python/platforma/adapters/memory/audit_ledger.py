"""What was said of requests, in memory; it may die after each write."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from platforma.adapters.memory.audit import MemoryLogStore
from platforma.audit.completeness import Due, Noted, Tally


class MemoryLedger:
    """`Ledger` of the events in *store*; *after_write* is called after each write."""

    def __init__(self, store: MemoryLogStore, after_write: Callable[[str], None] = lambda _what: None) -> None:
        self.store = store
        self.after_write = after_write
        self._said: dict[str, set[Noted]] = {}
        self._due: dict[str, int] = {}
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._count = 0

    def note(self, minute: str, said: Sequence[Noted]) -> None:
        """Keep it."""
        self._count += 1
        self._said.setdefault(minute, set()).update(said)
        self._due[minute] = self._count
        self.after_write("note")

    def due(self, before: str) -> Sequence[Due]:
        """Minutes to be reconciled."""
        return [Due(minute, str(token)) for minute, token in sorted(self._due.items()) if minute < before]

    def noted(self, minute: str) -> Iterable[Noted]:
        """All that was said, in no order."""
        return list(self._said.get(minute, ()))

    def existing(self, events: Collection[tuple[str, str]]) -> Collection[tuple[str, str]]:
        """Those that wait or are entered at their claim's place."""
        return {(tenant_id, event_id) for tenant_id, event_id in events if self._is_there(tenant_id, event_id)}

    def _is_there(self, tenant_id: str, event_id: str) -> bool:
        position = self.store.claimed(tenant_id, event_id)
        return position is not None and any(
            look(log_id, [position])
            for log_id in self.store.logs_of(tenant_id)
            for look in (self.store.entered, self.store.waiting)
        )

    def settle(self, due: Due, tallies: Mapping[str, Tally]) -> None:
        """Keep the tallies, then let the minute go."""
        for tenant_id, tally in tallies.items():
            self._tallies[tenant_id, due.minute] = tally
            self.after_write("tally")
        if str(self._due.get(due.minute)) == due.token:
            del self._due[due.minute]
            self.after_write("settle")

    def tallies(self, tenant_id: str, first: str, last: str) -> Iterable[Tally]:
        """Those of these minutes."""
        return [tally for (whose, minute), tally in self._tallies.items() if whose == tenant_id and first <= minute <= last]
