"""
The audit log's ports in memory: the same conditions, and an outbox that keeps one promise less (no transaction of others').

*after_write* is called after each single write, the batches' parts included, with a word for it: a test that raises there
kills whoever was writing between any two writes. All of them stand in one module, since they are one imitation.
"""

import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import RLock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platforma.audit.errors import AlreadyEntered, AnotherEvent, WrittenBefore
from platforma.audit.index import paths_of
from platforma.audit.model import Head, Intent, Page, Row, claim_of, log_of, number_of, numbered, tenant_of
from platforma.audit.ports import Path, Span
from platforma.audit.sealing import seal_event
from platforma.kernel.clock import Clock, system_clock
from platforma.kernel.events import Event, entered
from platforma.keys.envelope import Envelope

Written = Callable[[str], None]


def _ignore(_what: str) -> None:
    pass


@dataclass(slots=True)
class _Log:
    head: Head
    owner: str | None = None
    until: datetime | None = None


class MemoryLogStore:
    """`LogStore`."""

    def __init__(self) -> None:
        self.after_write: Written = _ignore
        self.aside: dict[str, list[Row]] = {}
        self._lock = RLock()
        self._known: dict[str, None] = {}
        self._spread: dict[str, int] = {}
        self._ended: set[str] = set()
        self._claims: dict[tuple[str, str], tuple[str, Event]] = {}
        self._logs: dict[str, _Log] = {}
        self._pending: dict[str, dict[str, Row]] = {}
        self._hot: dict[tuple[str, Path], dict[str, Row]] = {}

    def record(self, event: Event, row: Row, logs: int | None = None) -> None:
        """
        Claim the event's id and let it wait, both or neither; *logs* is over how many its writer believes to spread events.

        Raises:
            AlreadyEntered, AnotherEvent: the id is taken, by this event or by another.
        """
        with self._lock:
            if taken := self._claims.get((event.tenant_id, claim_of(event))):
                same = replace(taken[1], received_at="") == replace(event, received_at="")
                raise AlreadyEntered if same else AnotherEvent
            log_id = log_of(event, self.spread(event.tenant_id) if logs is None else logs)
            self._known.setdefault(log_id)
            self._claims[event.tenant_id, claim_of(event)] = (row.position, event)
            self._pending.setdefault(log_id, {})[row.position] = row
        self.after_write("record")

    def add_log(self, head: Head, count: int, event: Event, row: Row) -> bool:
        """The count and the log's first event, if nobody took the first log's lease since."""
        with self._lock:
            tenant_id = tenant_of(head.log_id)
            if self._logs[head.log_id].head.fence != head.fence or self.spread(tenant_id) != count - 1:
                return False
            self._spread[tenant_id] = count
            self._known.setdefault(numbered(tenant_id, count))
            self._count_from(head)
            self._claims[tenant_id, claim_of(event)] = (row.position, event)
            self._pending.setdefault(numbered(tenant_id, count), {})[row.position] = row
        self.after_write("add_log")
        return True

    def spread(self, tenant_id: str) -> int:
        """Over how many logs its events are spread."""
        return self._spread.get(tenant_id, 1)

    def counted(self, head: Head) -> None:
        """Note from where on the rate is measured."""
        with self._lock:
            if self._logs[head.log_id].head.fence == head.fence:
                self._count_from(head)
        self.after_write("counted")

    def _count_from(self, head: Head) -> None:
        log = self._logs[head.log_id]
        log.head = replace(log.head, counted_size=head.size, counted_newest=head.newest)

    def put_back(self, log_id: str, row: Row) -> None:
        """Let a row wait (again), as a restored backup might."""
        self._pending.setdefault(log_id, {})[row.position] = row

    def logs(self) -> Iterator[str]:
        """Logs that events were recorded for."""
        return iter([log_id for log_id in self._known if log_id not in self._ended])

    def ended(self) -> Iterator[str]:
        """Logs that are marked so."""
        return iter(sorted(self._ended))

    def end(self, log_id: str) -> None:
        """Mark the log as ended."""
        self._ended.add(log_id)

    def logs_of(self, tenant_id: str) -> list[str]:
        """The tenant's logs."""
        return sorted({tenant_id, *(log_id for log_id in self._known if tenant_of(log_id) == tenant_id)}, key=number_of)

    def head(self, log_id: str) -> Head | None:
        """The log's state."""
        log = self._logs.get(log_id)
        return log.head if log else None

    def lease(self, log_id: str, *, origin: str, owner: str, now: datetime, until: datetime) -> Head | None:
        """Take the lease, or ring."""
        with self._lock:
            log = self._logs.setdefault(log_id, _Log(Head(log_id, origin)))
            if log.owner not in (None, owner) and log.until is not None and log.until > now:
                log.head = replace(log.head, rung=log.head.rung + 1)
                found = None
            else:
                log.owner, log.until = owner, until
                since = log.head.sign_ins_since or now
                log.head = found = replace(log.head, fence=log.head.fence + 1, sign_ins_since=since)
        self.after_write("lease")
        return found

    def commit(self, head: Head, intent: Intent) -> Head | None:
        """Store the intent if the lease holds."""
        with self._lock:
            log = self._logs[head.log_id]
            if log.head.fence != head.fence or log.head.intent is not None:
                return None
            log.head = replace(log.head, intent=intent)
        self.after_write("commit")
        return replace(head, intent=intent)

    def close(self, log_id: str, intent: Intent) -> bool:
        """End the intent if it is the open one."""
        with self._lock:
            log = self._logs[log_id]
            if log.head.intent is None or log.head.intent.id != intent.id:
                return False
            log.head = replace(log.head, size=intent.size, frontier=intent.frontier, newest=intent.newest, intent=None)
        self.after_write("close")
        return True

    def release(self, head: Head, owner: str, *, heed_bells: bool = True) -> bool:
        """Give the lease back unless somebody rang."""
        with self._lock:
            log = self._logs[head.log_id]
            if log.owner != owner:
                return True
            if heed_bells and log.head.rung != head.rung:
                return False
            log.owner = log.until = None
        self.after_write("release")
        return True

    def checkpointed(self, log_id: str, size: int, at: datetime) -> None:
        """Note a checkpoint."""
        with self._lock:
            log = self._logs[log_id]
            if log.head.checkpoint_size < size:
                log.head = replace(log.head, checkpoint_size=size, checkpoint_at=at)
        self.after_write("checkpointed")

    def pending(self, log_id: str, span: Span | None = None, *, ascending: bool = True, limit: int) -> Page:
        """Events that wait."""
        return _page(self._pending.get(log_id, {}), span, ascending, limit)

    def waiting(self, log_id: str, positions: Sequence[str]) -> dict[str, Row]:
        """Those that wait."""
        rows = self._pending.get(log_id, {})
        return {position: rows[position] for position in positions if position in rows}

    def entered(self, log_id: str, positions: Sequence[str]) -> dict[str, Row]:
        """Those in the index."""
        rows = self._hot.get((log_id, Path()), {})
        return {position: rows[position] for position in positions if position in rows}

    def index(self, log_id: str, rows: Sequence[Row]) -> None:
        """Put them under their paths, the last path first, to spite those who rely on an order."""
        for row in reversed(rows):
            for path in reversed(paths_of(row)):
                self._hot.setdefault((log_id, path), {})[row.position] = row
                self.after_write("index")

    def drop(self, log_id: str, positions: Sequence[str]) -> None:
        """Let them go."""
        for position in reversed(positions):
            if self._pending.get(log_id, {}).pop(position, None):
                self.after_write("drop")

    def set_aside(self, log_id: str, row: Row) -> None:
        """Move a row out of the way."""
        with self._lock:
            if self._pending[log_id].pop(row.position, None):
                self.aside.setdefault(log_id, []).append(row)
        self.after_write("set_aside")

    def hot(self, log_id: str, path: Path, span: Span, *, ascending: bool, limit: int) -> Page:
        """Events of the index."""
        return _page(self._hot.get((log_id, path), {}), span, ascending, limit)

    def forget_index(self) -> None:
        """What the table's TTL does in 90 days."""
        self._hot.clear()

    def claimed(self, log_id: str, event_id: str) -> str | None:
        """Where the event is."""
        claim = self._claims.get((log_id, event_id))
        return claim[0] if claim else None


def _page(rows: Mapping[str, Row], span: Span | None, ascending: bool, limit: int) -> Page:
    order = sorted(rows)
    low, high = (bisect.bisect_left(order, span.low), bisect.bisect_right(order, span.high)) if span else (0, len(order))
    within = order[low:high] if ascending else order[low:high][::-1]
    return Page(tuple(rows[position] for position in within[:limit] if position in rows), more=len(within) > limit)


class MemoryOutbox:
    """Records events in a `MemoryLogStore`; *logs* is over how many it believes to spread them, None where it knows."""

    def __init__(self, store: MemoryLogStore, envelope: Envelope, logs: int | None = None) -> None:
        self._store = store
        self._envelope = envelope
        self._logs = logs

    def enter(self, event: Event) -> None:
        """Record an event; the same again is as good as once."""
        with suppress(AlreadyEntered):
            self._store.record(event, seal_event(event, self._envelope), self._logs)
        entered((event,))

    def add_log(self, head: Head, count: int, event: Event) -> bool:
        """Spread events over one log more."""
        return self._store.add_log(head, count, event, seal_event(event, self._envelope))


@dataclass(slots=True)
class MemoryObject:
    """An object and until when it cannot go."""

    body: bytes = field(repr=False)
    retain_until: datetime
    written_at: datetime
    legal_hold: bool = False


class MemoryBucket:
    """`Bucket`, in COMPLIANCE mode: nothing is written over, and nothing deleted before its time, by anybody."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self.after_write: Written = _ignore
        self.objects: dict[str, MemoryObject] = {}
        self._clock = clock
        self._lock = RLock()

    def put(self, key: str, body: bytes, *, retain_until: datetime, legal_hold: bool = False) -> None:
        """Store and lock."""
        with self._lock:
            if key in self.objects:
                raise WrittenBefore(key=key)
            if retain_until <= self._clock():
                raise ValueError("The retain until date must be in the future.")
            self.objects[key] = MemoryObject(bytes(body), retain_until, self._clock(), legal_hold)
        self.after_write("put")

    def get(self, key: str) -> bytes | None:
        """The object's bytes."""
        found = self.objects.get(key)
        return found.body if found else None

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        """Names in order."""
        return iter(sorted(key for key in self.objects if key.startswith(prefix) and key > after))

    def written(self, prefix: str, after: str = "") -> Iterator[tuple[str, datetime]]:
        """Names in order, and times."""
        return ((key, self.objects[key].written_at) for key in self.names(prefix, after))

    def lock(self, key: str, *, retain_until: datetime, legal_hold: bool) -> None:
        """Lock for longer."""
        found = self.objects[key]
        found.retain_until, found.legal_hold = max(found.retain_until, retain_until), legal_hold


class MemoryPersonKeys:
    """`PersonKeyStore`."""

    def __init__(self) -> None:
        self.after_write: Written = _ignore
        self._keys: dict[tuple[str, str], bytes | None] = {}
        self._lock = RLock()

    def find(self, tenant_id: str, names: Sequence[str]) -> Mapping[str, bytes | None]:
        """The sealed keys of these names."""
        return {name: self._keys[tenant_id, name] for name in names if (tenant_id, name) in self._keys}

    def make(self, tenant_id: str, name: str, sealed: bytes) -> bytes | None:
        """Store it unless there is or was one."""
        with self._lock:
            found = self._keys.setdefault((tenant_id, name), sealed)
        self.after_write("make")
        return found

    def erase(self, tenant_id: str, name: str) -> None:
        """Destroy the key, and leave that it was."""
        self._keys[tenant_id, name] = None


class MemorySigner:
    """`CheckpointSigner` with keys made on the spot; *rotate* makes another."""

    def __init__(self) -> None:
        self._keys = [Ed25519PrivateKey.generate()]

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        self._keys.append(Ed25519PrivateKey.generate())

    def sign(self, message: bytes) -> bytes:
        """By the newest key."""
        return self._keys[-1].sign(message)

    def public_keys(self) -> Mapping[int, bytes]:
        """All of them."""
        return {version: key.public_key().public_bytes_raw() for version, key in enumerate(self._keys, 1)}
