"""Chosen witnesses in memory; whoever notes how it stands may die after each write."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from platforma.audit.witnesses.model import ChosenWitness, Offered
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Event, entered


class MemoryWitnesses:
    """`Witnesses`. *events* are those that came with changes."""

    def __init__(self, after_write: Callable[[str], None] = lambda _what: None) -> None:
        self.after_write = after_write
        self.events: list[Event] = []
        self._kept: dict[tuple[str, str], ChosenWitness] = {}
        self._offered: dict[tuple[str, str], dict[str, Offered]] = {}

    def add(self, witness: ChosenWitness, event: Event) -> None:
        """Keep it."""
        self._kept[witness.tenant_id, witness.id] = witness
        self._entered(event)

    def get(self, tenant_id: str, witness_id: str) -> ChosenWitness | None:
        """The one of this id."""
        return self._kept.get((tenant_id, witness_id))

    def listed(self, tenant_id: str, *, after: str | None, limit: int) -> Sequence[ChosenWitness]:
        """Oldest first."""
        found = [one for (whose, name), one in self._kept.items() if whose == tenant_id and (after is None or name > after)]
        return sorted(found, key=lambda one: one.id)[:limit]

    def remove(self, witness: ChosenWitness, event: Event) -> None:
        """Forget it."""
        if self._kept.get((witness.tenant_id, witness.id)) != witness:
            raise PreconditionFailed
        del self._kept[witness.tenant_id, witness.id]
        self._entered(event)

    def every(self) -> Iterator[ChosenWitness]:
        """All of them."""
        return iter(list(self._kept.values()))

    def offered(self, witness: ChosenWitness) -> Mapping[str, Offered]:
        """How it stands with each log."""
        return dict(self._offered.get((witness.tenant_id, witness.id), {}))

    def note(self, witness: ChosenWitness, log_id: str, offered: Offered, event: Event | None = None) -> None:
        """Note it."""
        self._offered.setdefault((witness.tenant_id, witness.id), {})[log_id] = offered
        if event is not None:
            self._entered(event)
        self.after_write("note")

    def _entered(self, event: Event) -> None:
        self.events.append(event)
        entered((event,))
