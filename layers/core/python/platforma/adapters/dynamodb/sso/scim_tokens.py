"""
Tokens of directories in the Credential table, beside their connection.

    SSO#{connection id} / SCIM#{token id}
"""

from datetime import datetime
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from platforma.adapters.dynamodb.single import answering, written
from platforma.adapters.dynamodb.sso.connections import SK, ConnectionItem
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import NotFound
from platforma.kernel.events import Event
from platforma.keys.stored_secret import StoredSecret
from platforma.sso.scim.model import SCIMToken

_PREFIX = "SCIM#"


class SCIMTokenItem(Item):
    """A token. *stored* has hash, pepper version, ticket and the ticket's end."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    tenant_id = UnicodeAttribute()
    selector = UnicodeAttribute()
    hash = UnicodeAttribute()
    ticket: Any = JSONAttribute()
    created_at = UnicodeAttribute()
    expires_at = UnicodeAttribute(null=True)
    last_used_at = UnicodeAttribute(null=True)


class DynamoSCIMTokens:
    """`platforma.sso.scim.ports.SCIMTokens`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def of_connection(self, connection_id: str) -> tuple[SCIMToken, ...]:
        """Those of a connection."""
        with answering():
            items = SCIMTokenItem.query(_pk(connection_id), SCIMTokenItem.sk.startswith(_PREFIX), consistent_read=True)
            return tuple(_token(item) for item in items)

    def add(self, token: SCIMToken, event: Event) -> None:
        """Keep a new token."""
        t = Transaction(self._tables, self._outbox)
        t.check(ConnectionItem, _pk(token.connection_id), SK, ConnectionItem.pk.exists(), refused=NotFound())
        t.put(
            SCIMTokenItem(
                _pk(token.connection_id),
                _PREFIX + token.id,
                tenant_id=token.tenant_id,
                selector=token.selector,
                hash=token.stored.hash,
                ticket=_ticket(token.stored),
                created_at=rfc3339(token.created_at),
                expires_at=None if token.expires_at is None else rfc3339(token.expires_at),
            )
        )
        t.commit(event)

    def remove(self, token: SCIMToken, event: Event) -> None:
        """Forget a token."""
        t = Transaction(self._tables, self._outbox)
        keys = SCIMTokenItem(_pk(token.connection_id), _PREFIX + token.id)
        t.delete(keys, SCIMTokenItem.pk.exists(), refused=NotFound())
        t.commit(event)

    def note_use(self, token: SCIMToken, stored: StoredSecret, used_at: datetime) -> None:
        """Keep a fresh ticket and the time of a use."""
        keys = SCIMTokenItem(_pk(token.connection_id), _PREFIX + token.id)
        actions = [SCIMTokenItem.ticket.set(_ticket(stored)), SCIMTokenItem.last_used_at.set(rfc3339(used_at))]
        written(keys, actions, SCIMTokenItem.hash == token.stored.hash)


def _pk(connection_id: str) -> str:
    return f"SSO#{connection_id}"


def _ticket(stored: StoredSecret) -> list[Any]:
    return [stored.version, stored.ticket, stored.ticket_expires]


def _token(item: SCIMTokenItem) -> SCIMToken:
    version, ticket, ticket_expires = item.ticket
    return SCIMToken(
        id=item.sk.removeprefix(_PREFIX),
        tenant_id=item.tenant_id,
        connection_id=item.pk.removeprefix(_pk("")),
        selector=item.selector,
        stored=StoredSecret(item.hash, version, ticket, ticket_expires),
        created_at=parse_rfc3339(item.created_at),
        expires_at=None if item.expires_at is None else parse_rfc3339(item.expires_at),
        last_used_at=None if item.last_used_at is None else parse_rfc3339(item.last_used_at),
    )
