"""Exports in memory; they may die after each write."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from platforma.audit.exports.model import Export, File
from platforma.kernel.errors import Conflict
from platforma.kernel.events import Event, entered


class MemoryExports:
    """`Exports`. *events* are those that came with new ones."""

    def __init__(self, after_write: Callable[[str], None] = lambda _what: None) -> None:
        self.after_write = after_write
        self.events: list[Event] = []
        self._kept: dict[tuple[str, str], Export] = {}
        self._files: dict[tuple[str, str], dict[int, Sequence[File]]] = {}

    def add(self, export: Export, event: Event) -> None:
        """Keep it."""
        if (export.tenant_id, export.id) in self._kept:
            raise Conflict("The export's id is taken.")
        self._kept[export.tenant_id, export.id] = export
        self.events.append(event)
        entered((event,))

    def get(self, tenant_id: str, export_id: str) -> Export | None:
        """The export of this id."""
        return self._kept.get((tenant_id, export_id))

    def listed(self, tenant_id: str, *, after: str | None, limit: int) -> Sequence[Export]:
        """Newest first."""
        found = [one for (whose, name), one in self._kept.items() if whose == tenant_id and (after is None or name < after)]
        return sorted(found, key=lambda one: one.id, reverse=True)[:limit]

    def open(self) -> Iterator[Export]:
        """Those that are not settled."""
        return iter([one for one in self._kept.values() if one.status not in ("done", "failed")])

    def replace(self, export: Export, files: Sequence[File] = ()) -> Export | None:
        """Where its version is still this one."""
        current = self._kept[export.tenant_id, export.id]
        if current.version != export.version:
            return None
        self._kept[export.tenant_id, export.id] = after = replace(export, version=export.version + 1)
        if files:
            self._files.setdefault((export.tenant_id, export.id), {})[export.parts] = tuple(files)
        self.after_write("replace")
        return after

    def files(self, export: Export, *, after: int = 0, limit: int | None = None) -> Iterator[File]:
        """The files of its parts."""
        parts = self._files.get((export.tenant_id, export.id), {})
        last = export.parts if limit is None else after + limit
        return iter([file for number in sorted(parts) if after < number <= last for file in parts[number]])


class MemoryFiles:
    """`Files`."""

    def __init__(self, after_write: Callable[[str], None] = lambda _what: None) -> None:
        self.after_write = after_write
        self.bodies: dict[str, bytes] = {}

    def put(self, name: str, file: Path, media_type: str) -> None:
        """Keep the file's bytes."""
        assert media_type
        self.bodies[name] = file.read_bytes()
        self.after_write("file")

    def fetch(self, name: str, file: Path) -> bool:
        """Copy it."""
        if name in self.bodies:
            file.write_bytes(self.bodies[name])
        return name in self.bodies

    def remove(self, names: Iterable[str]) -> None:
        """Forget them, one by one."""
        for name in names:
            self.bodies.pop(name, None)
            self.after_write("remove")

    def link(self, name: str, valid: timedelta) -> str:
        """A URL that says how long it is good."""
        return f"https://files.test/{name}?valid={int(valid.total_seconds())}"
