"""What was said of requests, in memory; it may die after each write."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from platforma.audit.completeness import Due, Noted, Tally


class MemoryLedger:
    """`Ledger`. *recorded* are the events that exist; *after_write* is called after each write."""

    def __init__(self, after_write: Callable[[str], None] = lambda _what: None) -> None:
        self.recorded: set[tuple[str, str]] = set()
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
        """Those that are recorded."""
        return self.recorded.intersection(events)

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
