"""
Notices of keys' ends in the Credential table, by the day on which they are due, of all tenants together.

    NOTICE#{day}   {time it is due}#{key id}   how many days ahead it is
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from pynamodb.attributes import NumberAttribute

from platforma.adapters.dynamodb.apikeys_items import KeyItem, key_of
from platforma.adapters.dynamodb.single import answering, read
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.apikeys.expiry_notices import DAYS, Notice, next_notice
from platforma.apikeys.model import APIKey
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import AlreadyUsed, PreconditionFailed
from platforma.kernel.events import Event

_LOOKED_BACK = max(DAYS) + 1  # a notice that is older is of a key that is over


class NoticeItem(Item):
    """A notice to be told."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    days = NumberAttribute()


def put_notice(transaction: Transaction, key: APIKey, after: datetime) -> None:
    """Let *transaction* also keep the next notice of the key's end, where there is one to come."""
    if (notice := next_notice(key, after)) is not None:
        swept = int((notice.due + timedelta(days=_LOOKED_BACK)).timestamp())
        transaction.put(NoticeItem(*_place(notice), days=notice.days, expires=swept))


class DynamoDBNotices:
    """`Notices` in DynamoDB."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def find(self, key_id: str) -> APIKey | None:
        """See `Notices.find`."""
        item = read(KeyItem, f"KEY#{key_id}", "KEY")
        return None if item is None else key_of(item)

    def due(self, now: datetime) -> Iterator[Notice]:
        """See `Notices.due`."""
        for back in range(_LOOKED_BACK, -1, -1):
            day = (now - timedelta(days=back)).date().isoformat()
            with answering():
                until = NoticeItem.sk <= rfc3339(now) + "~"
                found = list(NoticeItem.query(f"NOTICE#{day}", until, consistent_read=True))
            for item in found:
                due, _, key_id = item.sk.partition("#")
                yield Notice(key_id, int(item.days), parse_rfc3339(due))

    def tell(self, notice: Notice, key: APIKey, event: Event) -> None:
        """See `Notices.tell`."""
        transaction = Transaction(self._tables, self._outbox)
        unchanged = KeyItem.version == key.version
        transaction.check(KeyItem, f"KEY#{key.id}", "KEY", unchanged, refused=PreconditionFailed())
        transaction.delete(NoticeItem(*_place(notice)), NoticeItem.pk.exists(), refused=AlreadyUsed())
        put_notice(transaction, key, parse_rfc3339(event.timestamp))
        transaction.commit(event)

    def drop(self, notice: Notice) -> None:
        """See `Notices.drop`."""
        with answering():
            NoticeItem(*_place(notice)).delete()


def _place(notice: Notice) -> tuple[str, str]:
    return f"NOTICE#{notice.due.date().isoformat()}", f"{rfc3339(notice.due)}#{notice.key_id}"
