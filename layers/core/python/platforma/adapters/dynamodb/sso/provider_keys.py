"""
The keys of connections' service providers in the Credential table, sealed under their tenants' keys.

    SSO#{connection id} / KEYS    the pairs, the current one first
"""

import json
from collections.abc import Sequence

from pynamodb.attributes import BinaryAttribute, NumberAttribute

from platforma.adapters.dynamodb.single import read
from platforma.adapters.dynamodb.sso.connections import SK, ConnectionItem, connection_pk
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Transaction
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import PreconditionFailed
from platforma.keys.envelope import Envelope
from platforma.sso.key_pair import KeyPair
from platforma.sso.model import Connection

PURPOSE = "provider"
KEYS_SK = "KEYS"


class ProviderKeysItem(Item):
    """A connection's pairs; *box* is sealed."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    box = BinaryAttribute(legacy_encoding=False)
    version = NumberAttribute()


class DynamoProviderKeys:
    """`platforma.sso.ports.ProviderKeys`."""

    def __init__(self, tables: Tables, envelope: Envelope) -> None:
        self._tables, self._envelope = tables, envelope

    def read(self, connection: Connection) -> tuple[tuple[KeyPair, ...], int]:
        """The pairs and their version."""
        item = read(ProviderKeysItem, connection_pk(connection.id), KEYS_SK)
        if item is None:
            return (), 0
        opened = json.loads(self._envelope.open(connection.tenant_id, PURPOSE, connection.id, item.box))
        pairs = (KeyPair(each["key"], each["certificate"], parse_rfc3339(each["not_after"])) for each in opened)
        return tuple(pairs), int(item.version)

    def put(self, connection: Connection, pairs: Sequence[KeyPair], *, replacing: int) -> None:
        """Put *pairs* in the place of those of the version *replacing*."""
        document = [
            {"key": pair.key, "certificate": pair.certificate, "not_after": rfc3339(pair.not_after)} for pair in pairs
        ]
        box = self._envelope.seal(connection.tenant_id, PURPOSE, connection.id, json.dumps(document).encode())
        t = Transaction(self._tables)
        pk = connection_pk(connection.id)
        t.check(ConnectionItem, pk, SK, ConnectionItem.pk.exists(), refused=PreconditionFailed())
        free = ProviderKeysItem.pk.does_not_exist() if not replacing else ProviderKeysItem.version == replacing
        t.put(ProviderKeysItem(pk, KEYS_SK, box=box, version=replacing + 1), free, refused=PreconditionFailed())
        t.commit()
