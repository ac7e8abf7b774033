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


@dataclass(frozen=True, slots=True)
class File:
    """A file of an export; *events* is 0 for what only proves."""

    name: str
    sha256: str
    size: int
    events: int = 0


@dataclass(frozen=True, slots=True)
class Export:
    """
    An export and its state. *version* counts its changes, *leased_until* (epoch seconds) is how long a worker has it.

    *wanted* are the sizes that the logs had once all that was asked for was in them, *sizes* those of their checkpoints
    when work began, which cover that: what came later is not in it. *after* is the position up to which parts are written.
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
    files: tuple[File, ...] = ()
    reason: str | None = None

    @property
    def folder(self) -> str:
        """The beginning of its files' names."""
        return f"{self.tenant_id}/{self.id}/"

    @property
    def parts(self) -> int:
        """How many parts are written."""
        return sum(1 for file in self.files if file.name.startswith("events-"))

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        files = [{part: getattr(file, part) for part in file.__slots__} for file in self.files]
        return {**plain, "filter": dict(self.filter), "wanted": dict(self.wanted), "sizes": dict(self.sizes), "files": files}


def export_of(document: Mapping[str, Any]) -> Export:
    """The export that `as_json` wrote."""
    return Export(**{**document, "files": tuple(File(**file) for file in document["files"])})
