"""
What was said of requests, and what came of comparing it, as items of the Audit table.

    {PLATFORM}#REQUESTS#{minute} / {digest}    what one delivery of logs said of requests of that minute, for 14 days
    {PLATFORM}#RECONCILE / {minute}            that the minute is to be reconciled; its token changes with every delivery
    {tenant}#COMPLETENESS / {minute}           the tenant's tally, for 400 days
"""

import gzip
import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DeleteError

from platforma.adapters.dynamodb.audit import CLAIM, LOGS, PENDING, ClaimItem, LogItem, PendingItem, RowItem, pending_key
from platforma.adapters.dynamodb.audit_log import HotItem, hot_key
from platforma.adapters.dynamodb.single import answering
from platforma.adapters.dynamodb.tables import Item, Tables, code_of
from platforma.adapters.dynamodb.transaction import Transaction
from platforma.audit.completeness import Due, Noted, Tally
from platforma.audit.model import CLAIM_DAYS
from platforma.audit.ports import Path
from platforma.kernel.tenancy import PLATFORM

TALLY_DAYS = 400
_RECONCILE = f"{PLATFORM}#RECONCILE"
_AT_ONCE = 2000
"""Requests in one item, far below what an item holds."""
_MINUTES = 30
"""Minutes that one run reconciles at most; the next goes on."""


class RequestsItem(Item):
    """What a delivery said."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    said = BinaryAttribute(legacy_encoding=False)


class ReconcileItem(Item):
    """A minute that is due."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    token = UnicodeAttribute()


class TallyItem(Item):
    """What came of it for a tenant."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    seen = NumberAttribute()
    found = NumberAttribute()
    missing = NumberAttribute()
    ids = UnicodeAttribute()


class DynamoDBLedger:
    """`Ledger`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def note(self, minute: str, said: Sequence[Noted]) -> None:
        """One transaction for each item: what was said, and that it is to be looked at."""
        for at in range(0, len(said), _AT_ONCE):
            text = json.dumps(sorted(said[at : at + _AT_ONCE], key=repr), separators=(",", ":")).encode()
            transaction = Transaction(self._tables)
            transaction.put(
                RequestsItem(
                    f"{PLATFORM}#REQUESTS#{minute}",
                    hashlib.sha256(text).hexdigest(),
                    said=gzip.compress(text, mtime=0),
                    expires=_expires(minute, CLAIM_DAYS),
                )
            )
            transaction.put(ReconcileItem(_RECONCILE, minute, token=os.urandom(8).hex()))
            transaction.commit()

    def due(self, before: str) -> Sequence[Due]:
        """Minutes to be reconciled."""
        with answering():
            found = ReconcileItem.query(_RECONCILE, ReconcileItem.sk < before, consistent_read=True, limit=_MINUTES)
            return [Due(item.sk, item.token) for item in found]

    def noted(self, minute: str) -> Iterator[Noted]:
        """All that was said."""
        with answering():
            for item in RequestsItem.query(f"{PLATFORM}#REQUESTS#{minute}", consistent_read=True):
                yield from (Noted(*one) for one in json.loads(gzip.decompress(bytes(item.said))))

    def existing(self, events: Collection[tuple[str, str]]) -> Collection[tuple[str, str]]:
        """
        Those that stand at their claim's place, a few reads an event.

        In the index first, where almost all are; then among those that wait; and in the index again, into which one may have
        come while it was looked for: the relay writes there before it lets go.
        """
        claimed = {(f"{tenant_id}#{CLAIM}#{event_id}", CLAIM): (tenant_id, event_id) for tenant_id, event_id in events}
        found: set[tuple[str, str]] = set()
        with answering():
            places = {}
            for item in ClaimItem.batch_get(list(claimed), consistent_read=True):
                event = claimed[item.pk, item.sk]
                if item.position.endswith(f"#{event[1]}"):  # of itself, not of another event
                    places[event] = item.position
            logs = {tenant_id: _logs_of(tenant_id) for tenant_id, _ in places}
            for model in (HotItem, PendingItem, HotItem):
                keys = {
                    _place(model, log_id, position): event
                    for event, position in places.items()
                    for log_id in logs[event[0]]
                    if event not in found
                }
                there = model.batch_get(list(keys), consistent_read=True, attributes_to_get=["pk", "sk"])
                found |= {keys[item.pk, item.sk] for item in there}
        return found

    def settle(self, due: Due, tallies: Mapping[str, Tally]) -> None:
        """The tallies first: whoever is stopped in between is followed by one who writes them again."""
        with answering():
            for tenant_id, tally in tallies.items():
                TallyItem(
                    f"{tenant_id}#COMPLETENESS",
                    due.minute,
                    seen=tally.seen,
                    found=tally.found,
                    missing=tally.missing,
                    ids=json.dumps(tally.ids),
                    expires=_expires(due.minute, TALLY_DAYS),
                ).save()
            try:
                ReconcileItem(_RECONCILE, due.minute).delete(ReconcileItem.token == due.token)
            except DeleteError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise

    def tallies(self, tenant_id: str, first: str, last: str) -> Iterator[Tally]:
        """Those of these minutes."""
        with answering():
            within = TallyItem.sk.between(first, last)
            for item in TallyItem.query(f"{tenant_id}#COMPLETENESS", within, consistent_read=True):
                yield Tally(int(item.seen), int(item.found), int(item.missing), json.loads(item.ids))


def _logs_of(tenant_id: str) -> list[str]:
    return [item.sk for item in LogItem.query(LOGS, LogItem.sk.startswith(tenant_id), consistent_read=True)]


def _place(model: type[RowItem], log_id: str, position: str) -> tuple[str, str]:
    return (hot_key(log_id, Path()), position) if model is HotItem else (pending_key(log_id), f"{PENDING}#{position}")


def _expires(minute: str, days: int) -> int:
    return int((datetime.fromisoformat(minute) + timedelta(days=days)).timestamp())
