"""
Moves events from the tables into the log: events that wait become entries of a locked segment.

    1  take the log's lease, which fences off whoever had it
    2  finish an open intent, if there is one
    3  read what waits, decide the entries, commit them as an intent (conditional on the lease)
    4  write the segment, then the hot index, then let the events wait no longer, then close the intent
    5  again from 3 until nothing waits; give the lease back, or look again if somebody rang in between

The intent fixes every byte before the first is written, and any relay can do each part of step 4 again. So a relay that is
killed at any point, runs twice or wakes up late leaves the same log.
"""

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from platforma.audit import segment, tree
from platforma.audit.entry import line_of
from platforma.audit.errors import LogBroken, WrittenBefore
from platforma.audit.model import Head, Intent, Row, tenant_of
from platforma.audit.person_keys import PersonKeys
from platforma.audit.ports import Bucket, LogStore
from platforma.audit.retention import Term, not_past, retain_until
from platforma.audit.sealing import Opened, open_rows, without_persons
from platforma.kernel.clock import Clock, parse_rfc3339, system_clock
from platforma.kernel.errors import PlatformaError, Unavailable
from platforma.keys.envelope import Envelope
from platforma.keys.errors import DoesNotOpen, NoSuchKey

BATCH = 1000
BATCH_BYTES = 8 * 2**20
LEASE = timedelta(seconds=30)
"""Longer than a call's budget: once it is over, another relay may take the log from one that hangs."""


@dataclass(frozen=True, slots=True)
class Relay:
    """What relaying needs. *term* gives a tenant's retention; *budget* is how long one call may go on taking batches."""

    store: LogStore
    bucket: Bucket
    envelope: Envelope
    persons: PersonKeys
    clock: Clock = system_clock
    term: Callable[[str], Term] = lambda _tenant_id: Term()
    batch: int = BATCH
    budget: timedelta = timedelta(seconds=15)


@dataclass(slots=True)
class Relayed:
    """
    What a call did: how many events were *entered*, which ids were *set_aside* because they cannot be entered (an alarm),
    whether another relay has the log (*busy*), and which further log was *added* because this one is too busy.
    """

    log_id: str
    entered: int = 0
    set_aside: list[str] = field(default_factory=list)
    busy: bool = False
    head: Head | None = None
    added: str | None = None


def relay(log_id: str, *, origin: str, by: Relay) -> Relayed:
    """
    Enter what waits for this log; *origin* is its name if it is new.

    Raises:
        LogBroken: what is stored is not what was committed to; nothing more enters this log until that is explained.
        Unavailable: a dependency failed. Whatever was begun is finished by the next call.
    """
    owner = os.urandom(8).hex()
    done = Relayed(log_id)
    started = by.clock()
    while True:
        now = by.clock()
        head = by.store.lease(log_id, origin=origin, owner=owner, now=now, until=now + LEASE)
        if head is None:
            done.busy = True
            return done
        try:
            done.head = _emptied(head, by, done, started)
        except PlatformaError:
            with contextlib.suppress(PlatformaError):
                by.store.release(head, owner, heed_bells=False)
            raise
        if done.head is None:
            done.busy = True
            return done
        if by.store.release(done.head, owner) or by.clock() - started > by.budget:
            return done


def finish_open_intent(head: Head, by: Relay) -> Head:
    """
    Do what the open intent says, if there is one; the head without it. The caller holds the lease.

    Raises:
        LogBroken: what is stored is not what was committed to.
    """
    if head.intent is None:
        return head
    _finish(head, head.intent, by)
    return _after(head, head.intent)


def _emptied(head: Head, by: Relay, done: Relayed, started: datetime) -> Head | None:
    """The head once nothing waits any more (or time is up); None if another relay took the log."""
    if head.intent is not None:
        done.entered += head.intent.count
        head = finish_open_intent(head, by)
    while by.clock() - started <= by.budget:
        page = by.store.pending(head.log_id, limit=by.batch)
        if not page.rows:
            break
        fresh = _fresh(head.log_id, page.rows, by)
        opened = _openable(head.log_id, fresh, by, done)
        if not opened:
            continue
        intent, lines = _decided(head, opened, by, done)
        if not lines:
            continue
        committed = by.store.commit(head, intent)
        if committed is None:
            return None
        _write(committed, intent, opened, lines, by)
        done.entered += intent.count
        head = _after(committed, intent)
    return head


def _after(head: Head, intent: Intent) -> Head:
    return replace(head, size=intent.size, frontier=intent.frontier, newest=intent.newest, intent=None)


def _fresh(log_id: str, rows: Sequence[Row], by: Relay) -> list[Row]:
    """The rows that are not in the log yet, so that a copy of an event is not entered twice."""
    known = by.store.entered(log_id, [row.position for row in rows])
    if known:
        by.store.drop(log_id, list(known))
    return [row for row in rows if row.position not in known]


def _openable(log_id: str, rows: Sequence[Row], by: Relay, done: Relayed) -> list[Opened]:
    """These rows, opened. A row that does not open is set aside, so that it does not block the others."""
    try:
        return open_rows(log_id, rows, by.envelope)
    except (DoesNotOpen, LogBroken, NoSuchKey):
        opened = []
        for row in rows:
            try:
                opened += open_rows(log_id, [row], by.envelope)
            except (DoesNotOpen, LogBroken, NoSuchKey):  # the last: its tenant was shredded
                _put_aside(log_id, row, by, done)
        return opened


def _put_aside(log_id: str, row: Row, by: Relay, done: Relayed) -> None:
    by.store.set_aside(log_id, row)
    done.set_aside.append(row.id)


def _decided(head: Head, opened: list[Opened], by: Relay, done: Relayed) -> tuple[Intent, list[bytes]]:
    """The intent to enter these events, and its lines; *opened* is left with those that are in it."""
    persons = {person: one.row.received_at for one in opened for person in one.values}
    keys = by.persons.for_entering(tenant_of(head.log_id), persons.items())
    taken: list[Opened] = []
    lines: list[bytes] = []
    room = BATCH_BYTES
    for one in opened:
        try:
            line = line_of(one.body, one.values, one.seed, sequence=head.size + len(lines), keys=keys)
        except LogBroken:  # it has no canonical form: no relay will ever enter it
            _put_aside(head.log_id, one.row, by, done)
            continue
        room -= len(line)
        if lines and room < 0:
            break
        taken.append(one)
        lines.append(line)
    opened[:] = taken
    newest = max((one.row.received_at for one in taken), default=head.newest)
    frontier = tree.extended(head.frontier, head.size, map(tree.leaf_hash, lines))
    intent = Intent(
        id=os.urandom(16).hex(),
        first=head.size,
        positions=tuple(one.row.position for one in taken),
        persons=tuple(tuple((person, keys[person].name) for person in one.values) for one in taken),
        root=tree.root_of(frontier),
        frontier=frontier,
        newest=max(head.newest, newest),
        retain_until=retain_until(parse_rfc3339(newest), by.term(tenant_of(head.log_id)).years),
    )
    return intent, lines


def _finish(head: Head, intent: Intent, by: Relay) -> None:
    """Do what an open intent says, as far as it was not done."""
    waiting = by.store.waiting(head.log_id, intent.positions)
    if len(waiting) == intent.count:
        opened = open_rows(head.log_id, [waiting[position] for position in intent.positions], by.envelope)
        lines = _settled(head, intent, opened, by)
        _write(head, intent, opened, lines, by)
        return
    # Events are let go only after the segment and all of the index are written.
    name = segment.SegmentName(head.log_id, intent.first, intent.count)
    body = by.bucket.get(str(name))
    if body is None:
        raise LogBroken("Events of an open intent are gone, and were not entered.", log_id=head.log_id, intent=intent.id)
    _checked(head, intent, segment.unpack(body, str(name)))
    by.store.drop(head.log_id, list(waiting))
    by.store.close(head.log_id, intent)


def _settled(head: Head, intent: Intent, opened: list[Opened], by: Relay) -> list[bytes]:
    """The lines that the intent was made of."""
    names = {name for persons in intent.persons for _, name in persons}
    keys = by.persons.by_name(tenant_of(head.log_id), sorted(names))
    if names - keys.keys():
        raise LogBroken("A key of an open intent is gone.", log_id=head.log_id, keys=sorted(names - keys.keys()))
    lines = [
        line_of(one.body, one.values, one.seed, sequence=at, keys={person: keys[name] for person, name in persons})
        for at, (one, persons) in enumerate(zip(opened, intent.persons, strict=True), intent.first)
    ]
    _checked(head, intent, lines)
    return lines


def _checked(head: Head, intent: Intent, lines: list[bytes]) -> None:
    frontier = tree.extended(head.frontier, head.size, map(tree.leaf_hash, lines))
    if len(lines) != intent.count or head.size != intent.first or tree.root_of(frontier) != intent.root:
        raise LogBroken("Entries are not those that an intent was made of.", log_id=head.log_id, intent=intent.id)


def _write(head: Head, intent: Intent, opened: list[Opened], lines: list[bytes], by: Relay) -> None:
    name = str(segment.SegmentName(head.log_id, intent.first, intent.count))
    term = by.term(tenant_of(head.log_id))
    longest = max(intent.retain_until, retain_until(parse_rfc3339(intent.newest), term.years))
    try:
        by.bucket.put(name, segment.pack(lines), retain_until=not_past(longest, by.clock()), legal_hold=term.legal_hold)
    except WrittenBefore:
        stored = by.bucket.get(name)
        if stored is None:
            raise Unavailable("A segment is there and is not.") from None
        if segment.unpack(stored, name) != lines:
            raise LogBroken("A segment holds other entries than were committed to.", log_id=head.log_id, key=name) from None
    by.store.index(head.log_id, [_indexed(one, at, intent, by) for at, one in enumerate(opened, intent.first)])
    by.store.drop(head.log_id, list(intent.positions))
    by.store.close(head.log_id, intent)


def _indexed(one: Opened, at: int, intent: Intent, by: Relay) -> Row:
    """The row of the hot index, without what is an erased person's: who has no key any more."""
    erased = {person for person, key in intent.persons[at - intent.first] if key != person}
    row = without_persons(one, erased, by.envelope) if erased else one.row
    return replace(row, sequence=at)
