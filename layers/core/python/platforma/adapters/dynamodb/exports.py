"""
Exports in the Audit table.

    {tenant}#EXPORTS / {export}              the export, for as long as its files are there
    {tenant}#EXPORTS#{export} / {part}       the files of one of its parts, for as long
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
from platforma.audit.exports.model import KEPT, Export, File
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


class PartItem(Item):
    """The files of a part."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    files = UnicodeAttribute()


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

    def replace(self, export: Export, files: Sequence[File] = ()) -> Export | None:
        """Where its version is still this one; its mark goes with its settling, and comes back where it is queued again."""
        after = replace(export, version=export.version + 1)
        transaction = Transaction(self._tables)
        transaction.put(_item(after), ExportItem.version == export.version, refused=PreconditionFailed())
        if files:
            text = json.dumps([file.as_json() for file in files], separators=(",", ":"))
            transaction.put(PartItem(_parts_key(export), _number(export.parts), files=text, expires=_expires(export)))
        if after.status in _SETTLED:
            mark = ExportingItem(_OPEN, f"{export.tenant_id}#{export.id}", settled=True, expires=_soon(export))
            transaction.put(mark)
        elif after.status == "queued":
            transaction.put(ExportingItem(_OPEN, f"{export.tenant_id}#{export.id}"))
        try:
            transaction.commit()
        except PreconditionFailed:
            return None
        return after

    def files(self, export: Export, *, after: int = 0, limit: int | None = None) -> Iterator[File]:
        """The files of its parts."""
        last = export.parts if limit is None else after + limit
        within = PartItem.sk.between(_number(after + 1), _number(last))
        if last > after:
            with answering():
                for item in PartItem.query(_parts_key(export), within, consistent_read=True):
                    yield from (File(**file) for file in json.loads(item.files))


def _soon(export: Export) -> int:
    return int(parse_rfc3339(export.created_at).timestamp())


def _key(tenant_id: str) -> str:
    return f"{tenant_id}#EXPORTS"


def _parts_key(export: Export) -> str:
    return f"{_key(export.tenant_id)}#{export.id}"


def _number(part: int) -> str:
    """Sorts as the numbers do."""
    return f"{part:012d}"


def _expires(export: Export) -> int:
    return int((parse_rfc3339(export.created_at) + KEPT + timedelta(days=1)).timestamp())


def _item(export: Export) -> ExportItem:
    state = json.dumps(export.as_json(), separators=(",", ":"))
    return ExportItem(_key(export.tenant_id), export.id, version=export.version, state=state, expires=_expires(export))


def _export(item: ExportItem) -> Export:
    return Export(**json.loads(item.state))
