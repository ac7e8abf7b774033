"""Certificates in memory; they may die after each write."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from threading import Lock

from platforma.certificates.model import Certificate
from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Event, entered


class MemoryCertificates:
    """`Certificates`. *events* are those that came with changes."""

    def __init__(self, after_write: Callable[[], None] = lambda: None) -> None:
        self.after_write = after_write
        self.events: list[Event] = []
        self._kept: dict[str, Certificate] = {}
        self._lock = Lock()

    def add(self, certificate: Certificate, event: Event) -> None:
        """Keep a new one and its event."""
        with self._lock:
            if certificate.id in self._kept:
                raise Conflict("The certificate's id is taken.")
            self._kept[certificate.id] = certificate
            self._record(event)

    def get(self, certificate_id: str) -> Certificate | None:
        """The one of this id."""
        return self._kept.get(certificate_id)

    def listed(self, *, after: str | None, limit: int) -> Sequence[Certificate]:
        """Newest first."""
        found = [one for one in self._kept.values() if after is None or one.id < after]
        return sorted(found, key=lambda one: one.id, reverse=True)[:limit]

    def all(self) -> Iterator[Certificate]:
        """Every one."""
        return iter(list(self._kept.values()))

    def replace(self, certificate: Certificate, *events: Event) -> Certificate:
        """Where its version still stands."""
        with self._lock:
            if self._kept[certificate.id].version != certificate.version:
                raise PreconditionFailed
            self._kept[certificate.id] = after = replace(certificate, version=certificate.version + 1)
            self._record(*events)
        self.after_write()
        return after

    def _record(self, *events: Event) -> None:
        self.events += events
        entered(events)
