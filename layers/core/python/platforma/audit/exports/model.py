"""
An export: what was asked for, how far it is, and where its files lie.

Its files are `{tenant}/{export}/events-{part}.{ending}`, `proofs-{part}.jsonl.gz` beside each, and `manifest.json`, which
names all others with their hashes, has the checkpoints that the proofs lead to, and is signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, get_args

Format = Literal["jsonl", "csv", "parquet", "ocsf"]
FORMATS: tuple[str, ...] = get_args(Format)
Status = Literal["queued", "running", "done", "failed"]
KEPT = timedelta(days=7)
"""How long files are there to be fetched."""
LINK = timedelta(minutes=15)
MANIFEST = "manifest.json"
_ENDINGS: dict[Format, str] = {"jsonl": "jsonl", "csv": "csv", "ocsf": "jsonl", "parquet": "parquet"}


@dataclass(frozen=True, slots=True)
class File:
    """A file of an export; *events* is 0 for what only proves."""

    name: str
    sha256: str
    size: int
    events: int = 0

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Export:
    """
    An export and its state. *version* counts its changes, *leased_until* (epoch seconds) is how long a worker has it.

    *wanted* are the sizes that the logs had once all that was asked for was in them, *sizes* those of their checkpoints
    when work began, which cover that: what came later is not in it. *after* is the position up to which *parts* are written,
    so many of them. Their files are kept apart: of a hundred million events there are ten thousand.
    """

    id: str
    tenant_id: str
    format: Format
    since: str
    until: str
    filter: Mapping[str, str]
    requested_by: str
    created_at: str
    status: Status = "queued"
    version: int = 1
    leased_until: int = 0
    wanted: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    after: str | None = None
    events: int = 0
    parts: int = 0
    reason: str | None = None

    @property
    def folder(self) -> str:
        """The beginning of its files' names."""
        return f"{self.tenant_id}/{self.id}/"

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {**plain, "filter": dict(self.filter), "wanted": dict(self.wanted), "sizes": dict(self.sizes)}


def part_names(export: Export, number: int) -> tuple[str, str]:
    """What the files of this part are called: its events, and their proofs."""
    return f"events-{number:05d}.{_ENDINGS[export.format]}", f"proofs-{number:05d}.jsonl.gz"
