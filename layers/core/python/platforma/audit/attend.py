"""
What is done for a log when the stream reports an event (it is *rung* for), and for all logs on a schedule.

A log that fails does not block the others: its error is kept, the rest is done, and the first error is raised at the end.
Then the stream reports again, and an alarm goes off.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from platforma.audit.errors import AnotherEvent
from platforma.audit.model import HEARTBEAT_ACTION, Head, numbered, tenant_of
from platforma.audit.ports import CheckpointSigner
from platforma.audit.publish import publish
from platforma.audit.relay import Relay, Relayed, relay
from platforma.audit.spreading import ADDED_ABOVE, MOST, is_measured, log_added, rate_of
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import PlatformaError, Unavailable
from platforma.kernel.events import Event
from platforma.kernel.ids import from_bytes
from platforma.keys.errors import NoSuchKey

HEARTBEAT = timedelta(minutes=10)
"""So long a log stays silent before it says that it is alive, to the nearest sweep: one comes every minute."""
_DUE = HEARTBEAT - timedelta(seconds=30)
_RUNG = timedelta(seconds=50)
"""
How old a checkpoint is when the next event has another made. A sweep has one made of any news at once: after that event
there may come no other, and the next sweep is a minute away.
"""
_CALL = timedelta(seconds=45)
_T = TypeVar("_T")


class Entering(Protocol):
    """The outbox, for events that belong to no change."""

    def enter(self, event: Event) -> None:
        """Record *event*, once."""

    def add_log(self, head: Head, count: int, event: Event) -> bool:
        """
        Spread the events of a tenant over *count* logs, one more than before, with *event*, the first of the new log's.

        *head* is that of the tenant's first log, whose rate is measured from there on. Only who has the newest lease of that
        log adds one: whoever holds it knows all of them. False, and nothing is changed, if it was fenced off, or another
        has added this one.
        """


@dataclass(frozen=True, slots=True)
class Attendant:
    """What attending logs needs. *host* begins the origin of a log that is new."""

    by: Relay
    signer: CheckpointSigner
    outbox: Entering
    host: str

    def ring(self, logs: Iterable[str]) -> list[Relayed]:
        """
        Enter what waits for all of these logs, then publish those not published for most of a minute: no event waits for
        another log's tiles.

        Raises:
            LogBroken: a log is not what it should be.
            Unavailable: a dependency failed.
        """
        entered: list[Relayed] = []

        def enter(log_id: str) -> Relayed:
            entered.append(self._enter(log_id))
            return entered[-1]

        try:
            return _each(logs, enter)
        finally:
            _each(entered, lambda done: self._followed_up(done, _RUNG))

    def sweep(self) -> list[Relayed]:
        """
        Look after every log, as far as time allows: events that the stream did not report, work left half done, what no
        checkpoint covers, logs that have long been silent.

        Raises:
            LogBroken: a log is not what it should be.
            Unavailable: a dependency failed.
        """
        started = self.by.clock()
        due = (log_id for log_id in self.by.store.logs() if self.by.clock() - started < _CALL)
        return _each(due, self._look_after)

    def settle(self, tenant_id: str) -> list[Head] | None:
        """
        Enter all that waits for the tenant's logs and publish them as they stand then; None if another relay has one, or one
        was added meanwhile.

        Raises:
            LogBroken: a log is not what it should be.
            Unavailable: a dependency failed, or more waits than one call enters.
        """
        heads = []
        logs = list(self.by.store.logs_of(tenant_id))
        for log_id in logs:
            done = self._attend(log_id, timedelta(0))
            if done.busy or done.head is None:
                return None
            if self._waits(log_id):
                raise Unavailable("More waits for a log than one call enters.")
            heads.append(done.head)
        return heads if list(self.by.store.logs_of(tenant_id)) == logs else None

    def _look_after(self, log_id: str) -> Relayed:
        try:
            return self._looked_after(log_id)
        except NoSuchKey:  # its tenant was shredded: nothing can enter it any more
            self.by.store.end(log_id)
            return Relayed(log_id)

    def _looked_after(self, log_id: str) -> Relayed:
        head = self.by.store.head(log_id)
        if head is not None and (beat := heartbeat(head, self.by.clock())) and not self._waits(log_id):
            with contextlib.suppress(AnotherEvent):  # another sweep may have made this beat a moment earlier
                self.outbox.enter(beat)
        if head is None or head.intent is not None or self._waits(log_id):
            return self._attend(log_id, timedelta(0))
        self._publish(head, timedelta(0))
        return Relayed(log_id, head=head)

    def _waits(self, log_id: str) -> bool:
        return bool(self.by.store.pending(log_id, limit=1).rows)

    def _attend(self, log_id: str, apart: timedelta) -> Relayed:
        return self._followed_up(self._enter(log_id), apart)

    def _enter(self, log_id: str) -> Relayed:
        return relay(log_id, origin=f"{self.host}/audit/{log_id}", by=self.by)

    def _followed_up(self, done: Relayed, apart: timedelta) -> Relayed:
        """What is done for a log once its events are entered."""
        if done.head is not None and not done.busy:
            self._publish(done.head, apart)
            if is_measured(done.head):
                self._spread(done.head, done)
        return done

    def _spread(self, head: Head, done: Relayed) -> None:
        """Measure the log's rate once a minute, and add a log where it is too high."""
        rate = rate_of(head)
        if rate is not None and rate > ADDED_ABOVE and (count := self.by.store.spread(head.log_id) + 1) <= MOST:
            log_id = numbered(head.log_id, count)
            if self.outbox.add_log(head, count, log_added(log_id, rate, self.by.clock)):
                done.added = log_id
        elif rate is not None or not head.counted_newest:
            self.by.store.counted(head)

    def _publish(self, head: Head, apart: timedelta) -> None:
        now = self.by.clock()
        if head.checkpoint_at is None or abs(now - head.checkpoint_at) >= apart:  # or before it, by a clock moved back
            term = self.by.term(tenant_of(head.log_id))
            publish(head, store=self.by.store, bucket=self.by.bucket, signer=self.signer, now=now, term=term)


def heartbeat(head: Head, now: datetime) -> Event | None:
    """The entry that says that a silent log is alive; the same id for whoever notices the same silence."""
    if not head.newest or now - parse_rfc3339(head.newest) < _DUE:
        return None
    due = int((parse_rfc3339(head.newest) + HEARTBEAT).timestamp() * 1000)
    name = hashlib.sha256(f"heartbeat {head.log_id} {head.size}".encode()).digest()
    raw = bytearray(due.to_bytes(6, "big") + name[:10])
    raw[6], raw[8] = 0x70 | raw[6] & 0x0F, 0x80 | raw[8] & 0x3F
    event_id = from_bytes("evt", bytes(raw))
    return Event(
        id=event_id,
        timestamp=rfc3339(now),
        received_at=rfc3339(now),
        tenant_id=tenant_of(head.log_id),
        request_id=event_id,
        source="schedule",
        principal_type="system",
        principal_id="audit_relay",
        user_id=None,
        action=HEARTBEAT_ACTION,
        resource=head.log_id,
        resource_type="audit_log",
        result="success",
        ip_address=None,
        user_agent=None,
    )


def _each(those: Iterable[_T], attend: Callable[[_T], Relayed]) -> list[Relayed]:
    done: list[Relayed] = []
    failed: PlatformaError | None = None
    for one in those:
        try:
            done.append(attend(one))
        except PlatformaError as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return done
