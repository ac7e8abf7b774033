"""
State of logs and the hot index, in the Audit table beside the outbox's items.

    {log_id}#LOG / HEAD                          the log's state, with its lease and its open intent
    {log_id}#HOT#{path}#{value} / {position}     an entered event, once under each path, for 90 days
    {log_id}#ASIDE / {position}                  an event that could not be entered
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pynamodb.attributes import NumberAttribute
from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from platforma.adapters.dynamodb.audit import (
    CLAIM,
    COUNT,
    LOGS,
    PENDING,
    ClaimItem,
    CountItem,
    LogItem,
    PendingItem,
    RowItem,
    count_key,
    pending_key,
)
from platforma.adapters.dynamodb.audit_head import HEAD, HeadItem, counted_from, head_of, written
from platforma.adapters.dynamodb.single import answering
from platforma.adapters.dynamodb.tables import Tables, code_of
from platforma.adapters.dynamodb.transaction import Transaction
from platforma.audit.index import paths_of
from platforma.audit.model import HOT_DAYS, Head, Intent, Page, Row, number_of
from platforma.audit.ports import Path, Span
from platforma.kernel.clock import parse_rfc3339, rfc3339


class HotItem(RowItem):
    """An entered event under one path."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    sequence = NumberAttribute()


class AsideItem(RowItem):
    """An event that could not be entered, as it waited."""

    table = "audit"

    class Meta:
        table_name = "unbound"


class DynamoDBLogStore:
    """`LogStore`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def logs(self) -> Iterator[str]:
        """Logs that events were recorded for."""
        with answering():
            yield from (item.sk for item in LogItem.query(LOGS) if not item.ended)

    def ended(self) -> Iterator[str]:
        """Logs that are marked so."""
        with answering():
            yield from (item.sk for item in LogItem.query(LOGS) if item.ended)

    def end(self, log_id: str) -> None:
        """Mark the log as ended."""
        with answering():
            LogItem(LOGS, log_id, ended=True).save()

    def logs_of(self, tenant_id: str) -> list[str]:
        """The tenant's logs."""
        with answering():
            found = LogItem.query(LOGS, LogItem.sk.startswith(tenant_id), consistent_read=True)
            return sorted({tenant_id, *(item.sk for item in found)}, key=number_of)

    def spread(self, tenant_id: str) -> int:
        """Over how many logs its events are spread."""
        with answering():
            try:
                return int(CountItem.get(count_key(tenant_id), COUNT, consistent_read=True).logs)
            except DoesNotExist:
                return 1

    def counted(self, head: Head) -> None:
        """Note from where on the rate is measured."""
        self._updated(head.log_id, counted_from(head), HeadItem.fence == head.fence)

    def head(self, log_id: str) -> Head | None:
        """The log's state."""
        with answering():
            try:
                return head_of(log_id, HeadItem.get(f"{log_id}#LOG", HEAD, consistent_read=True))
            except DoesNotExist:
                return None

    def lease(self, log_id: str, *, origin: str, owner: str, now: datetime, until: datetime) -> Head | None:
        """Take the lease; where another has it, ring and see whether that one has just given it back."""
        take = [
            HeadItem.fence.add(1),
            HeadItem.owner.set(owner),
            HeadItem.until.set(until.timestamp()),
            HeadItem.origin.set(HeadItem.origin | origin),
            HeadItem.sign_ins_since.set(HeadItem.sign_ins_since | rfc3339(now)),
        ]
        is_free = HeadItem.owner.does_not_exist() | (HeadItem.owner == owner) | (HeadItem.until <= now.timestamp())
        if (head := self._updated(log_id, take, is_free)) is not None:
            return head
        self._updated(log_id, [HeadItem.rung.add(1)], None)
        return self._updated(log_id, take, is_free)

    def commit(self, head: Head, intent: Intent) -> Head | None:
        """Store the intent if the lease holds."""
        condition = (HeadItem.fence == head.fence) & HeadItem.intent_id.does_not_exist()
        actions = [HeadItem.intent_id.set(intent.id), HeadItem.intent.set(written(intent))]
        return replace(head, intent=intent) if self._updated(head.log_id, actions, condition) else None

    def close(self, log_id: str, intent: Intent) -> bool:
        """End the intent if it is the open one."""
        actions = [
            HeadItem.size.set(intent.size),
            HeadItem.frontier.set(b"".join(intent.frontier)),
            HeadItem.newest.set(intent.newest),
            HeadItem.intent_id.remove(),
            HeadItem.intent.remove(),
        ]
        return self._updated(log_id, actions, HeadItem.intent_id == intent.id) is not None

    def release(self, head: Head, owner: str, *, heed_bells: bool = True) -> bool:
        """Give the lease back unless somebody rang."""
        condition = HeadItem.owner == owner
        if heed_bells:
            condition &= (HeadItem.rung == head.rung) if head.rung else HeadItem.rung.does_not_exist()
        if self._updated(head.log_id, [HeadItem.owner.remove(), HeadItem.until.remove()], condition) is not None:
            return True
        now = self.head(head.log_id)
        return now is None or now.fence != head.fence or not heed_bells

    def checkpointed(self, log_id: str, size: int, at: datetime) -> None:
        """Note a checkpoint unless a larger one is known."""
        actions = [HeadItem.checkpoint_size.set(size), HeadItem.checkpoint_at.set(rfc3339(at))]
        self._updated(log_id, actions, HeadItem.checkpoint_size.does_not_exist() | (HeadItem.checkpoint_size < size))

    def pending(self, log_id: str, span: Span | None = None, *, ascending: bool = True, limit: int) -> Page:
        """Events that wait."""
        within = (
            PendingItem.sk.between(f"{PENDING}#{span.low}", f"{PENDING}#{span.high}")
            if span
            else PendingItem.sk.startswith(f"{PENDING}#")
        )
        return _page(PendingItem, pending_key(log_id), within, ascending=ascending, limit=limit)

    def waiting(self, log_id: str, positions: Sequence[str]) -> dict[str, Row]:
        """Those that wait."""
        keys = [(pending_key(log_id), f"{PENDING}#{position}") for position in positions]
        return _found(PendingItem, keys)

    def entered(self, log_id: str, positions: Sequence[str]) -> dict[str, Row]:
        """Those in the index."""
        return _found(HotItem, [(hot_key(log_id, Path()), position) for position in positions])

    def index(self, log_id: str, rows: Sequence[Row]) -> None:
        """Put them under their paths."""
        with answering(), HotItem.batch_write() as batch:
            for row in rows:
                expires = int((parse_rfc3339(row.received_at) + timedelta(days=HOT_DAYS)).timestamp())
                for path in paths_of(row):
                    batch.save(
                        HotItem(
                            hot_key(log_id, path),
                            row.position,
                            event_id=row.id,
                            received_at=row.received_at,
                            body=row.body,
                            sealed=row.sealed,
                            sequence=row.sequence,
                            expires=expires,
                        )
                    )

    def drop(self, log_id: str, positions: Sequence[str]) -> None:
        """Let them go."""
        with answering(), PendingItem.batch_write() as batch:
            for position in positions:
                batch.delete(PendingItem(pending_key(log_id), f"{PENDING}#{position}"))

    def set_aside(self, log_id: str, row: Row) -> None:
        """Move a row out of the way, in one transaction."""
        transaction = Transaction(self._tables)
        transaction.put(
            AsideItem(
                f"{log_id}#ASIDE",
                row.position,
                event_id=row.id,
                received_at=row.received_at,
                body=row.body,
                sealed=row.sealed,
            )
        )
        transaction.delete(PendingItem(pending_key(log_id), f"{PENDING}#{row.position}"))
        transaction.commit()

    def hot(self, log_id: str, path: Path, span: Span, *, ascending: bool, limit: int) -> Page:
        """Events of the index."""
        within = HotItem.sk.between(span.low, span.high)
        return _page(HotItem, hot_key(log_id, path), within, ascending=ascending, limit=limit)

    def claimed(self, log_id: str, event_id: str) -> str | None:
        """Where the event is."""
        with answering():
            try:
                return ClaimItem.get(f"{log_id}#{CLAIM}#{event_id}", CLAIM, consistent_read=True).position
            except DoesNotExist:
                return None

    def _updated(self, log_id: str, actions: Sequence[Action], condition: Condition | None) -> Head | None:
        """The head after these changes; None if the condition failed."""
        item = HeadItem(f"{log_id}#LOG", HEAD)
        with answering():
            try:
                item.update(list(actions), condition)
            except UpdateError as error:
                if code_of(error) == "ConditionalCheckFailedException":
                    return None
                raise
        return head_of(log_id, item)


def hot_key(log_id: str, path: Path) -> str:
    """The partition of what was entered and stands under this path."""
    return f"{log_id}#HOT#{path.name}#{path.value}"


def _page(model: type[RowItem], key: str, within: Condition, *, ascending: bool, limit: int) -> Page:
    with answering():
        found = model.query(key, within, consistent_read=True, scan_index_forward=ascending, limit=limit + 1)
        rows = [_row(item) for item in found]
    return Page(tuple(rows[:limit]), more=len(rows) > limit)


def _found(model: type[RowItem], keys: list[tuple[str, str]]) -> dict[str, Row]:
    with answering():
        rows = [_row(item) for item in model.batch_get(keys, consistent_read=True)]
    return {row.position: row for row in rows}


def _row(item: RowItem) -> Row:
    sequence = int(item.sequence) if isinstance(item, HotItem) else None
    position = item.sk.removeprefix(f"{PENDING}#")
    return Row(item.event_id, position, item.received_at, bytes(item.body), bytes(item.sealed), sequence)
