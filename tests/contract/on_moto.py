"""
DynamoDB by moto, as the suites of this folder share it.

moto writes all of a transaction's items and then takes a cancelled one back, in the sight of other threads: they read what
never was, and what they write in between is lost. Here requests are isolated from each other as DynamoDB's are.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import boto3
import pytest
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler
from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.kernel.errors import Conflict, PlatformaError
from platforma.kernel.events import Event

REGION = "eu-central-1"


def isolate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one thread at a time into the backend, for a whole request."""
    lock, answer = RLock(), DynamoHandler.call_action

    def alone(handler):
        with lock:
            return answer(handler)

    monkeypatch.setattr(DynamoHandler, "call_action", alone)


def make_tables(*names: str) -> None:
    """Tables of the one shape that all of ours have."""
    client = boto3.client("dynamodb", REGION)
    for name in names:
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        )


@contextmanager
def tables_on_moto(*names: str) -> Iterator[Tables]:
    """Fresh tables, each under its own name, bound; gone afterwards."""
    with pytest.MonkeyPatch.context() as monkeypatch, mock_aws():
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        isolate(monkeypatch)
        make_tables(*names)
        yield Tables({name: name for name in names}, REGION).bind()


class KeptEvents:
    """An outbox that keeps each event under its id, once, in one of the suite's *tables*."""

    def __init__(self, tables: Tables, table: str) -> None:
        self.model = _entered_item(table)
        tables.bind()

    def items(self, event: Event) -> list[tuple[Item, Condition, PlatformaError]]:
        """The write that a transaction takes along, on what condition, and what breaking that raises."""
        item = self.model("events", event.id, resource=event.resource)
        return [(item, self.model.pk.does_not_exist(), Conflict("twice"))]

    def ids(self) -> set[str]:
        """Of the events that were kept so far."""
        return {item.sk for item in self.model.query("events", consistent_read=True)}

    def of_resource(self, resource: str) -> int:
        """How many of them tell of it."""
        return sum(item.resource == resource for item in self.model.query("events", consistent_read=True))


def _entered_item(name: str) -> type[Item]:
    class EnteredItem(Item):
        table = name

        class Meta:
            table_name = "unbound"

        resource = UnicodeAttribute(null=True)

    return EnteredItem
