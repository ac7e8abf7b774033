"""
The cold index without AWS: marks in memory, files in a folder, and DuckDB in Athena's place, for the same statements.

DuckDB lacks one of the functions that statements use; here it is what Athena's engine means by it.
"""

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any

from platforma.audit.cold.ports import Mark
from platforma.audit.cold.statement import COLUMNS, Statement
from platforma.audit.model import tenant_of

_MEANT = "CREATE MACRO from_utf8(raw) AS decode(raw)"


@dataclass(slots=True)
class MemoryMarks:
    """`Marks`."""

    kept: dict[str, Mark] = field(default_factory=dict)

    def of(self, tenant_id: str) -> Mapping[str, Mark]:
        """The tenant's."""
        return {log_id: mark for log_id, mark in self.kept.items() if tenant_of(log_id) == tenant_id}

    def replace(self, before: Mark, after: Mark) -> bool:
        """Compare and set."""
        if self.kept.get(before.log_id, Mark(before.log_id)) != before:
            return False
        self.kept[after.log_id] = after
        return True


class FolderFiles:
    """`Files` in the folder *root*."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = RLock()

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        """In order."""
        found = (path.relative_to(self.root).as_posix() for path in self.root.rglob("*.parquet"))
        return iter(sorted(name for name in found if name.startswith(prefix) and name > after))

    def tag(self, name: str) -> str | None:
        """A hash of what it holds."""
        file = self.root / name
        return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else None

    def fetch(self, name: str, file: Path) -> str | None:
        """Copy it."""
        if (tag := self.tag(name)) is not None:
            shutil.copyfile(self.root / name, file)
        return tag

    def put(self, name: str, file: Path, *, instead_of: str | None) -> bool:
        """Compare and set."""
        with self._lock:
            if self.tag(name) != instead_of:
                return False
            place = self.root / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
            return True

    def remove(self, prefix: str) -> int:
        """Delete them."""
        names = list(self.names(prefix))
        for name in names:
            (self.root / name).unlink()
        return len(names)


class DuckDBTable:
    """`Table` over a folder of files: as Athena, it reads the partitions of the one tenant that the statement names."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.asked: list[Statement] = []

    def ask(self, statement: Statement) -> Sequence[Sequence[Any]] | None:
        """Run the statement, its parameters bound."""
        import duckdb  # noqa: PLC0415  in a layer that few functions carry

        self.asked.append(statement)
        tenant_id, first, last, *_ = statement.parameters
        days = (self._root / "events" / f"tenant={tenant_id}").glob("day=*")
        files = [str(file) for day in days if first <= day.name[4:] <= last for file in day.glob("*.parquet")]
        with duckdb.connect(":memory:", config={"memory_limit": "1GB", "threads": 1}) as database:
            database.execute(_MEANT)
            if files:
                found = database.read_parquet(files, hive_partitioning=True)
                found.project("* REPLACE (CAST(day AS VARCHAR) AS day)").create_view("events")
            else:
                nothing = ", ".join(f"NULL::{kind} AS {name}" for name, kind in COLUMNS.items())
                database.execute(f"CREATE VIEW events AS SELECT {nothing}, '' AS tenant, '' AS day LIMIT 0")
            return database.execute(statement.text, list(statement.parameters)).fetchall()
