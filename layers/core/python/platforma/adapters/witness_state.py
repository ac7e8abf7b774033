"""What a witness in an account of its own keeps: a table of what it saw, and the secret that its key is made of."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from platforma.kernel.errors import Unavailable

_CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"max_attempts": 2, "mode": "standard"})
_LEAST = 64
"""Characters that the secret has at least: letters and digits, more than 256 bits of them."""


def witness_key(secret_id: str) -> Ed25519PrivateKey:
    """
    The key that follows, by HKDF-SHA256 (RFC 5869), from what Secrets Manager made up: nobody ever handled it.

    Raises:
        Unavailable: the secret cannot be read.
        ValueError: it is too short to be one.
    """
    try:
        secret = boto3.client("secretsmanager", config=_CONFIG).get_secret_value(SecretId=secret_id)["SecretString"]
    except (ClientError, BotoCoreError) as error:
        raise Unavailable(cause=type(error).__name__) from error
    if len(secret) < _LEAST:
        raise ValueError("The witness's secret is too short.")
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"platforma witness ed25519").derive(secret.encode())
    return Ed25519PrivateKey.from_private_bytes(seed)


class SeenInTable:
    """`platforma.audit.witness.Seen`: an item a log, replaced on condition that it still says what was read."""

    def __init__(self, table: str) -> None:
        self._table: Any = boto3.client("dynamodb", config=_CONFIG)
        self._name = table

    def get(self, origin: str) -> str | None:
        """What the log's item says, read consistently."""
        try:
            found = self._table.get_item(TableName=self._name, Key={"origin": {"S": origin}}, ConsistentRead=True)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(cause=type(error).__name__) from error
        return str(found["Item"]["checkpoint"]["S"]) if "Item" in found else None

    def put(self, origin: str, before: str | None, after: str) -> bool:
        """Put it, if *before* is still what is there. One that was put though no answer came is found the next time."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(origin)"}
        if before is not None:
            condition = {
                "ConditionExpression": "checkpoint = :before",
                "ExpressionAttributeValues": {":before": {"S": before}},
            }
        try:
            item = {"origin": {"S": origin}, "checkpoint": {"S": after}}
            self._table.put_item(TableName=self._name, Item=item, **condition)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
                return False
            raise Unavailable(cause=type(error).__name__) from error
        except BotoCoreError as error:
            raise Unavailable(cause=type(error).__name__) from error
        return True
