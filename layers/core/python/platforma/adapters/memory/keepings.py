"""How long tenants keep their logs, in memory."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Lock

from platforma.audit.keeping import Keeping
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Event, entered


class MemoryKeepings:
    """`Keepings`."""

    def __init__(self) -> None:
        self._kept: dict[str, Keeping] = {}
        self._lock = Lock()

    def get(self, tenant_id: str) -> Keeping | None:
        """What the tenant decided."""
        return self._kept.get(tenant_id)

    def put(self, before: Keeping, after: Keeping, event: Event) -> None:
        """Put *after* in the place of *before*."""
        with self._lock:
            found = self._kept.get(after.tenant_id)
            if (found.version if found else 0) != before.version:
                raise PreconditionFailed
            self._kept[after.tenant_id] = after
        entered((event,))

    def open(self) -> Iterator[Keeping]:
        """Those that are still to be applied."""
        return iter([one for one in self._kept.values() if one.place is not None])

    def advance(self, keeping: Keeping, place: str | None) -> bool:
        """Note how far it is."""
        with self._lock:
            found = self._kept.get(keeping.tenant_id)
            if found is None or (found.version, found.place) != (keeping.version, keeping.place):
                return False
            self._kept[keeping.tenant_id] = replace(found, place=place)
        return True
