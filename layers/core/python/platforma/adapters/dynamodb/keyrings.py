"""Tenants' long-lived data keys in the Key table: `{tenant_id}#KEYRING` / the key's name."""

from pynamodb.attributes import BinaryAttribute
from pynamodb.exceptions import DoesNotExist, PutError, PynamoDBException

from platforma.adapters.dynamodb.tables import Item, cause_of, code_of
from platforma.kernel.errors import Unavailable


class KeyringItem(Item):
    """One data key, sealed."""

    table = "key"

    class Meta:
        table_name = "unbound"

    sealed = BinaryAttribute(legacy_encoding=False)


class DynamoDBKeyrings:
    """`KeyringStore`."""

    def find(self, tenant_id: str, name: str) -> bytes | None:
        """The sealed key of this name."""
        try:
            return bytes(KeyringItem.get(f"{tenant_id}#KEYRING", name, consistent_read=True).sealed)
        except DoesNotExist:
            return None
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error

    def make(self, tenant_id: str, name: str, sealed: bytes) -> bytes:
        """Store *sealed* unless there is a key of this name."""
        try:
            KeyringItem(f"{tenant_id}#KEYRING", name, sealed=sealed).save(KeyringItem.pk.does_not_exist())
        except PutError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise Unavailable(cause=cause_of(error)) from error
            found = self.find(tenant_id, name)
            if found is None:
                raise Unavailable("A tenant's key was there and is not.") from None
            return found
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error
        return sealed
