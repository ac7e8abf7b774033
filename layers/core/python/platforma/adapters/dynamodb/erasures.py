"""
Erasures in the Audit table.

    {tenant}#ERASURES / {user}            the erasure, kept for good: it is what shows that it was done
    {PLATFORM}#ERASING / {tenant}#{user}  that it is to be worked on
"""

import json
from collections.abc import Iterator

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import DoesNotExist

from platforma.adapters.dynamodb.single import answering
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.audit.erasure import Erasure
from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Event
from platforma.kernel.tenancy import PLATFORM

_OPEN = f"{PLATFORM}#ERASING"


class ErasureItem(Item):
    """An erasure."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    state = UnicodeAttribute()


class ErasingItem(Item):
    """One that is open."""

    table = "audit"

    class Meta:
        table_name = "unbound"


class DynamoDBErasures:
    """`Erasures`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def add(self, erasure: Erasure, event: Event) -> None:
        """Erasure, mark and event in one transaction."""
        transaction = Transaction(self._tables, self._outbox)
        refused = Conflict("The person's erasure was asked for before.")
        transaction.put(_item(erasure), ErasureItem.pk.does_not_exist(), refused=refused)
        transaction.put(_mark(erasure))
        transaction.commit(event)

    def get(self, tenant_id: str, user_id: str) -> Erasure | None:
        """The person's erasure."""
        with answering():
            try:
                return _erasure(ErasureItem.get(f"{tenant_id}#ERASURES", user_id, consistent_read=True))
            except DoesNotExist:
                return None

    def open(self) -> Iterator[Erasure]:
        """Those that are marked."""
        with answering():
            marks = [item.sk for item in ErasingItem.query(_OPEN, consistent_read=True)]
        for mark in marks:
            tenant_id, _, user_id = mark.partition("#")
            if (erasure := self.get(tenant_id, user_id)) is not None:
                yield erasure

    def replace(self, before: Erasure, after: Erasure) -> bool:
        """Its state, and its mark where it is done, in one transaction."""
        transaction = Transaction(self._tables)
        transaction.put(_item(after), ErasureItem.state == _item(before).state, refused=PreconditionFailed())
        if after.status == "done":
            transaction.delete(_mark(after))
        try:
            transaction.commit()
        except PreconditionFailed:
            return False
        return True


def _item(erasure: Erasure) -> ErasureItem:
    state = json.dumps(erasure.document(), sort_keys=True, separators=(",", ":"))
    return ErasureItem(f"{erasure.tenant_id}#ERASURES", erasure.user_id, state=state)


def _mark(erasure: Erasure) -> ErasingItem:
    return ErasingItem(_OPEN, f"{erasure.tenant_id}#{erasure.user_id}")


def _erasure(item: ErasureItem) -> Erasure:
    return Erasure.of_document(json.loads(item.state))
