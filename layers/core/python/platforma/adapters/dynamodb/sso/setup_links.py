"""
Links by which connections are configured, in the Credential table, beside their connection.

    SSO#{connection id} / SETUP#{link id}    until a week after its end
"""

from collections.abc import Sequence
from typing import Any, cast

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from platforma.adapters.dynamodb.single import answering
from platforma.adapters.dynamodb.sso.connections import SK, ConnectionItem, connection_pk
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import Broken, NotFound
from platforma.kernel.events import Event
from platforma.sso.errors import SetupLinkOver
from platforma.sso.setup_links import KEPT_FOR, MAX_SHOWN, End, SetupLink

_PREFIX = "SETUP#"


class SetupLinkItem(Item):
    """A link. *ended* is there once it was ended before its time."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    tenant_id = UnicodeAttribute()
    digest = UnicodeAttribute()
    made_by: Any = JSONAttribute()
    created_at = UnicodeAttribute()
    expires_at = UnicodeAttribute()
    opened_at = UnicodeAttribute(null=True)
    ended = UnicodeAttribute(null=True)
    ended_at = UnicodeAttribute(null=True)


class DynamoSetupLinks:
    """`platforma.sso.setup_links.SetupLinks`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def of_connection(self, connection_id: str) -> Sequence[SetupLink]:
        """The newest first."""
        with answering():
            found = SetupLinkItem.query(
                connection_pk(connection_id),
                SetupLinkItem.sk.startswith(_PREFIX),
                consistent_read=True,
                scan_index_forward=False,
                limit=MAX_SHOWN,
            )
            return [_link(item) for item in found]

    def add(self, link: SetupLink, event: Event) -> None:
        """Keep a new link."""
        t = Transaction(self._tables, self._outbox)
        pk = connection_pk(link.connection_id)
        t.check(ConnectionItem, pk, SK, ConnectionItem.pk.exists(), refused=NotFound())
        t.put(_item(link), SetupLinkItem.pk.does_not_exist(), refused=Broken("An id was made twice."))
        t.commit(event)

    def replace(self, after: SetupLink, event: Event) -> None:
        """Note what became of a link."""
        t = Transaction(self._tables, self._outbox)
        there = SetupLinkItem.pk.exists() & SetupLinkItem.ended.does_not_exist()
        t.put(_item(after), there, refused=SetupLinkOver())
        t.commit(event)


def _item(link: SetupLink) -> SetupLinkItem:
    return SetupLinkItem(
        connection_pk(link.connection_id),
        _PREFIX + link.id,
        tenant_id=link.tenant_id,
        digest=link.digest,
        made_by=list(link.made_by),
        created_at=rfc3339(link.created_at),
        expires_at=rfc3339(link.expires_at),
        opened_at=None if link.opened_at is None else rfc3339(link.opened_at),
        ended=link.ended,
        ended_at=None if link.ended_at is None else rfc3339(link.ended_at),
        expires=int((link.expires_at + KEPT_FOR).timestamp()),
    )


def _link(item: SetupLinkItem) -> SetupLink:
    kind, principal_id = item.made_by
    return SetupLink(
        id=item.sk.removeprefix(_PREFIX),
        tenant_id=item.tenant_id,
        connection_id=item.pk.removeprefix(connection_pk("")),
        digest=item.digest,
        made_by=(kind, principal_id),
        created_at=parse_rfc3339(item.created_at),
        expires_at=parse_rfc3339(item.expires_at),
        opened_at=None if item.opened_at is None else parse_rfc3339(item.opened_at),
        ended=cast("End | None", item.ended),
        ended_at=None if item.ended_at is None else parse_rfc3339(item.ended_at),
    )
