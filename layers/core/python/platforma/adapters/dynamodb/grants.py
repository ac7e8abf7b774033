"""Grants and the state of their refresh tokens; the items are drawn in `authorizations`."""

import json
from datetime import datetime
from typing import Any

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PynamoDBException

from platforma.adapters.dynamodb.revocations import revokes
from platforma.adapters.dynamodb.tables import Item, Tables, cause_of
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.adapters.dynamodb.versions import moves_revocation
from platforma.kernel.errors import Conflict, PreconditionFailed, Unavailable
from platforma.kernel.events import Event
from platforma.oauth.grants.model import LIVES_AT_MOST, Grant, Spent

_SK = "GRANT"
_BATCH = 100


class GrantItem(Item):
    """A grant. *said* holds what never changes, as JSON."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    tenant_id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    said = UnicodeAttribute()
    created_at = UnicodeAttribute()
    generation = NumberAttribute()
    token_hash = BinaryAttribute(legacy_encoding=False, null=True)
    used_at = UnicodeAttribute(null=True)
    spent_hash = BinaryAttribute(legacy_encoding=False, null=True)
    spent_at = UnicodeAttribute(null=True)
    spent_request = BinaryAttribute(legacy_encoding=False, null=True)
    spent_answer = BinaryAttribute(legacy_encoding=False, null=True)
    ended_at = UnicodeAttribute(null=True)


class UserGrantItem(Item):
    """That a user gave a grant."""

    table = "credential"

    class Meta:
        table_name = "unbound"


def puts_grant(transaction: Transaction, grant: Grant) -> None:
    """Let *transaction* also keep a new grant."""
    transaction.put(_item(grant), GrantItem.pk.does_not_exist(), refused=Conflict())
    transaction.put(UserGrantItem(grant.tenant_id, _place(grant), expires=_swept(grant)))


class DynamoDBGrants:
    """`platforma.oauth.authorization.ports.Grants`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def get(self, grant_id: str) -> Grant | None:
        """The grant of this id."""
        try:
            return _grant(GrantItem.get(_pk(grant_id), _SK, consistent_read=True))
        except DoesNotExist:
            return None
        except PynamoDBException as error:
            raise _unavailable(error) from error

    def of_user(self, tenant_id: str, user_id: str) -> list[Grant]:
        """Every grant of the user that has not ended."""
        try:
            listed = UserGrantItem.query(tenant_id, UserGrantItem.sk.startswith(_pk(f"{user_id}#")), consistent_read=True)
            ids = [item.sk.rpartition("#")[2] for item in listed]
            found: list[Grant] = []
            for first in range(0, len(ids), _BATCH):
                keys = [(_pk(grant_id), _SK) for grant_id in ids[first : first + _BATCH]]
                found += map(_grant, GrantItem.batch_get(keys, consistent_read=True))
        except PynamoDBException as error:
            raise _unavailable(error) from error
        return sorted((grant for grant in found if grant.ended_at is None), key=lambda grant: grant.created_at)

    def refresh(self, before: Grant, after: Grant, event: Event) -> None:
        """Put the generation *after* in the place of *before*."""
        transaction = Transaction(self._tables, self._outbox)
        condition = (GrantItem.generation == before.generation) & GrantItem.ended_at.does_not_exist()
        transaction.put(_item(after), condition, refused=PreconditionFailed())
        transaction.commit(event)

    def end(self, grant: Grant, at: datetime, event: Event) -> bool:
        """End it and all that was given by it."""
        transaction = Transaction(self._tables, self._outbox)
        transaction.update(
            GrantItem(_pk(grant.id), _SK),
            [GrantItem.ended_at.set(at.isoformat()), GrantItem.spent_answer.remove()],
            GrantItem.pk.exists() & GrantItem.ended_at.does_not_exist(),
            refused=PreconditionFailed(),
        )
        transaction.delete(UserGrantItem(grant.tenant_id, _place(grant)))
        revokes(transaction, grant.tenant_id, grant.id, at + LIVES_AT_MOST)
        moves_revocation(transaction, grant.tenant_id)
        try:
            transaction.commit(event)
        except PreconditionFailed:
            return False
        return True


def _unavailable(error: PynamoDBException) -> Unavailable:
    return Unavailable(cause=cause_of(error))


def _pk(grant_id: str) -> str:
    return f"GRANT#{grant_id}"


def _place(grant: Grant) -> str:
    return _pk(f"{grant.user_id}#{grant.id}")


def _swept(grant: Grant) -> int:
    return int((grant.created_at + LIVES_AT_MOST).timestamp()) + 86400


def _item(grant: Grant) -> GrantItem:
    spent = grant.spent
    said = {
        "client_id": grant.client_id,
        "session_id": grant.session_id,
        "scope": grant.scope,
        "audience": grant.audience,
        "amr": grant.amr,
        "auth_time": grant.auth_time.isoformat(),
        "claims": grant.claims,
        "binding": grant.binding,
    }
    return GrantItem(
        _pk(grant.id),
        _SK,
        tenant_id=grant.tenant_id,
        user_id=grant.user_id,
        said=json.dumps(said),
        created_at=grant.created_at.isoformat(),
        generation=grant.generation,
        token_hash=grant.token_hash,
        used_at=grant.used_at.isoformat() if grant.used_at else None,
        spent_hash=spent.token_hash if spent else None,
        spent_at=spent.at.isoformat() if spent else None,
        spent_request=spent.request if spent else None,
        spent_answer=spent.answer if spent else None,
        ended_at=grant.ended_at.isoformat() if grant.ended_at else None,
        expires=_swept(grant),
    )


def _grant(item: GrantItem) -> Grant:
    said: dict[str, Any] = json.loads(item.said)
    return Grant(
        id=item.pk.removeprefix(_pk("")),
        tenant_id=item.tenant_id,
        client_id=said["client_id"],
        user_id=item.user_id,
        session_id=said["session_id"],
        scope=tuple(said["scope"]),
        audience=said["audience"],
        amr=tuple(said["amr"]),
        auth_time=datetime.fromisoformat(said["auth_time"]),
        created_at=datetime.fromisoformat(item.created_at),
        claims=said["claims"],
        binding=said["binding"],
        generation=int(item.generation),
        token_hash=bytes(item.token_hash) if item.token_hash else None,
        used_at=datetime.fromisoformat(item.used_at) if item.used_at else None,
        spent=_spent(item),
        ended_at=datetime.fromisoformat(item.ended_at) if item.ended_at else None,
    )


def _spent(item: GrantItem) -> Spent | None:
    if not (item.spent_hash and item.spent_at and item.spent_request and item.spent_answer):
        return None
    return Spent(
        token_hash=bytes(item.spent_hash),
        at=datetime.fromisoformat(item.spent_at),
        request=bytes(item.spent_request),
        answer=bytes(item.spent_answer),
    )
