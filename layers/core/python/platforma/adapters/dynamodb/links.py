"""
One-time links in the Credential table, under the digest of their token.

    LINK#{SHA-256 of the token}   LINK
"""

from datetime import datetime
from typing import Any, cast

from pynamodb.attributes import UnicodeAttribute

from platforma.adapters.dynamodb.identity.directory import DynamoDirectory
from platforma.adapters.dynamodb.single import read
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.identity.errors import LinkSpent
from platforma.identity.links import Link, Purpose
from platforma.identity.model import User
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.events import Event


class LinkItem(Item):
    """A link that was mailed and not yet used."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    tenant_id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    purpose = UnicodeAttribute()
    expires_at = UnicodeAttribute()
    before = UnicodeAttribute()


class DynamoLinks:
    """`Links`."""

    def __init__(self, tables: Tables, outbox: Outbox, directory: DynamoDirectory) -> None:
        self._tables, self._outbox, self._directory = tables, outbox, directory

    def add(self, link: Link, event: Event) -> None:
        """See `Links.add`."""
        item = LinkItem(
            *_place(link.digest),
            tenant_id=link.tenant_id,
            user_id=link.user_id,
            purpose=link.purpose,
            expires_at=rfc3339(link.expires_at),
            before=link.before,
            expires=int(link.expires_at.timestamp()) + 1,
        )
        t = Transaction(self._tables, self._outbox)
        t.put(item, LinkItem.pk.does_not_exist(), refused=LinkSpent())
        t.commit(event)

    def find(self, digest: str) -> Link | None:
        """See `Links.find`."""
        item = read(LinkItem, *_place(digest))
        if item is None:
            return None
        expires_at: datetime = parse_rfc3339(item.expires_at)
        return Link(digest, item.tenant_id, item.user_id, cast("Purpose", item.purpose), expires_at, item.before)

    def spend(self, link: Link, before: User, after: User, password_hash: str, event: Event) -> None:
        """See `Links.spend`."""
        t = Transaction(self._tables, self._outbox)
        t.delete(LinkItem(*_place(link.digest)), LinkItem.pk.exists(), refused=LinkSpent())
        self._directory.put_password(t, before, after, password_hash, event)
        t.commit(event)


def _place(digest: str) -> tuple[Any, Any]:
    return f"LINK#{digest}", "LINK"
