"""What this package needs of the outside: where keyrings and jobs are kept, and every sealed record of every table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from platforma.kernel.events import Event
from platforma.keys.encryption.progress import Job, Pass


class KeyringStore(Protocol):
    """A tenant's long-lived data keys, sealed under the tenant's key. Every method may raise `Unavailable`."""

    def find(self, tenant_id: str, name: str) -> bytes | None:
        """The sealed key of this name, read consistently."""

    def make(self, tenant_id: str, name: str, sealed: bytes) -> bytes:
        """Store *sealed* unless a key of this name is there; the one that stands then."""


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """One sealed value in a table: where it stands, and the ciphertext."""

    table: str
    pk: str
    sk: str
    path: tuple[str | int, ...]
    ciphertext: bytes = field(repr=False)


class SealedRecords(Protocol):
    """
    Every value of every table that an envelope sealed, found by its form and so whoever put it there.

    Every method may raise `Unavailable`.
    """

    tables: Sequence[str]

    def page(self, table: str, after: str | None) -> tuple[list[SealedRecord], str | None]:
        """The sealed values of the next items, read consistently, and where to go on; None at the end of the table."""

    def replace(self, record: SealedRecord, ciphertext: bytes) -> bool:
        """Put *ciphertext* where *record* was read, if exactly that still stands there; whether it did."""


class RewrapStore(Protocol):
    """Jobs and the pass that serves them. Every method may raise `Unavailable`."""

    def job(self, tenant_id: str) -> Job | None:
        """The tenant's last job."""

    def open_jobs(self) -> Sequence[Job]:
        """Jobs that are not done."""

    def put_job(self, job: Job, *, event: Event | None) -> None:
        """
        Store *job*, whose revision is one more than that of the one that stands (1: none), with *event*.

        Raises:
            Moved: another revision stands.
        """

    def current_pass(self) -> Pass | None:
        """The pass that runs, or ran last."""

    def put_pass(self, going: Pass) -> None:
        """
        Store *going*, whose revision is one more than that of the one that stands.

        Raises:
            Moved: another revision stands.
        """
