"""
How long tenants keep their logs, in the Audit table.

    {tenant}#KEEPING / KEEPING     what the tenant decided
    {PLATFORM}#KEEPING / {tenant}  behind which object it is still to be applied; gone once it is applied to all
"""

from collections.abc import Iterator

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from platforma.adapters.dynamodb.single import answering, read
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.audit.keeping import Keeping
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Event
from platforma.kernel.tenancy import PLATFORM

_OPEN, _SK = f"{PLATFORM}#KEEPING", "KEEPING"


class KeepingItem(Item):
    """What a tenant decided."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    years = NumberAttribute()
    legal_hold = BooleanAttribute()
    version = NumberAttribute()
    changed_at = UnicodeAttribute()


class ToApplyItem(Item):
    """That version *version* is still to be applied, to what lies behind *place*."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    version = NumberAttribute()
    place = UnicodeAttribute(null=True)


class DynamoDBKeepings:
    """`Keepings`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def get(self, tenant_id: str) -> Keeping | None:
        """What the tenant decided; whether it is applied is read first, so that what is not is never shown as if."""
        mark = read(ToApplyItem, _OPEN, tenant_id)
        item = read(KeepingItem, _pk(tenant_id), _SK)
        return None if item is None else _keeping(tenant_id, item, mark)

    def put(self, before: Keeping, after: Keeping, event: Event) -> None:
        """Decision, mark and event in one transaction."""
        transaction = Transaction(self._tables, self._outbox)
        stands = KeepingItem.version == before.version if before.version else KeepingItem.pk.does_not_exist()
        item = KeepingItem(
            _pk(after.tenant_id),
            _SK,
            years=after.years,
            legal_hold=after.legal_hold,
            version=after.version,
            changed_at=after.changed_at,
        )
        transaction.put(item, stands, refused=PreconditionFailed())
        transaction.put(_mark(after, after.place))
        transaction.commit(event)

    def open(self) -> Iterator[Keeping]:
        """Those that are marked."""
        with answering():
            marks = list(ToApplyItem.query(_OPEN, consistent_read=True))
        for mark in marks:
            if (item := read(KeepingItem, _pk(mark.sk), _SK)) is not None:
                yield _keeping(mark.sk, item, mark)

    def advance(self, keeping: Keeping, place: str | None) -> bool:
        """Move the mark, or take it away."""
        stands = (ToApplyItem.version == keeping.version) & (
            (ToApplyItem.place == keeping.place) if keeping.place else ToApplyItem.place.does_not_exist()
        )
        transaction = Transaction(self._tables)
        if place is None:
            transaction.delete(_mark(keeping, None), stands, refused=PreconditionFailed())
        else:
            transaction.put(_mark(keeping, place), stands, refused=PreconditionFailed())
        try:
            transaction.commit()
        except PreconditionFailed:
            return False
        return True


def _pk(tenant_id: str) -> str:
    return f"{tenant_id}#KEEPING"


def _mark(keeping: Keeping, place: str | None) -> ToApplyItem:
    return ToApplyItem(_OPEN, keeping.tenant_id, version=keeping.version, place=place or None)


def _keeping(tenant_id: str, item: KeepingItem, mark: ToApplyItem | None) -> Keeping:
    return Keeping(
        tenant_id,
        int(item.years),
        item.legal_hold,
        int(item.version),
        item.changed_at,
        None if mark is None else mark.place or "",
    )
