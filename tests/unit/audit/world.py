"""A whole audit log in memory, with a clock that stands still until it is told, and a way to die after any write."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from platforma.adapters.columns import ColdColumns
from platforma.adapters.memory.audit import MemoryBucket, MemoryLogStore, MemoryOutbox, MemoryPersonKeys, MemorySigner
from platforma.adapters.memory.cold import DuckDBTable, FolderFiles, MemoryMarks
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.audit import segment
from platforma.audit.attend import Attendant
from platforma.audit.cold import Cold, Compactor
from platforma.audit.erase import Place, destroy_key, rewrite_index
from platforma.audit.note import keys_of
from platforma.audit.person_keys import PersonKeys
from platforma.audit.relay import Relay, relay
from platforma.audit.tree import extended, leaf_hash, root_of
from platforma.kernel.events import Attempt, Event
from platforma.kernel.ids import from_bytes
from platforma.keys.envelope import Envelope

TENANT = from_bytes("ten", bytes.fromhex("01932f0a00007000800000000000aaaa"))
OTHER = from_bytes("ten", bytes.fromhex("01932f0a00007000800000000000bbbb"))
ORIGIN = f"audit.example/audit/{TENANT}"


class Killed(BaseException):
    """The process is gone: nothing of it runs any more, no handler either."""


def event_id(number: int) -> str:
    return from_bytes("evt", bytes.fromhex("01932f0a0000700080000000") + number.to_bytes(4, "big"))


def user_id(number: int) -> str:
    return from_bytes("usr", bytes.fromhex("01932f0a0000700080000000") + number.to_bytes(4, "big"))


class World:
    def __init__(self, *, batch: int = 3) -> None:
        self.now = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
        self.batch = batch
        self.envelope = Envelope(MemoryDataKeys(TENANT, OTHER), self.clock)
        self.store = MemoryLogStore()
        self.bucket = MemoryBucket(self.clock)
        self.person_keys = MemoryPersonKeys()
        self.signer = MemorySigner()
        self.marks = MemoryMarks()
        self.outbox = MemoryOutbox(self.store, self.envelope)
        self.recorded: dict[str, Event] = {}
        self.writes: list[str] = []
        self.dies_after: int | None = None
        for part in (self.store, self.bucket, self.person_keys):
            part.after_write = self._written

    def clock(self) -> datetime:
        return self.now

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    def _written(self, what: str) -> None:
        self.writes.append(what)
        if self.dies_after is not None:
            self.dies_after -= 1
            if self.dies_after < 0:
                raise Killed

    def event(self, number: int, **said) -> Event:
        attempt = Attempt(
            request_id=f"req-{number}",
            action=said.pop("action", "settings.users.update"),
            clock=self.clock,
            ip_address=said.pop("ip_address", f"192.0.2.{number % 250}"),
            user_agent=said.pop("user_agent", "agent/1"),
            tenant_id=said.pop("tenant_id", TENANT),
            principal_type="user",
            principal_id=user_id(number % 3),
            user_id=said.pop("user_id", user_id(number % 3)),
            id=event_id(number),
        )
        return attempt.event(said.pop("result", "success"), **said)

    def record(self, number: int, **said) -> Event:
        event = self.event(number, **said)
        self.outbox.enter(event)
        self.recorded[event.id] = event
        return event

    def record_with(self, store, number: int, **said) -> Event:
        event = self.event(number, **said)
        MemoryOutbox(store, self.envelope).enter(event)
        self.recorded[event.id] = event
        return event

    def relay_with(self, **more) -> Relay:
        persons = PersonKeys(self.person_keys, self.envelope, self.clock)
        return Relay(
            self.store, self.bucket, self.envelope, persons, self.clock, batch=self.batch, budget=timedelta(hours=1), **more
        )

    def attendant(self, by: Relay | None = None) -> Attendant:
        return Attendant(by or self.relay_with(), self.signer, self.outbox, "audit.example")

    def compactor(self, root: Path, **more) -> Compactor:
        """What compacts into *root*; marks are the world's."""
        persons = PersonKeys(self.person_keys, self.envelope, self.clock)
        files, columns = FolderFiles(root), ColdColumns()
        return Compactor(self.store, self.bucket, persons, self.marks, files, columns, self.clock, **more)

    def cold(self, root: Path) -> Cold:
        return Cold(self.marks, DuckDBTable(root), self.clock)

    def key(self, log_id: str = TENANT) -> str:
        return str(keys_of(f"audit.example/audit/{log_id}", self.signer)[0])

    def export(self, folder: Path) -> Path:
        """The bucket as files."""
        for key, kept in self.bucket.objects.items():
            file = folder / key
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(kept.body)
        return folder

    def relay(self, log_id: str = TENANT):
        return relay(log_id, origin=f"audit.example/audit/{log_id}", by=self.relay_with())

    def erase(self, person: str) -> int:
        """Erase a person from the log; how many rows of the index told of them."""
        destroy_key(TENANT, person, host="audit.example", by=self.relay_with())
        until = self.now + timedelta(seconds=1)
        count, place = rewrite_index(TENANT, person, by=self.relay_with(), place=Place(), until=until)
        assert place is None
        return count

    def relay_that_dies(self, after: int) -> bool:
        """Run a relay whose process is killed once it made *after* more writes; whether it came to that."""
        self.dies_after = after
        try:
            self.relay()
        except Killed:
            return True
        finally:
            self.dies_after = None
        return False

    def lines(self, log_id: str = TENANT) -> list[bytes]:
        """The log as it lies in the bucket; names must follow one upon the other."""
        lines: list[bytes] = []
        for key in self.bucket.names(segment.folder(log_id)):
            name = segment.parse_name(key)
            assert name is not None
            assert name.first == len(lines), f"gap or overlap at {key}"
            held = segment.unpack(self.bucket.objects[key].body)
            assert len(held) == name.entries
            lines += held
        return lines

    def check(self, log_id: str = TENANT) -> None:
        """No gap, no double, no orphan: bucket, index and state tell of the same events, each of them once."""
        entries = [json.loads(line) for line in self.lines(log_id)]
        ids = [entry["id"] for entry in entries]
        assert len(ids) == len(set(ids)), "an event is in the log twice"
        assert set(ids) == {event.id for event in self.recorded.values() if event.tenant_id == log_id}
        assert [entry["sequence"] for entry in entries] == list(range(len(entries)))
        head = self.store.head(log_id)
        assert head is not None
        assert head.intent is None
        assert head.size == len(entries)
        assert root_of(head.frontier) == root_of(extended((), 0, map(leaf_hash, self.lines(log_id))))
        assert not self.store.pending(log_id, limit=1).rows
        hot = {path: rows for (log, path), rows in self.store._hot.items() if log == log_id}
        for path, rows in hot.items():
            for row in rows.values():
                assert row.sequence is not None
                assert entries[row.sequence]["id"] == row.id, f"{path} tells another place"
        assert {row.id for rows in hot.values() for row in rows.values()} == set(ids)

    def fingerprint(self, log_id: str = TENANT) -> str:
        return hashlib.sha256(b"\n".join(self.lines(log_id))).hexdigest()


def same_but(event: Event, **changes) -> Event:
    return replace(event, **changes)
