"""
The five tables, by trust boundary, as bases for the items kept in them.

Every item has `pk` and `sk` (strings). `pk` starts with the tenant's id, except in items that are found before the tenant
is known. `expires` (epoch seconds) is the tables' TTL attribute. It only sweeps: a stored expiry is always checked as well.
"""

from contextlib import suppress
from typing import Any, ClassVar

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException
from pynamodb.models import Model

TABLES = ("identity", "credential", "policy", "audit", "key")


def code_of(error: PynamoDBException) -> str | None:
    """DynamoDB's own word for what it refused; None where it gave no answer, of which botocore has no response either."""
    response = getattr(error.cause, "response", None) or {}
    code: str | None = response.get("Error", {}).get("Code")
    return code


def cause_of(error: PynamoDBException) -> str:
    """Why storage did not do it: DynamoDB's word, or what became of the request."""
    return code_of(error) or type(error.cause).__name__


class Item(Model):
    """What every item has. *table* names one of `TABLES`; the deployed name is given by `bind`."""

    table: ClassVar[str]
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    expires = NumberAttribute(null=True)


def items() -> list[type[Item]]:
    """Every concrete item class that has been imported."""

    def below(cls: type[Item]) -> list[type[Item]]:
        return [cls, *(inner for sub in cls.__subclasses__() for inner in below(sub))]

    return [cls for cls in below(Item) if getattr(cls, "table", None)]


class Tables:
    """
    The deployed tables: names by trust boundary, region, and the one connection that all items and transactions share.

    PynamoDB would make a client of its own for each class, and a client costs a tenth of a second.
    """

    def __init__(self, names: dict[str, str], region: str, **connection: Any) -> None:
        self.names = names
        self.connection = Connection(
            region=region, max_retry_attempts=2, connect_timeout_seconds=2, read_timeout_seconds=5, **connection
        )
        self._region = region

    def bind(self) -> "Tables":
        """Point every imported item class at its deployed table; one this function has no name for stays unreachable."""
        for cls in items():
            known = cls._connection
            if (name := self.names.get(cls.table)) and (known is None or known.connection is not self.connection):
                _adopt(cls, type("Meta", (), {"table_name": name, "region": self._region}), self.connection)
        return self


def _adopt(cls: type[Item], meta: Any, connection: Connection) -> None:
    previous = getattr(cls, "Meta", None)
    for name in dir(previous):
        if not name.startswith("__") and not hasattr(meta, name):
            setattr(meta, name, getattr(previous, name))
    cls.Meta = meta
    cls._connection = None
    table = cls._get_connection()
    with suppress(ValueError):  # another class of this table came first, with the same keys
        connection.add_meta_table(table.get_meta_table())
    table.connection = connection
