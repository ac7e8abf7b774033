"""Counts of password attempts in DynamoDB: bookkeeping of no tenant's state, so they carry no event of their own."""

import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from pynamodb.attributes import NumberAttribute
from pynamodb.expressions.condition import Condition

from platforma.adapters.dynamodb.identity.items import read, reading
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Transaction
from platforma.identity.errors import TurnTaken
from platforma.identity.throttle import FORGOTTEN_AFTER, Attempts
from platforma.keys.ports import Secrets

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AttemptsItem(Item):
    """Attempts charged to a subject, or until when it is known, under `ATTEMPTS#{HMAC}`. *last*: microseconds since 1970."""

    table = "identity"

    class Meta:
        table_name = "unbound"

    number = NumberAttribute()
    last = NumberAttribute()


class DynamoAttemptCounts:
    """`AttemptCounts`."""

    def __init__(self, tables: Tables, secrets: Secrets) -> None:
        self._tables = tables
        self._secrets = secrets

    def read(self, tenant_id: str, subject: str) -> Attempts | None:
        """What was charged to the subject."""
        item = read(AttemptsItem, tenant_id, self._sk(tenant_id, subject))
        if item is None:
            return None
        return Attempts(int(item.number), _EPOCH + timedelta(microseconds=int(item.last)))

    def charge(self, tenant_id: str, subject: str, charged: Attempts, *, replacing: Attempts | None) -> None:
        """Put *charged* in the place of what was read."""
        condition: Condition = AttemptsItem.pk.does_not_exist()
        if replacing is not None:
            condition = (AttemptsItem.number == replacing.count) & (AttemptsItem.last == _microseconds(replacing.last))
        item = AttemptsItem(
            tenant_id,
            self._sk(tenant_id, subject),
            number=charged.count,
            last=_microseconds(charged.last),
            expires=int((charged.last + FORGOTTEN_AFTER).timestamp()) + 1,
        )
        t = Transaction(self._tables)
        t.put(item, condition, refused=TurnTaken())
        t.commit()

    def forget(self, tenant_id: str, subject: str) -> None:
        """Charge the subject nothing any more."""
        with reading():
            AttemptsItem(tenant_id, self._sk(tenant_id, subject)).delete()

    def remember(self, tenant_id: str, subject: str, *, until: datetime) -> None:
        """Keep in mind that this subject is known."""
        with reading():
            AttemptsItem(
                tenant_id,
                self._sk(tenant_id, "known:" + subject),
                number=0,
                last=_microseconds(until),
                expires=int(until.timestamp()) + 1,
            ).save()

    def remembers(self, tenant_id: str, subject: str, *, now: datetime) -> bool:
        """Whether it is known still."""
        item = read(AttemptsItem, tenant_id, self._sk(tenant_id, "known:" + subject))
        return item is not None and _microseconds(now) < int(item.last)

    def _sk(self, tenant_id: str, subject: str) -> str:
        message = f"attempts\0{tenant_id}\0{subject}".encode()
        return "ATTEMPTS#" + hmac.digest(self._secrets.secret("lookup"), message, sha256).hex()


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
