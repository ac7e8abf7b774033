"""
Leaks of keys in the Credential table.

    KEY#{key id}   LEAK#{place}   that the key was reported to be in this place (SHA-256 of source and URL)
    {tenant id}    LEAKS          what the tenant wants done
"""

from typing import Literal, cast

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from platforma.adapters.dynamodb.apikeys import update_key
from platforma.adapters.dynamodb.apikeys_items import KEPT_AFTER_END, KeyItem, key_of
from platforma.adapters.dynamodb.single import read
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.apikeys.leaks import LeakResponse
from platforma.apikeys.model import APIKey
from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import AlreadyUsed, PreconditionFailed
from platforma.kernel.events import Event

_SK = "LEAKS"


class LeakItem(Item):
    """A place that was reported."""

    table = "credential"

    class Meta:
        table_name = "unbound"


class LeakResponseItem(Item):
    """What a tenant wants done."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    response = UnicodeAttribute()
    version = NumberAttribute()


class DynamoDBLeaks:
    """`Leaks` in DynamoDB."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def response(self, tenant_id: str) -> LeakResponse:
        """See `Leaks.response`."""
        item = read(LeakResponseItem, tenant_id, _SK)
        if item is None:
            return LeakResponse()
        return LeakResponse(cast("Literal['revoke', 'notify']", item.response), int(item.version))

    def respond(self, tenant_id: str, before: LeakResponse, after: LeakResponse, event: Event) -> None:
        """See `Leaks.respond`."""
        item = LeakResponseItem(tenant_id, _SK, response=after.response, version=after.version)
        first = before.version == 1
        stands = LeakResponseItem.pk.does_not_exist() if first else LeakResponseItem.version == before.version
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(item, stands, refused=PreconditionFailed())
        transaction.commit(event)

    def find(self, key_id: str) -> APIKey | None:
        """See `Keys.find`."""
        item = read(KeyItem, f"KEY#{key_id}", "KEY")
        return None if item is None else key_of(item)

    def report(self, before: APIKey, after: APIKey, place: str, event: Event) -> None:
        """See `Leaks.report`. The place is kept as long as a key that ends now."""
        expires = int((parse_rfc3339(event.timestamp) + KEPT_AFTER_END).timestamp())
        transaction = Transaction(self._tables, self._outbox)
        item = LeakItem(f"KEY#{before.id}", f"LEAK#{place}", expires=expires)
        transaction.put(item, LeakItem.pk.does_not_exist(), refused=AlreadyUsed())
        if after != before:
            update_key(transaction, before, after, event)
        transaction.commit(event)
