"""What was shredded, in the Identity table: `{PLATFORM}` / `SHREDDING#{tenant_id}`."""

import json

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PutError, PynamoDBException

from platforma.adapters.dynamodb.tables import Item, Tables, cause_of, code_of
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import PreconditionFailed, Unavailable
from platforma.kernel.events import Event
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.shredding import LogPosition, Shredding


class ShreddingItem(Item):
    """A shredding, done where it has a *statement*. *versions* and *logs* are JSON."""

    table = "identity"

    class Meta:
        table_name = "unbound"

    key_id = UnicodeAttribute()
    versions = UnicodeAttribute()
    logs = UnicodeAttribute()
    destroyed_at = UnicodeAttribute(null=True)
    statement = UnicodeAttribute(null=True)
    version = NumberAttribute()


class DynamoDBShreddings:
    """`Shreddings`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def get(self, tenant_id: str) -> Shredding | None:
        """The tenant's shredding."""
        try:
            item = ShreddingItem.get(PLATFORM, _sk(tenant_id), consistent_read=True)
        except DoesNotExist:
            return None
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error
        return Shredding(
            tenant_id=tenant_id,
            key_id=item.key_id,
            versions=tuple(json.loads(item.versions)),
            logs=tuple(LogPosition(*log) for log in json.loads(item.logs)),
            destroyed_at=None if item.destroyed_at is None else parse_rfc3339(item.destroyed_at),
            statement=item.statement,
        )

    def begin(self, shredding: Shredding) -> Shredding:
        """Keep it unless one was begun."""
        try:
            _item(shredding, 1).save(ShreddingItem.pk.does_not_exist())
        except PutError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise Unavailable(cause=cause_of(error)) from error
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error
        return self._standing(shredding.tenant_id)

    def finish(self, shredding: Shredding, event: Event) -> Shredding:
        """Keep the statement unless there is one."""
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(_item(shredding, 2), ShreddingItem.version == 1, refused=PreconditionFailed())
        try:
            transaction.commit(event)
        except PreconditionFailed:
            return self._standing(shredding.tenant_id)
        return shredding

    def _standing(self, tenant_id: str) -> Shredding:
        found = self.get(tenant_id)
        if found is None:
            raise Unavailable("A shredding was there and is not.")
        return found


def _sk(tenant_id: str) -> str:
    return f"SHREDDING#{tenant_id}"


def _item(shredding: Shredding, version: int) -> ShreddingItem:
    return ShreddingItem(
        PLATFORM,
        _sk(shredding.tenant_id),
        key_id=shredding.key_id,
        versions=json.dumps(shredding.versions),
        logs=json.dumps([[log.id, log.size, log.root] for log in shredding.logs]),
        destroyed_at=None if shredding.destroyed_at is None else rfc3339(shredding.destroyed_at),
        statement=shredding.statement,
        version=version,
    )
