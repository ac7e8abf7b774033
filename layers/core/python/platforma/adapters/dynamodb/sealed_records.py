"""
Every value that an envelope sealed, in every table, found by reading the tables through: for a job, never for a request.

boto3's own client and not PynamoDB, since what is read is of no one model: whatever an item is, its binary attributes and
those in its maps and lists are looked at.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from platforma.kernel.errors import Unavailable
from platforma.keys.encryption.ports import SealedRecord
from platforma.keys.envelope import wrapping_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAGE = 200
_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"max_attempts": 3, "mode": "standard"})


class DynamoDBSealedRecords:
    """`SealedRecords`. *names* are the deployed names by trust boundary."""

    def __init__(self, names: Mapping[str, str], client: "DynamoDBClient | None" = None) -> None:
        self.tables: Sequence[str] = sorted(names)
        self._names = names
        self._client: DynamoDBClient = client or boto3.client("dynamodb", config=_CONFIG)

    def page(self, table: str, after: str | None) -> tuple[list[SealedRecord], str | None]:
        """The sealed values of the next items."""
        start: dict[str, Any] = {"ExclusiveStartKey": json.loads(after)} if after else {}
        try:
            answer = self._client.scan(TableName=self._names[table], Limit=PAGE, ConsistentRead=True, **start)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(cause=type(error).__name__) from error
        found = [
            SealedRecord(table, item["pk"]["S"], item["sk"]["S"], path, ciphertext)
            for item in answer["Items"]
            for path, ciphertext in _sealed({"M": item}, ())
        ]
        last = answer.get("LastEvaluatedKey")
        return found, json.dumps(last) if last else None

    def replace(self, record: SealedRecord, ciphertext: bytes) -> bool:
        """Put *ciphertext* in *record*'s place, if it still stands there."""
        names = {f"#n{place}": part for place, part in enumerate(record.path) if isinstance(part, str)}
        where = "".join(
            f"[{part}]" if isinstance(part, int) else f".#n{place}" for place, part in enumerate(record.path)
        ).removeprefix(".")
        try:
            self._client.update_item(
                TableName=self._names[record.table],
                Key={"pk": {"S": record.pk}, "sk": {"S": record.sk}},
                UpdateExpression=f"SET {where} = :new",
                ConditionExpression=f"{where} = :old",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={":new": {"B": ciphertext}, ":old": {"B": record.ciphertext}},
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
                return False
            raise Unavailable(cause=type(error).__name__) from error
        except BotoCoreError as error:
            raise Unavailable(cause=type(error).__name__) from error
        return True


def _sealed(value: Mapping[str, Any], path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], bytes]]:
    if "B" in value and wrapping_of(value["B"]) is not None:
        yield path, value["B"]
    for name, inner in value.get("M", {}).items():
        yield from _sealed(inner, (*path, name))
    for place, inner in enumerate(value.get("L", ())):
        yield from _sealed(inner, (*path, place))
