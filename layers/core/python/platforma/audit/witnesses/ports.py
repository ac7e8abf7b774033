"""What witnesses need of the outside. Every method may raise `Unavailable`; reads are consistent."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from platforma.audit.witnesses.model import ChosenWitness, Offered
from platforma.kernel.events import Event


class Witnesses(Protocol):
    """Witnesses that were chosen, and how it stands with each."""

    def add(self, witness: ChosenWitness, event: Event) -> None:
        """Keep a new one with its event, or neither."""

    def get(self, tenant_id: str, witness_id: str) -> ChosenWitness | None:
        """The one of this id."""

    def listed(self, tenant_id: str, *, after: str | None, limit: int) -> Sequence[ChosenWitness]:
        """The tenant's, oldest first."""

    def remove(self, witness: ChosenWitness, event: Event) -> None:
        """
        Let it be gone, with its event.

        Raises:
            PreconditionFailed: another version stands, or it is gone.
        """

    def every(self) -> Iterator[ChosenWitness]:
        """Every tenant's."""

    def offered(self, witness: ChosenWitness) -> Mapping[str, Offered]:
        """How it stands with each log that it was ever offered, by the log's id."""

    def note(self, witness: ChosenWitness, log_id: str, offered: Offered, event: Event | None = None) -> None:
        """Note how it stands now, with *event* if there is one. Whoever notes later is right."""


class Answered(NamedTuple):
    """What a witness answered; nothing of it is verified."""

    status: int
    body: bytes


class Ask(Protocol):
    """What calls a witness."""

    def __call__(self, url: str, body: bytes) -> Answered:
        """
        Send it this request, and hear what it says.

        Raises:
            Unanswered: there is no answer, or none in size and time; *cause* says why.
        """
