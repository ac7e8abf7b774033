"""Services in memory."""

from collections.abc import Callable
from threading import Lock

from platforma.identity.model import Page
from platforma.identity.service import Service
from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Event, entered


class MemoryServices:
    """`platforma.identity.service.Services`. *record* gets each event."""

    def __init__(self, record: Callable[[Event], None] = lambda _: None) -> None:
        self._record = record
        self._services: dict[str, Service] = {}
        self._lock = Lock()

    def get(self, name: str) -> Service | None:
        """The service of this name."""
        return self._services.get(name)

    def add(self, service: Service, event: Event) -> None:
        """Keep a new service."""
        with self._lock:
            if service.name in self._services:
                raise Conflict("The service's name is taken.")
            self._keep(service, event)

    def replace(self, before: Service, after: Service, event: Event) -> None:
        """Change a service."""
        with self._lock:
            kept = self._services.get(before.name)
            if kept is None or kept.version != before.version:
                raise PreconditionFailed
            self._keep(after, event)

    def remove(self, service: Service, event: Event) -> None:
        """Delete a service."""
        with self._lock:
            kept = self._services.get(service.name)
            if kept is None or kept.version != service.version:
                raise PreconditionFailed
            del self._services[service.name]
            self._record(event)
            entered((event,))

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> Page[Service]:
        """The tenant's services, by name."""
        mine = sorted(name for name, each in self._services.items() if each.tenant_id == tenant_id and name > (after or ""))
        names = mine[:limit]
        return Page(tuple(self._services[name] for name in names), names[-1] if len(mine) > limit else None)

    def _keep(self, service: Service, event: Event) -> None:
        self._services[service.name] = service
        self._record(event)
        entered((event,))
