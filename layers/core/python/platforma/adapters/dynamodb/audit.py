"""
The outbox: an event as items of the Audit table, written in the transaction of the change it tells of.

    {log_id}#PENDING / PENDING#{position}    the event, until the relay has entered it
    {log_id}#CLAIM#{claim} / CLAIM           that this id is taken, for 14 days or more, and a sealed digest of what it says
    {PLATFORM}#LOGS / {log_id}               that the log exists: what the sweep goes through
    {tenant_id}#LOGS / COUNT                 over how many logs the tenant's events are spread
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition

from platforma.adapters.dynamodb.audit_head import HEAD, HeadItem, counted_from
from platforma.adapters.dynamodb.tables import Item, Tables, cause_of
from platforma.adapters.dynamodb.transaction import Refusal, Transaction
from platforma.audit.canonical import canonical, plain
from platforma.audit.errors import AlreadyEntered, AnotherEvent
from platforma.audit.model import CLAIM_DAYS, HOT_DAYS, LOG_ADDED_ACTION, Head, Row, claim_of, log_of, numbered, tenant_of
from platforma.audit.sealing import PURPOSE, seal_event
from platforma.kernel.clock import Clock, system_clock
from platforma.kernel.errors import PlatformaError, Unavailable
from platforma.kernel.events import Event, entered
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.envelope import Envelope
from platforma.keys.expiring import Expiring

LOGS = f"{PLATFORM}#LOGS"
PENDING = "PENDING"
CLAIM = "CLAIM"
COUNT = "COUNT"
_COUNT_KNOWN = timedelta(minutes=5)
"""How long a process goes by what it learned: whoever knows of fewer logs than there are is right too."""
_CANCELED = "TransactionCanceledException"


class RowItem(Item):
    """An event, wherever it is kept."""

    event_id = UnicodeAttribute()
    received_at = UnicodeAttribute()
    body = BinaryAttribute(legacy_encoding=False)
    sealed = BinaryAttribute(legacy_encoding=False)


class PendingItem(RowItem):
    """An event that is recorded and not yet in the log."""

    table = "audit"

    class Meta:
        table_name = "unbound"


class ClaimItem(Item):
    """An event id that was used. *position* tells where the event is found."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    position = UnicodeAttribute()
    digest = BinaryAttribute(legacy_encoding=False)


class LogItem(Item):
    """A log that exists. One that has *ended* is its shredded tenant's."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    ended = BooleanAttribute(null=True)


class CountItem(Item):
    """Over how many *logs* a tenant's events are spread. Whoever writes events makes it, and learns from it."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    logs = NumberAttribute()


def count_key(tenant_id: str) -> str:
    """The partition in which it stands."""
    return f"{tenant_id}#LOGS"


def pending_key(log_id: str) -> str:
    """The partition in which events of this log wait."""
    return f"{log_id}#{PENDING}"


def pending_item(log_id: str, row: Row) -> PendingItem:
    """*row* as the item that waits."""
    return PendingItem(
        pending_key(log_id),
        f"{PENDING}#{row.position}",
        event_id=row.id,
        received_at=row.received_at,
        body=row.body,
        sealed=row.sealed,
    )


class Outbox:
    """Where events go first. One event enters once, however often it is written."""

    def __init__(self, tables: Tables, envelope: Envelope, clock: Clock = system_clock) -> None:
        self._tables = tables
        self._envelope = envelope
        self._clock = clock
        self._known: set[str] = set()
        self._spread: Expiring[str, int] = Expiring(clock, lifetime=_COUNT_KNOWN, size=4096)

    def items(self, event: Event) -> Sequence[tuple[Item, Condition, Refusal]]:
        """
        The items to put for *event*, each with its condition and what it means when that fails.

        Raises:
            EventTooLarge: no entry could hold it.
            Unavailable: the event cannot be sealed, or its log not be registered.
        """
        if event.tenant_id == PLATFORM or event.action == LOG_ADDED_ACTION:
            log_id = log_of(event)
        else:
            log_id = log_of(event, self._spread_over(event.tenant_id))
        if event.action != LOG_ADDED_ACTION:  # that is registered by the transaction itself, or there is no such log
            self._register(log_id)
        row = seal_event(event, self._envelope)
        digest = _digest(event)
        days = HOT_DAYS if event.source == "external" else CLAIM_DAYS
        name = claim_of(event)
        claim = ClaimItem(
            f"{event.tenant_id}#{CLAIM}#{name}",
            CLAIM,
            position=row.position,
            digest=self._envelope.seal(event.tenant_id, PURPOSE, f"{CLAIM}|{name}", digest),
            expires=int((self._clock() + timedelta(days=days)).timestamp()),
        )

        def refused(found: dict[str, Any] | None) -> PlatformaError:
            return self._taken(event, digest, found)

        return [  # the claim first: where both fail, it is the one that tells why
            (claim, ClaimItem.pk.does_not_exist(), refused),
            (pending_item(log_id, row), PendingItem.pk.does_not_exist(), AnotherEvent()),
        ]

    def enter(self, event: Event) -> None:
        """
        Record an event of its own; the same event again is as good as once.

        Raises:
            AnotherEvent: its id was used for an event that says something else.
            EventTooLarge: no entry could hold it.
            Unavailable: it is not known to be recorded.
        """
        try:
            Transaction(self._tables, self).commit(event)
        except AlreadyEntered:
            entered((event,))

    def add_log(self, head: Head, count: int, event: Event) -> bool:
        """The count, the log and its first event, if nobody took the first log's lease since."""
        tenant_id = tenant_of(head.log_id)
        before = CountItem.logs == count - 1
        late = AnotherEvent()
        transaction = Transaction(self._tables, self)
        transaction.update(
            HeadItem(f"{head.log_id}#LOG", HEAD), counted_from(head), HeadItem.fence == head.fence, refused=late
        )
        transaction.put(
            CountItem(count_key(tenant_id), COUNT, logs=count),
            before | CountItem.pk.does_not_exist() if count == 2 else before,
            refused=late,
        )
        transaction.put(LogItem(LOGS, numbered(tenant_id, count)))
        try:
            transaction.commit(event)
        except AnotherEvent:
            return False
        return True

    def _spread_over(self, tenant_id: str) -> int:
        """
        Over how many logs events are spread, as it was minutes ago at most.

        It is learned by writing that there is one, where nothing is written yet: writers may put, and read nothing.

        Raises:
            Unavailable: the table does not answer.
        """
        if (known := self._spread.get(tenant_id)) is not None:
            return known
        found: list[int] = []

        def is_there(item: dict[str, Any] | None) -> PlatformaError:
            found.append(int(CountItem.from_raw_data(item).logs) if item else 1)
            return AlreadyEntered()

        transaction = Transaction(self._tables)
        transaction.put(CountItem(count_key(tenant_id), COUNT, logs=1), CountItem.pk.does_not_exist(), refused=is_there)
        try:
            transaction.commit()
        except AlreadyEntered:
            pass
        except Unavailable as error:
            if error.facts.get("cause") != _CANCELED:
                raise
            found.append(1)  # too many learn it at once: one is right too
        count = found[-1] if found else 1
        self._spread.put(tenant_id, count)
        return count

    def _register(self, log_id: str) -> None:
        """Once a process: the write is idempotent, and comes first, so that no event waits in a log that no sweep sees."""
        if log_id in self._known:
            return
        try:
            LogItem(LOGS, log_id).save()
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error
        self._known.add(log_id)

    def _taken(self, event: Event, digest: bytes, found: dict[str, Any] | None) -> PlatformaError:
        if not found:
            return AnotherEvent()
        sealed = ClaimItem.from_raw_data(found).digest
        known = self._envelope.open(event.tenant_id, PURPOSE, f"{CLAIM}|{claim_of(event)}", sealed)
        return AlreadyEntered() if known == digest else AnotherEvent()


def _digest(event: Event) -> bytes:
    """What two writings of one event have in common: all it says but when it came to us."""
    said = {name: value for name, value in plain(event.as_json()).items() if name != "received_at"}
    return hashlib.sha256(canonical(said)).digest()
