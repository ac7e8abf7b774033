"""
What was ended before its time, in the Credential table.

    {tenant_id}#REVOKED#{id} / REVOKED        that a session, a grant or an access token is good no more
    {tenant_id}#REVOKED#{user_id} / REVOKED   that no session of the user's is that began before `at`, but for `but`

Whoever verifies a token looks here once for each of its ids whenever the tenant's revocation version has moved.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import PynamoDBException

from platforma.adapters.dynamodb.tables import Item, Tables, cause_of
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.adapters.dynamodb.versions import moves_revocation
from platforma.kernel.errors import Unavailable
from platforma.kernel.events import Event
from platforma.kernel.ids import is_id
from platforma.oauth.grants.model import LIVES_AT_MOST
from platforma.oauth.sessions.model import SignedOut

_SK = "REVOKED"


class RevokedItem(Item):
    """An id that was revoked. *expires* is when nothing that names it could be good any more."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    at = UnicodeAttribute(null=True)
    but = UnicodeAttribute(null=True)


def revokes(transaction: Transaction, tenant_id: str, revoked_id: str, until: datetime) -> None:
    """Let *transaction* also say that *revoked_id* is good no more; the caller moves the tenant's revocation version."""
    transaction.put(RevokedItem(_pk(tenant_id, revoked_id), _SK, expires=int(until.timestamp())))


def signs_out(transaction: Transaction, tenant_id: str, user_id: str, at: datetime, but: str | None = None) -> None:
    """Let *transaction* also sign the user out wherever they are, but for the session *but*; as `revokes` besides."""
    expires = int((at + LIVES_AT_MOST).timestamp()) + 1
    transaction.put(RevokedItem(_pk(tenant_id, user_id), _SK, at=at.isoformat(), but=but, expires=expires))


def signed_out(tenant_id: str, user_ids: Iterable[str]) -> dict[str, SignedOut]:
    """When those of the users were signed out who were, read consistently; PynamoDB's errors are the caller's."""
    places = {_pk(tenant_id, each): each for each in user_ids}
    items = _found([(place, _SK) for place in places])
    return {places[item.pk]: SignedOut(datetime.fromisoformat(item.at), item.but) for item in items if item.at}


def _found(keys: Sequence[tuple[str, str]]) -> list[RevokedItem]:
    return list(RevokedItem.batch_get(keys, consistent_read=True)) if keys else []


class DynamoDBRevocations:
    """`platforma.oauth.sessions.Revocations`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def any_of(self, tenant_id: str, ids: Iterable[str], *, user_id: str | None = None) -> bool:
        """Whether one of *ids* was revoked. What TTL has not swept yet is revoked still: nothing good names it."""
        asked = tuple(dict.fromkeys(ids))
        users = (user_id,) if user_id is not None else ()
        try:
            found = _found([(_pk(tenant_id, each), _SK) for each in (*asked, *users)])
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error
        outs = [SignedOut(datetime.fromisoformat(item.at), item.but) for item in found if item.at]
        revoked = len(found) > len(outs)
        return revoked or any(out.ends(each) for out in outs for each in asked if is_id(each, "ses"))

    def revoke(self, tenant_id: str, revoked_id: str, until: datetime, event: Event) -> None:
        """Have *revoked_id* be revoked."""
        transaction = Transaction(self._tables, self._outbox)
        revokes(transaction, tenant_id, revoked_id, until)
        moves_revocation(transaction, tenant_id)
        transaction.commit(event)


def _pk(tenant_id: str, revoked_id: str) -> str:
    return f"{tenant_id}#REVOKED#{revoked_id}"
