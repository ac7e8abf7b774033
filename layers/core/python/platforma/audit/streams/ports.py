"""What streams need of the outside. Every method may raise `Unavailable`; reads are consistent."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from platforma.audit.streams.model import Message, Progress, Stream
from platforma.kernel.events import Event


class Streams(Protocol):
    """Streams, and how far each is."""

    def add(self, stream: Stream, progress: Progress, event: Event) -> None:
        """Keep a new stream with its event, or neither."""

    def get(self, tenant_id: str, stream_id: str) -> Stream | None:
        """The stream of this id."""

    def listed(self, tenant_id: str, *, after: str | None, limit: int) -> Sequence[Stream]:
        """The tenant's streams, oldest first."""

    def replace(self, before: Stream, after: Stream, event: Event) -> None:
        """
        Put *after* in the place of *before*, with its event.

        Raises:
            PreconditionFailed: another version stands, or it is gone.
        """

    def remove(self, stream: Stream, event: Event) -> None:
        """
        Let it be gone, with its event.

        Raises:
            PreconditionFailed: another version stands, or it is gone.
        """

    def every(self) -> Iterator[Stream]:
        """Every tenant's."""

    def progress(self, tenant_id: str, stream_id: str) -> Progress:
        """How far it is."""

    def advance(self, stream: Stream, progress: Progress, event: Event | None = None) -> Progress | None:
        """Note how far it is, with *event* if there is one; None, nothing noted, where another version stands."""


class Send(Protocol):
    """What calls a receiver."""

    def __call__(self, tenant_id: str, destination: Mapping[str, str], message: Message) -> None:
        """
        Hand it over: once this returns the receiver has it.

        Raises:
            Unreached: it has not, or that is not known; *cause* says why.
        """
