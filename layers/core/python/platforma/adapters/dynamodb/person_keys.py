"""Keys of persons in the Key table: `{tenant_id}#PERSON` / the person's name. An erased one stays, without its key."""

from collections.abc import Mapping, Sequence

from pynamodb.attributes import BinaryAttribute
from pynamodb.exceptions import DoesNotExist, PutError, PynamoDBException

from platforma.adapters.dynamodb.tables import Item, cause_of, code_of
from platforma.kernel.errors import Unavailable


class PersonKeyItem(Item):
    """One person's key, sealed; without *sealed*, the memory that there was one."""

    table = "key"

    class Meta:
        table_name = "unbound"

    sealed = BinaryAttribute(legacy_encoding=False, null=True)


class DynamoDBPersonKeys:
    """`PersonKeyStore`."""

    def find(self, tenant_id: str, names: Sequence[str]) -> Mapping[str, bytes | None]:
        """The sealed keys of these names."""
        try:
            found = PersonKeyItem.batch_get([(_key(tenant_id), name) for name in names], consistent_read=True)
            return {item.sk: bytes(item.sealed) if item.sealed else None for item in found}
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error

    def make(self, tenant_id: str, name: str, sealed: bytes) -> bytes | None:
        """Store *sealed* unless there is or was a key of this name."""
        try:
            PersonKeyItem(_key(tenant_id), name, sealed=sealed).save(PersonKeyItem.pk.does_not_exist())
        except PutError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise Unavailable(cause=cause_of(error)) from error
            return self._stored(tenant_id, name)
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error
        return sealed

    def erase(self, tenant_id: str, name: str) -> None:
        """Destroy the key, leave the name."""
        try:
            PersonKeyItem(_key(tenant_id), name).save()
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error

    def _stored(self, tenant_id: str, name: str) -> bytes | None:
        try:
            item = PersonKeyItem.get(_key(tenant_id), name, consistent_read=True)
        except DoesNotExist:
            raise Unavailable("A person's key was there and is not.") from None
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error
        return bytes(item.sealed) if item.sealed else None


def _key(tenant_id: str) -> str:
    return f"{tenant_id}#PERSON"
