"""
Token signing keys in the Key table: an item a key, and one that says which number was given last.

`pk` is the platform's tenant id, `sk` is `SIGNING#{kid}`, or `SIGNING` for the last number.
"""

import json
from collections.abc import Sequence

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException

from platforma.adapters.dynamodb.tables import Item, Tables, cause_of
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import Unavailable
from platforma.kernel.events import Event
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.errors import SigningKeysMoved
from platforma.keys.signing_key import SigningKey

SK = "SIGNING"


class SigningKeyItem(Item):
    """One signing key; *public_jwk* is JSON, times are RFC 3339."""

    table = "key"

    class Meta:
        table_name = "unbound"

    number = NumberAttribute()
    algorithm = UnicodeAttribute()
    public_jwk = UnicodeAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)
    created_at = UnicodeAttribute()
    active_at = UnicodeAttribute()


class LastNumberItem(Item):
    """The number of the key that was made last."""

    table = "key"

    class Meta:
        table_name = "unbound"

    number = NumberAttribute()


class DynamoDBSigningKeyStore:
    """`SigningKeyStore` in DynamoDB."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables = tables
        self._outbox = outbox

    def all(self) -> Sequence[SigningKey]:
        """Every stored key, read consistently."""
        try:
            found = SigningKeyItem.query(PLATFORM, SigningKeyItem.sk.startswith(f"{SK}#"), consistent_read=True)
            return [_key(item) for item in found]
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error

    def add(self, key: SigningKey, *, drop: Sequence[str] = (), event: Event) -> None:
        """
        Store *key*, remove *drop*, enter *event*: one transaction.

        Raises:
            SigningKeysMoved: another key has this number already.
        """
        transaction = Transaction(self._tables, self._outbox)
        unmoved = LastNumberItem.pk.does_not_exist() if key.number == 1 else LastNumberItem.number == key.number - 1
        transaction.put(LastNumberItem(PLATFORM, SK, number=key.number), unmoved, refused=SigningKeysMoved())
        transaction.put(_item(key))
        for kid in drop:
            transaction.delete(SigningKeyItem(PLATFORM, f"{SK}#{kid}"))
        transaction.commit(event)


def _item(key: SigningKey) -> SigningKeyItem:
    return SigningKeyItem(
        PLATFORM,
        f"{SK}#{key.kid}",
        number=key.number,
        algorithm=key.algorithm,
        public_jwk=json.dumps(dict(key.public_jwk)),
        sealed=key.sealed,
        created_at=rfc3339(key.created_at),
        active_at=rfc3339(key.active_at),
    )


def _key(item: SigningKeyItem) -> SigningKey:
    return SigningKey(
        kid=item.sk.removeprefix(f"{SK}#"),
        number=int(item.number),
        algorithm=item.algorithm,
        public_jwk=json.loads(item.public_jwk),
        sealed=item.sealed,
        created_at=parse_rfc3339(item.created_at),
        active_at=parse_rfc3339(item.active_at),
    )
