"""What verification reads, whom it believes, and what it reports."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from platforma.audit import note
from platforma.audit.cosignature import WitnessKey, witnessed
from platforma.audit.errors import LogBroken


class Stored(NamedTuple):
    """An object's bytes, and how it is locked where the store tells: *locks* is false for a mere copy."""

    body: bytes
    locks: bool = False
    compliance: bool = False
    until: datetime | None = None


class Source(Protocol):
    """A bucket, or a copy of one."""

    def names(self) -> Iterable[str]:
        """The names of all objects."""

    def read(self, name: str) -> Stored:
        """The first version of an object."""

    def faults(self) -> Iterable["Fault"]:
        """What is wrong with the store itself: later versions, delete markers."""


class Fault(NamedTuple):
    """What is wrong, and where."""

    where: str
    what: str


@dataclass(slots=True)
class LogReport:
    """
    What was found of one log. *covered* entries stand under a signed checkpoint, *witnessed* under one that a quorum of
    witnesses cosigned, where one was asked for. *silences* are times in which nothing entered it; an entry that was received
    at the beginning of one of *uncovered* had no checkpoint at its end.
    """

    log_id: str
    entries: int = 0
    covered: int = 0
    checkpoints: int = 0
    tiles: int = 0
    cosignatures: int = 0
    witnessed: int | None = None
    oldest: str = ""
    newest: str = ""
    silences: list[tuple[str, str]] = field(default_factory=list)
    uncovered: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """What was found of all."""

    logs: list[LogReport] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults and not any(log.faults for log in self.logs)


class Quorum(NamedTuple):
    """How many of these witnesses must have cosigned a checkpoint *within* this time of the log's newest entry."""

    witnesses: tuple[WitnessKey, ...]
    needed: int
    within: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Trusted:
    """
    Public keys: of named logs, and *raw* ones that are good for the checkpoints of any log.

    *seen* are signed checkpoints that were kept elsewhere: a log that was cut back or forked since does not agree with them.
    Each of these has to be cosigned by every one of *witnesses*. A log, as it lies in the bucket, has to be by *quorum*.
    """

    named: tuple[note.VerifierKey, ...] = ()
    raw: tuple[bytes, ...] = ()
    seen: tuple[bytes, ...] = ()
    witnesses: tuple[WitnessKey, ...] = ()
    quorum: Quorum | None = None

    def kept(self, signed: bytes) -> note.Checkpoint:
        """
        The checkpoint of one that was kept.

        Raises:
            LogBroken: it is none, or not signed by its log, or not cosigned by every witness.
        """
        checkpoint = note.verify(signed, self.for_origin(note.parse_checkpoint(note.text_of(signed)).origin))
        found = witnessed(signed, self.witnesses)
        if missing := [key.name for key in self.witnesses if key not in found]:
            raise LogBroken(f"A checkpoint is not cosigned by {', '.join(missing)}.")
        return checkpoint

    def for_origin(self, origin: str) -> list[note.VerifierKey]:
        """The keys that may sign for this log."""
        return [*(key for key in self.named if key.name == origin), *(note.VerifierKey(origin, raw) for raw in self.raw)]
