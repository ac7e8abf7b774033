"""
What this area needs of the outside.

Every method may raise `Unavailable`. Reads are consistent. A method that writes several items promises no order among them
and may stop between any two: whoever calls it can call it again.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from platforma.audit.model import Head, Intent, Page, Row

PathName = Literal["time", "user", "principal", "named", "resource", "request", "subject", "failed_sign_in"]


class Path(NamedTuple):
    """One way into the hot index; *value* is empty for `time`, under which every event stands, and `failed_sign_in`."""

    name: PathName = "time"
    value: str = ""


class Span(NamedTuple):
    """Positions from *low* to *high*, both included if such there are."""

    low: str
    high: str


class LogStore(Protocol):
    """State of logs, the events that wait to enter them, and the index of those that have."""

    def logs(self) -> Iterator[str]:
        """The id of every log that an event was ever recorded for, but those that have ended."""

    def ended(self) -> Iterator[str]:
        """The id of every log that has ended."""

    def end(self, log_id: str) -> None:
        """Let the log be one that has ended: nothing can enter it any more, what is in it stays."""

    def logs_of(self, tenant_id: str) -> Sequence[str]:
        """The tenant's logs by number, its first one first, whether or not anything was recorded for that."""

    def spread(self, tenant_id: str) -> int:
        """Over how many logs the tenant's events are spread now."""

    def counted(self, head: Head) -> None:
        """Let the log's rate be measured from *head* on, unless its lease was fenced off."""

    def head(self, log_id: str) -> Head | None:
        """The log's state; None before its first lease."""

    def lease(self, log_id: str, *, origin: str, owner: str, now: datetime, until: datetime) -> Head | None:
        """
        Take the log's lease. None if another relay has it at *now*: that one will then see that more has come.

        Taking it fences off every earlier holder. *origin* stays what the first lease said.
        """

    def commit(self, head: Head, intent: Intent) -> Head | None:
        """Store *intent* as the log's open one; None, nothing stored, if *head*'s lease was fenced off or one is open."""

    def close(self, log_id: str, intent: Intent) -> bool:
        """Make the log what *intent* says and end it; False if it is not the open one (any more)."""

    def release(self, head: Head, owner: str, *, heed_bells: bool = True) -> bool:
        """
        Give the lease back. False, and the lease is kept, if more events were reported since *head* was read: look
        again.
        """

    def checkpointed(self, log_id: str, size: int, at: datetime) -> None:
        """Note the checkpoint of this size, unless a larger one is known."""

    def pending(self, log_id: str, span: Span | None = None, *, ascending: bool = True, limit: int) -> Page:
        """Events that wait, in order of position."""

    def waiting(self, log_id: str, positions: Sequence[str]) -> dict[str, Row]:
        """Those of these events that still wait, by position."""

    def entered(self, log_id: str, positions: Sequence[str]) -> dict[str, Row]:
        """Those of these events that are in the hot index, by position."""

    def index(self, log_id: str, rows: Sequence[Row]) -> None:
        """Put these rows, each with its sequence, under every path that they have."""

    def drop(self, log_id: str, positions: Sequence[str]) -> None:
        """Remove these events from those that wait."""

    def set_aside(self, log_id: str, row: Row) -> None:
        """Move a row that cannot be entered out of the way, and keep it."""

    def hot(self, log_id: str, path: Path, span: Span, *, ascending: bool, limit: int) -> Page:
        """Events of the hot index, in order of position."""

    def claimed(self, log_id: str, event_id: str) -> str | None:
        """The position of the event with this id, as long as it is known."""


class Bucket(Protocol):
    """Objects that are written once and kept."""

    def put(self, key: str, body: bytes, *, retain_until: datetime, legal_hold: bool = False) -> None:
        """
        Store an object and lock it, until then and as long as it is held.

        Raises:
            WrittenBefore: there is one of this name.
        """

    def get(self, key: str) -> bytes | None:
        """The object of this name."""

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        """Names that begin with *prefix* and sort after *after*, in order."""

    def written(self, prefix: str, after: str = "") -> Iterator[tuple[str, datetime]]:
        """As `names`, each with when it was written."""

    def lock(self, key: str, *, retain_until: datetime, legal_hold: bool) -> None:
        """Lock an object that is there for longer, unless it is locked longer already, and hold it or let it go."""


class PersonKeyStore(Protocol):
    """Sealed keys of persons; one that was erased leaves its name behind."""

    def find(self, tenant_id: str, names: Sequence[str]) -> Mapping[str, bytes | None]:
        """The sealed keys of these names; None for one that was erased, nothing for one that was never made."""

    def make(self, tenant_id: str, name: str, sealed: bytes) -> bytes | None:
        """Store *sealed* unless there is or was a key of this name; what is there now, None if it was erased."""

    def erase(self, tenant_id: str, name: str) -> None:
        """Destroy the key of this name, if there is one, and leave that it was."""


class CheckpointSigner(Protocol):
    """The Ed25519 key that signs checkpoints, and the public halves of it and its predecessors."""

    def sign(self, message: bytes) -> bytes:
        """The signature by the newest key, 64 bytes."""

    def public_keys(self) -> Mapping[int, bytes]:
        """Raw public keys by version."""
