"""
By which provider sessions began, in the Credential table, for as long as they may live.

    SESSION#{session id} / PROVIDER    sealed under the tenant's key
"""

import json
from datetime import UTC, datetime

from pynamodb.attributes import BinaryAttribute

from platforma.adapters.dynamodb.single import read
from platforma.adapters.dynamodb.sso.provider_keys import PURPOSE
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Transaction
from platforma.keys.envelope import Envelope
from platforma.sso.model import ProviderSession

_SK = "PROVIDER"


class ProviderSessionItem(Item):
    """A session's provider; *box* is sealed."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    box = BinaryAttribute(legacy_encoding=False)


class DynamoProviderSessions:
    """`platforma.sso.ports.ProviderSessions`."""

    def __init__(self, tables: Tables, envelope: Envelope) -> None:
        self._tables, self._envelope = tables, envelope

    def keep(self, known: ProviderSession) -> None:
        """Keep one, in place of what was known of the session."""
        told = (known.connection_id, known.subject, known.index, known.logout_url, known.hint)
        document = json.dumps(told).encode()
        box = self._envelope.seal(known.tenant_id, PURPOSE, f"{known.session_id}/provider", document)
        t = Transaction(self._tables)
        until = int(known.until.timestamp())
        t.put(ProviderSessionItem(f"SESSION#{known.session_id}", _SK, box=box, expires=until))
        t.commit()

    def of(self, tenant_id: str, session_id: str) -> ProviderSession | None:
        """The one of this session."""
        item = read(ProviderSessionItem, f"SESSION#{session_id}", _SK)
        if item is None:
            return None
        opened = self._envelope.open(tenant_id, PURPOSE, f"{session_id}/provider", item.box)
        connection_id, subject, index, logout_url, hint = json.loads(opened)
        until = datetime.fromtimestamp(int(item.expires or 0), UTC)
        return ProviderSession(tenant_id, session_id, connection_id, subject, index, until, logout_url=logout_url, hint=hint)
