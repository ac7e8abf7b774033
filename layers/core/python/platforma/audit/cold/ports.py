"""What the cold index needs of the outside. Every method may raise `Unavailable`; reads are consistent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from platforma.audit.cold.statement import Statement


@dataclass(frozen=True, slots=True)
class Mark:
    """
    How far a log is compacted: *entries* of it are; those up to *until* are being so, until the two are equal again.

    *first_day* is the oldest that anything was written for, empty where nothing was.
    """

    log_id: str
    entries: int = 0
    until: int = 0
    first_day: str = ""

    @property
    def is_open(self) -> bool:
        """Whether a range is begun and not known to be written."""
        return self.until > self.entries


class Marks(Protocol):
    """How far logs are compacted."""

    def of(self, tenant_id: str) -> Mapping[str, Mark]:
        """The marks of the tenant's logs, by log."""

    def replace(self, before: Mark, after: Mark) -> bool:
        """Put *after* in the place of *before*; False if that is not what stands there (any more)."""


class Files(Protocol):
    """Where the Parquet lies; each file has a tag that changes with every writing."""

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        """Names that begin with *prefix* and sort after *after*, in order."""

    def tag(self, name: str) -> str | None:
        """The file's tag; None if there is none of this name."""

    def fetch(self, name: str, file: Path) -> str | None:
        """Copy it to *file*; its tag, or None if there is none of this name."""

    def put(self, name: str, file: Path, *, instead_of: str | None) -> bool:
        """Store *file* in the place of the one with this tag (None: of nothing); False, nothing stored, if that changed."""

    def remove(self, prefix: str) -> int:
        """Delete all whose names begin so; how many."""


class Columns(Protocol):
    """Parquet, written and read; a row is a mapping of `statement.COLUMNS`."""

    def write(self, lines: Path, parquet: Path) -> None:
        """Write the rows in *lines* (JSONL) as *parquet*, in order of place."""

    def mentions(self, parquet: Path, person: str) -> bool:
        """Whether any row may hold personal values of *person*."""

    def rows(self, parquet: Path) -> Iterator[dict[str, Any]]:
        """All of its rows."""


class Table(Protocol):
    """The Parquet of all tenants, as what is asked."""

    def ask(self, statement: Statement) -> Sequence[Sequence[Any]] | None:
        """The rows that answer, each as `statement.ANSWER` names its columns; None if that takes too long."""
