"""
The values of this area.

A log is named by its id: the tenant's for its first, `{tenant_id}.2` for the next. An event's *position* is its place in the
order that readers see, `{timestamp}#{id}`; its *sequence* is its index in the log, which is the order of entering.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from platforma.kernel.events import Event
from platforma.kernel.tenancy import PLATFORM

MAX_ENTRY = 32 * 1024
"""Bytes of one entry, its LF left out."""

HEARTBEAT_ACTION = "audit.heartbeat"
LOG_ADDED_ACTION = "audit.logs.add"
HOT_DAYS = 90
CLAIM_DAYS = 14


def tenant_of(log_id: str) -> str:
    """Whose log it is."""
    return log_id.partition(".")[0]


def number_of(log_id: str) -> int:
    """Which of its tenant's logs it is; the first is 1."""
    return int(log_id.partition(".")[2] or 1)


def numbered(tenant_id: str, number: int) -> str:
    """The id of the tenant's log of this number."""
    return tenant_id if number == 1 else f"{tenant_id}.{number}"


STRANGERS = f"{PLATFORM}.2"
"""The log of requests of nobody known: whoever floods it leaves the one of the platform's administrators readable."""


def log_of(event: Event, logs: int = 1) -> str:
    """
    The log that *event* is to enter, where its tenant's events are spread over this many *logs*.

    An instance that still knows of fewer logs does no harm: each log is whole in itself. The platform always has its two.
    """
    if event.action in (HEARTBEAT_ACTION, LOG_ADDED_ACTION) and event.resource is not None:
        return event.resource
    if event.tenant_id == PLATFORM:
        return STRANGERS if event.principal_type == "anonymous" else PLATFORM
    drawn = int.from_bytes(hashlib.sha256(event.id.encode()).digest()[:8])
    return numbered(event.tenant_id, drawn % logs + 1)


def claim_of(event: Event) -> str:
    """What *event* may use only once: its id, or for another service's event the id that the service gave it."""
    if event.source != "external":
        return event.id
    said = f"{event.principal_id}\0{event.client_request_id}"
    return f"external-{hashlib.sha256(said.encode()).hexdigest()}"


def position_of(timestamp: str, event_id: str) -> str:
    """Where readers find the event: by time, then by id."""
    return f"{timestamp}#{event_id}"


@dataclass(frozen=True, slots=True)
class Row:
    """
    An event as the tables keep it: pending without, hot with its *sequence*.

    *body* is canonical JSON in the clear; *sealed* holds, under the tenant's key, the personal values and the seed from
    which everything random in the entry is derived. Of an old one that was read from Parquet, *personal* has the values.
    """

    id: str
    position: str
    received_at: str
    body: bytes
    sealed: bytes = field(repr=False)
    sequence: int | None = None
    personal: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Intent:
    """
    What a relay is about to enter, committed before it writes, so that another relay after it writes the same bytes.

    *persons* are the names of the keys that each event's personal values are sealed under; *root* and *frontier* are the
    tree's with these entries in it.
    """

    id: str
    first: int
    positions: tuple[str, ...]
    persons: tuple[tuple[tuple[str, str], ...], ...]
    root: bytes
    frontier: tuple[bytes, ...]
    newest: str
    retain_until: datetime

    @property
    def count(self) -> int:
        """How many events."""
        return len(self.positions)

    @property
    def size(self) -> int:
        """Entries in the log once these are in it."""
        return self.first + len(self.positions)


@dataclass(frozen=True, slots=True)
class Head:
    """
    A log's state. *fence* counts the leases given, *rung* the bells that found the log leased.

    *newest* is the latest `received_at` of all entries; *checkpoint_size* the size of the newest checkpoint, *checkpoint_at*
    when it was made. *counted_size* and *counted_newest* are what size and newest were when its rate was last measured.
    *sign_ins_since* is when the first lease was taken by a relay that puts failed sign-ins under a path of their own.
    """

    log_id: str
    origin: str
    size: int = 0
    frontier: tuple[bytes, ...] = ()
    newest: str = ""
    fence: int = 0
    rung: int = 0
    checkpoint_size: int = 0
    checkpoint_at: datetime | None = None
    counted_size: int = 0
    counted_newest: str = ""
    sign_ins_since: datetime | None = None
    intent: Intent | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in order of position, and whether there are more beyond."""

    rows: tuple[Row, ...]
    more: bool
