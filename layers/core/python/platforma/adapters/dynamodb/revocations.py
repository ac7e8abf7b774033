"""
What was ended before its time, in the Credential table.

    {tenant_id}#REVOKED#{id} / REVOKED    that a session, a grant or an access token is good no more

Whoever verifies a token looks here once for each of its ids whenever the tenant's revocation version has moved.
"""

from collections.abc import Iterable
from datetime import datetime

from pynamodb.exceptions import PynamoDBException

from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.adapters.dynamodb.versions import moves_revocation
from platforma.kernel.errors import Unavailable
from platforma.kernel.events import Event

_SK = "REVOKED"


class RevokedItem(Item):
    """An id that was revoked. *expires* is when nothing that names it could be good any more."""

    table = "credential"

    class Meta:
        table_name = "unbound"


def revokes(transaction: Transaction, tenant_id: str, revoked_id: str, until: datetime) -> None:
    """Let *transaction* also say that *revoked_id* is good no more; the caller moves the tenant's revocation version."""
    transaction.put(RevokedItem(_pk(tenant_id, revoked_id), _SK, expires=int(until.timestamp())))


class DynamoDBRevocations:
    """`platforma.oauth.sessions.Revocations`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def any_of(self, tenant_id: str, ids: Iterable[str]) -> bool:
        """Whether one of *ids* was revoked. What TTL has not swept yet is revoked still: nothing good names it."""
        keys = [(_pk(tenant_id, each), _SK) for each in dict.fromkeys(ids)]
        try:
            return bool(keys) and any(True for _ in RevokedItem.batch_get(keys, consistent_read=True))
        except PynamoDBException as error:
            raise Unavailable(cause=error.cause_response_code or type(error.cause).__name__) from error

    def revoke(self, tenant_id: str, revoked_id: str, until: datetime, event: Event) -> None:
        """Have *revoked_id* be revoked."""
        transaction = Transaction(self._tables, self._outbox)
        revokes(transaction, tenant_id, revoked_id, until)
        moves_revocation(transaction, tenant_id)
        transaction.commit(event)


def _pk(tenant_id: str, revoked_id: str) -> str:
    return f"{tenant_id}#REVOKED#{revoked_id}"
