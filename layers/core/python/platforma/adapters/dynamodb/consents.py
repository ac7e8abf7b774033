"""Consents; the items are drawn in `authorizations`."""

from datetime import datetime
from typing import Any

from pynamodb.attributes import ListAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PynamoDBException

from platforma.adapters.dynamodb.tables import Item, Tables, cause_of
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.kernel.errors import PreconditionFailed, Unavailable
from platforma.kernel.events import Event
from platforma.oauth.consents.model import Consent


class ConsentItem(Item):
    """What a user allowed a client."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    scopes: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute)
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()


class DynamoDBConsents:
    """`platforma.oauth.authorization.ports.Consents`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def get(self, tenant_id: str, user_id: str, client_id: str) -> Consent | None:
        """The consent."""
        try:
            return _consent(ConsentItem.get(tenant_id, _sk(user_id, client_id), consistent_read=True))
        except DoesNotExist:
            return None
        except PynamoDBException as error:
            raise _unavailable(error) from error

    def of_user(self, tenant_id: str, user_id: str, *, limit: int, after: str | None) -> tuple[list[Consent], str | None]:
        """A page of the user's consents."""
        start = None if after is None else {"pk": {"S": tenant_id}, "sk": {"S": _sk(user_id, after)}}
        try:
            listed = ConsentItem.query(
                tenant_id,
                ConsentItem.sk.startswith(_sk(user_id, "")),
                consistent_read=True,
                limit=limit,
                last_evaluated_key=start,
            )
            found = [_consent(item) for item in listed]
        except PynamoDBException as error:
            raise _unavailable(error) from error
        return found, found[-1].client_id if listed.last_evaluated_key else None

    def put(self, consent: Consent, event: Event) -> None:
        """Keep it in place of the one that was there."""
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(
            ConsentItem(
                consent.tenant_id,
                _sk(consent.user_id, consent.client_id),
                scopes=list(consent.scopes),
                created_at=consent.created_at.isoformat(),
                updated_at=consent.updated_at.isoformat(),
            )
        )
        transaction.commit(event)

    def remove(self, consent: Consent, event: Event) -> None:
        """Forget it."""
        transaction = Transaction(self._tables, self._outbox)
        transaction.delete(
            ConsentItem(consent.tenant_id, _sk(consent.user_id, consent.client_id)),
            ConsentItem.updated_at == consent.updated_at.isoformat(),
            refused=PreconditionFailed(),
        )
        transaction.commit(event)

    def forget(self, tenant_id: str, user_id: str) -> None:
        """Leave nothing of the person's."""
        try:
            theirs = ConsentItem.query(tenant_id, ConsentItem.sk.startswith(_sk(user_id, "")), consistent_read=True)
            for item in list(theirs):
                item.delete()
        except PynamoDBException as error:
            raise _unavailable(error) from error


def _unavailable(error: PynamoDBException) -> Unavailable:
    return Unavailable(cause=cause_of(error))


def _sk(user_id: str, client_id: str) -> str:
    return f"CONSENT#{user_id}#{client_id}"


def _consent(item: ConsentItem) -> Consent:
    _, user_id, client_id = item.sk.split("#")
    return Consent(
        tenant_id=item.pk,
        user_id=user_id,
        client_id=client_id,
        scopes=tuple(item.scopes),
        created_at=datetime.fromisoformat(item.created_at),
        updated_at=datetime.fromisoformat(item.updated_at),
    )
