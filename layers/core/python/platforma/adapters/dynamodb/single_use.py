"""
What is good for one use, in the Audit table, which every function may put items into and nothing else.

    USED#{hash of its name} / USED    until it has expired by itself
"""

from datetime import datetime
from hashlib import sha256

from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Transaction
from platforma.kernel.clock import Clock
from platforma.kernel.errors import AlreadyUsed


class UsedItem(Item):
    """That a name was used; good for nothing until `expires`."""

    table = "audit"

    class Meta:
        table_name = "unbound"


class DynamoDBSingleUse:
    """`platforma.oauth.ports.SingleUse`: a conditional put, so that of any number at once one wins."""

    def __init__(self, tables: Tables, clock: Clock) -> None:
        self._tables, self._clock = tables, clock

    def spend(self, name: str, *, until: datetime) -> None:
        """Use up *name*."""
        now = int(self._clock().timestamp())
        item = UsedItem(f"USED#{sha256(name.encode()).hexdigest()}", "USED", expires=int(until.timestamp()) + 1)
        transaction = Transaction(self._tables)
        transaction.put(item, UsedItem.pk.does_not_exist() | (UsedItem.expires <= now), refused=AlreadyUsed())
        transaction.commit()
