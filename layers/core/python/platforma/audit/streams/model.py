"""
A stream: where a tenant's events are pushed as they are entered, and how far that is.

What is decided (`Stream`) and how it goes (`Progress`) are kept apart: deliveries never stand in the way of a change, and a
version of the one says nothing of the other.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, get_args
from urllib.parse import urlsplit

from platforma.kernel.clock import parse_rfc3339

Format = Literal["jsonl", "ocsf"]
FORMATS: tuple[str, ...] = get_args(Format)
Status = Literal["new", "healthy", "failing", "suspended", "disabled"]
MOST = 10
"""Streams of one tenant."""
HELD = timedelta(days=7)
"""How long a receiver that is down is tried; then its stream is suspended, and goes on where it stopped once resumed."""
FORMER_SECRET = timedelta(hours=24)
"""How long messages are signed by the former secret too."""
_BACKOFF, _SLOWEST = timedelta(minutes=1), timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Stream:
    """
    What a tenant decided. *destination* is where to, by its `type`: an `https` *url*; an `s3` *bucket* of a *region*, with a
    *prefix*; an `eventbridge` *event_bus_arn*. The latter two are reached as a *role_arn* of the customer's.

    *secret* signs messages to an `https` one, and *former* too until *former_until*; both are sealed. *version* counts
    changes of what is decided.
    """

    id: str
    tenant_id: str
    name: str
    destination: Mapping[str, str]
    format: Format
    enabled: bool
    created_at: str
    created_by: str
    secret: bytes = field(repr=False)
    former: bytes | None = field(default=None, repr=False)
    former_until: str | None = None
    version: int = 1

    def told(self) -> dict[str, Any]:
        """What an event says of it; of a URL no more than whose it is, since receivers' paths and queries hold secrets."""
        told = {name: getattr(self, name) for name in ("name", "format", "enabled")}
        destination = dict(self.destination)
        if "url" in destination:
            parts = urlsplit(destination["url"])
            destination["url"] = f"{parts.scheme}://{parts.netloc}"
        return {**told, "destination": destination}


class Message(NamedTuple):
    """Events of one log in order from *first* on, each a line of *lines*; *headers* name and sign it."""

    name: str
    log_id: str
    first: int
    lines: tuple[str, ...]
    headers: Mapping[str, str]

    @property
    def body(self) -> bytes:
        """All lines."""
        return "".join(self.lines).encode()


@dataclass(frozen=True, slots=True)
class Progress:
    """
    How far a stream is: by log, the sequence of the event that is next (*places*).

    *failing_since* is when the receiver last ceased to answer, *tries* how often it was tried since, *next_try* (epoch
    seconds) when it is again; *leased_until* (epoch seconds) is how long a worker has the stream.
    """

    places: Mapping[str, int] = field(default_factory=dict)
    delivered_at: str | None = None
    failing_since: str | None = None
    tries: int = 0
    next_try: int = 0
    error: str | None = None
    suspended: bool = False
    leased_until: int = 0
    version: int = 1

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {**plain, "places": dict(self.places)}


def status_of(stream: Stream, progress: Progress) -> Status:
    """How it stands with the stream."""
    if not stream.enabled:
        return "disabled"
    if progress.suspended:
        return "suspended"
    if progress.failing_since:
        return "failing"
    return "healthy" if progress.delivered_at else "new"


def later(tries: int) -> timedelta:
    """How long to wait after so many tries in vain."""
    return min(_BACKOFF * (1 << min(tries - 1, 10)), _SLOWEST)


def too_long(progress: Progress, now: datetime) -> bool:
    """Whether the receiver has been down for as long as it is tried."""
    return progress.failing_since is not None and now - parse_rfc3339(progress.failing_since) >= HELD


def message_id(stream_id: str, log_id: str, first: int, count: int) -> str:
    """The same for the same events of the same stream: a receiver that knows it has them."""
    name = f"stream\0{stream_id}\0{log_id}\0{first}\0{count}"
    return f"msg_{hashlib.sha256(name.encode()).hexdigest()[:32]}"
