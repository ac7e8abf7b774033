"""
Exports in the Audit table.

    {tenant}#EXPORTS / {export}              the export, for as long as its files are there
    {PLATFORM}#EXPORTING / {tenant}#{export}  that it is to be worked on
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist

from platforma.adapters.dynamodb.single import answering
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.audit.exports.model import KEPT, Export, export_of
from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Event
from platforma.kernel.tenancy import PLATFORM

_OPEN = f"{PLATFORM}#EXPORTING"
_SETTLED = ("done", "failed")


class ExportItem(Item):
    """An export."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    version = NumberAttribute()
    state = UnicodeAttribute()


class ExportingItem(Item):
    """One that is open, until it is *settled*: it is swept then, and never deleted by whoever makes exports."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    settled = BooleanAttribute(default=False)


class DynamoDBExports:
    """`Exports`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def add(self, export: Export, event: Event) -> None:
        """Export, mark and event in one transaction."""
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(_item(export), ExportItem.pk.does_not_exist(), refused=Conflict("The export's id is taken."))
        transaction.put(ExportingItem(_OPEN, f"{export.tenant_id}#{export.id}"))
        transaction.commit(event)

    def get(self, tenant_id: str, export_id: str) -> Export | None:
        """The export of this id."""
        with answering():
            try:
                return _export(ExportItem.get(_key(tenant_id), export_id, consistent_read=True))
            except DoesNotExist:
                return None

    def listed(self, tenant_id: str, *, after: str | None, limit: int) -> Sequence[Export]:
        """Newest first: ids sort by time."""
        older = ExportItem.sk < after if after else None
        with answering():
            found = ExportItem.query(_key(tenant_id), older, consistent_read=True, scan_index_forward=False, limit=limit)
            return [_export(item) for item in found]

    def open(self) -> Iterator[Export]:
        """Those that are marked."""
        with answering():
            marks = [item.sk for item in ExportingItem.query(_OPEN, consistent_read=True) if not item.settled]
        for mark in marks:
            tenant_id, _, export_id = mark.partition("#")
            if (export := self.get(tenant_id, export_id)) is not None:
                yield export

    def replace(self, export: Export) -> Export | None:
        """Where its version is still this one."""
        after = replace(export, version=export.version + 1)
        transaction = Transaction(self._tables)
        transaction.put(_item(after), ExportItem.version == export.version, refused=PreconditionFailed())
        if after.status in _SETTLED:
            mark = ExportingItem(_OPEN, f"{export.tenant_id}#{export.id}", settled=True, expires=_soon(export))
            transaction.put(mark)
        try:
            transaction.commit()
        except PreconditionFailed:
            return None
        return after


def _soon(export: Export) -> int:
    return int(parse_rfc3339(export.created_at).timestamp())


def _key(tenant_id: str) -> str:
    return f"{tenant_id}#EXPORTS"


def _item(export: Export) -> ExportItem:
    expires = int((parse_rfc3339(export.created_at) + KEPT + timedelta(days=1)).timestamp())
    state = json.dumps(export.as_json(), separators=(",", ":"))
    return ExportItem(_key(export.tenant_id), export.id, version=export.version, state=state, expires=expires)


def _export(item: ExportItem) -> Export:
    return export_of(json.loads(item.state))
