"""Streams in memory; whoever notes progress may die after each write."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from platforma.audit.streams.model import Progress, Stream
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Event, entered


class MemoryStreams:
    """`Streams`. *events* are those that came with changes."""

    def __init__(self, after_write: Callable[[str], None] = lambda _what: None) -> None:
        self.after_write = after_write
        self.events: list[Event] = []
        self._kept: dict[tuple[str, str], Stream] = {}
        self._progress: dict[tuple[str, str], Progress] = {}

    def add(self, stream: Stream, progress: Progress, event: Event) -> None:
        """Keep it."""
        self._kept[stream.tenant_id, stream.id] = stream
        self._progress[stream.tenant_id, stream.id] = progress
        self._entered(event)

    def get(self, tenant_id: str, stream_id: str) -> Stream | None:
        """The stream of this id."""
        return self._kept.get((tenant_id, stream_id))

    def listed(self, tenant_id: str, *, after: str | None, limit: int) -> Sequence[Stream]:
        """Oldest first."""
        found = [one for (whose, name), one in self._kept.items() if whose == tenant_id and (after is None or name > after)]
        return sorted(found, key=lambda one: one.id)[:limit]

    def replace(self, before: Stream, after: Stream, event: Event) -> None:
        """Where its version is still this one."""
        self._require(before)
        self._kept[after.tenant_id, after.id] = after
        self._entered(event)

    def remove(self, stream: Stream, event: Event) -> None:
        """Forget it."""
        self._require(stream)
        del self._kept[stream.tenant_id, stream.id], self._progress[stream.tenant_id, stream.id]
        self._entered(event)

    def every(self) -> Iterator[Stream]:
        """All of them."""
        return iter(list(self._kept.values()))

    def progress(self, tenant_id: str, stream_id: str) -> Progress:
        """How far it is."""
        return self._progress.get((tenant_id, stream_id), Progress())

    def advance(self, stream: Stream, progress: Progress, event: Event | None = None) -> Progress | None:
        """Where its version is still this one."""
        current = self._progress.get((stream.tenant_id, stream.id))
        if current is None or current.version != progress.version:
            return None
        self._progress[stream.tenant_id, stream.id] = after = replace(progress, version=progress.version + 1)
        if event is not None:
            self._entered(event)
        self.after_write("advance")
        return after

    def _require(self, stream: Stream) -> None:
        current = self._kept.get((stream.tenant_id, stream.id))
        if current is None or current.version != stream.version:
            raise PreconditionFailed

    def _entered(self, event: Event) -> None:
        self.events.append(event)
        entered((event,))
