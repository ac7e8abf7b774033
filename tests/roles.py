"""
What a function asks of AWS in process is held to its role in template.yaml, of which moto knows nothing: of DynamoDB and S3
what it is done to as well, of every other service that its role has the action.

The emulator of a deployed stack does not look at leading keys, and sees only what a deployed test walks through.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from tests.unit.infra.templates import may_call, may_reach

SERVING: ContextVar[str | None] = ContextVar("SERVING", default=None)
"""The folder of the function whose handler runs; None while a test itself asks AWS, and in threads that a handler starts."""

S3_ACTIONS = {
    "HeadObject": "GetObject",
    "DeleteObjects": "DeleteObject",
    "ListObjectsV2": "ListBucket",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
}
"""Actions that are not called as their operation is (Service Authorization Reference, Amazon S3)."""

TOLD_OF_LOCKS = {
    "s3:GetObjectRetention": ("ObjectLockMode", "ObjectLockRetainUntilDate"),
    "s3:GetObjectLegalHold": ("ObjectLockLegalHoldStatus",),
}
"""What HeadObject leaves out where a right is lacking (Amazon S3 API Reference, HeadObject)."""
PREFIXES = {"sesv2": "ses"}
ACTIONS = {
    "lambda:Invoke": ("lambda:InvokeFunction",),
    "kms:ReEncrypt": ("kms:ReEncryptFrom", "kms:ReEncryptTo"),
}
"""What other services' operations need, where it is no action of the operation's name (Service Authorization Reference)."""


def as_function(folder: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    """The function's *handler*, which says whose role holds while it runs."""

    def handle(*given: Any, **named: Any) -> Any:
        token = SERVING.set(folder)
        try:
            return handler(*given, **named)
        finally:
            SERVING.reset(token)

    return handle


def hold_to_roles(monkeypatch: pytest.MonkeyPatch, exported: Mapping[str, str]) -> list[str]:
    """
    Answer AccessDenied, as AWS would, where the role does not allow what is asked for, and note it in the list returned.

    *exported* says what the state exports each table and bucket as: `{"audit": "AuditTableArn"}`.
    """
    refused: list[str] = []
    call = BaseClient._make_api_call

    def held(client: BaseClient, operation: str, given: dict[str, Any]) -> Any:
        folder = SERVING.get()
        for action, name, partition in asked_for(client, operation, given) if folder else ():
            table_or_bucket, slash, key = name.partition("/")
            what = exported[table_or_bucket] + slash + key
            if not may_reach(folder, action, what, partition):
                refused.append(f"{folder} may not {action} {what} {partition or ''}")
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": refused[-1]}}, operation)
        for action in called(client, operation, given) if folder else ():
            if not may_call(folder, action):
                refused.append(f"{folder} may not {action}")
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": refused[-1]}}, operation)
        answer = call(client, operation, given)
        if folder and operation == "HeadObject":
            return as_told(folder, f"{exported[given['Bucket']]}/{given['Key']}", answer)
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", held)
    return refused


def as_told(folder: str, what: str, answer: dict[str, Any]) -> dict[str, Any]:
    """What HeadObject answers the function about *what*: nothing is refused, and how it is locked may be left out."""
    untold = [name for right, names in TOLD_OF_LOCKS.items() if not may_reach(folder, right, what) for name in names]
    return {name: value for name, value in answer.items() if name not in untold}


def asked_for(client: BaseClient, operation: str, given: dict[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    """Each action that *operation* is, on what table or `bucket/key`, and in what partition of the table (None: in all)."""
    service = client.meta.service_model.service_name
    if service == "s3" and not client._request_signer._credentials.token:  # with one it is ObjectBytesRole's session
        keys = [one["Key"] for one in given["Delete"]["Objects"]] if "Delete" in given else [given.get("Key")]
        for key in keys:
            where = f"{given['Bucket']}/{key}" if key else given["Bucket"]
            yield f"s3:{S3_ACTIONS.get(operation, operation)}", where, None
            if "ObjectLockMode" in given:
                yield "s3:PutObjectRetention", where, None
            if "ObjectLockLegalHoldStatus" in given:
                yield "s3:PutObjectLegalHold", where, None
    elif service == "dynamodb" and "TransactItems" in given:
        for kind, one in (pair for step in given["TransactItems"] for pair in step.items()):
            yield f"dynamodb:{kind}Item", one["TableName"], partition_of(one)
    elif service == "dynamodb" and "RequestItems" in given:
        for table, wanted in given["RequestItems"].items():
            written = [one for request in wanted for one in request.values()] if operation == "BatchWriteItem" else []
            for one in written or [{"Key": key} for key in wanted["Keys"]]:
                yield f"dynamodb:{operation}", table, partition_of(one)
    elif service == "dynamodb":
        yield f"dynamodb:{operation}", given["TableName"], partition_of(given)


def called(client: BaseClient, operation: str, given: dict[str, Any]) -> Iterator[str]:
    """The actions that a call of another service is; none where a session of another role makes it."""
    service = client.meta.service_model.service_name
    if service in ("dynamodb", "s3") or client._request_signer._credentials.token:
        return
    action = f"{PREFIXES.get(service, service)}:{operation}"
    yield from ACTIONS.get(action, (action,))
    if action == "sts:AssumeRole" and given.get("Tags"):
        yield "sts:TagSession"


def partition_of(given: dict[str, Any]) -> str | None:
    """The partition of a query or of a request for one item; None of a scan."""
    if "KeyConditionExpression" in given:
        asked = re.match(r"\(?(#\d+) = (:\d+)", given["KeyConditionExpression"])
        assert asked and given["ExpressionAttributeNames"][asked[1]] == "pk"
        return str(given["ExpressionAttributeValues"][asked[2]]["S"])
    keys = given.get("Key") or given.get("Item")
    return str(keys["pk"]["S"]) if keys else None
