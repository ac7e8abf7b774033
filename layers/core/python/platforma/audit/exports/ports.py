"""What exports need of the outside. Every method may raise `Unavailable`."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from platforma.audit.exports.model import Export, File
from platforma.kernel.events import Event


class Exports(Protocol):
    """Exports on record."""

    def add(self, export: Export, event: Event) -> None:
        """Keep a new export and have it worked on, with its event, or neither."""

    def get(self, tenant_id: str, export_id: str) -> Export | None:
        """The export of this id."""

    def listed(self, tenant_id: str, *, after: str | None, limit: int) -> Sequence[Export]:
        """The tenant's exports, newest first, older than *after*."""

    def open(self) -> Iterator[Export]:
        """Those that are to be worked on."""

    def replace(self, export: Export, files: Sequence[File] = ()) -> Export | None:
        """
        Keep the export's new state if it is still of the version that it says; then with the next version, else None.

        *files* are those of its newest part, kept with it or not at all. One that is done or failed is open no more,
        and one that is queued again is open again.
        """

    def files(self, export: Export, *, after: int = 0, limit: int | None = None) -> Iterator[File]:
        """The files of its parts behind the *after*-th, of *limit* of them at most, in order."""


class Files(Protocol):
    """Where exports' files lie."""

    def put(self, name: str, file: Path, media_type: str) -> None:
        """Store a file; the same name again replaces it."""

    def fetch(self, name: str, file: Path) -> bool:
        """Copy what is stored to *file*; False if there is no such file."""

    def remove(self, names: Iterable[str]) -> None:
        """Delete these files, as far as they are there; nothing of them is kept."""

    def link(self, name: str, valid: timedelta) -> str:
        """A URL by which anybody may fetch the file for so long."""


class Columns(Protocol):
    """Turns lines of JSON into Parquet."""

    def write(self, lines: Path, parquet: Path) -> None:
        """Write the events in *lines* (JSONL) as *parquet*."""
