"""What runs in process may ask for no more than its function's role allows."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.roles import as_function
from tests.world import BUCKET, REGION, running

KEY = {"pk": {"S": "CODE#0f"}, "sk": {"S": "CODE"}}
ASKED = [
    ("oauth_metadata", "dynamodb", "get_item", {"TableName": "identity", "Key": KEY}),
    ("identity_me", "dynamodb", "update_item", {"TableName": "credential", "Key": KEY}),  # its partition is none it changes
    ("identity_me", "dynamodb", "scan", {"TableName": "identity"}),
    ("identity_me", "dynamodb", "batch_get_item", {"RequestItems": {"audit": {"Keys": [KEY]}}}),
    ("identity_me", "dynamodb", "transact_write_items", {"TransactItems": [{"Delete": {"TableName": "audit", "Key": KEY}}]}),
    ("identity_me", "s3", "get_object", {"Bucket": BUCKET, "Key": "a"}),
]


def test_how_an_object_is_locked_is_told_to_who_may_know(monkeypatch):
    until = datetime.now(UTC) + timedelta(days=1)
    with running(monkeypatch):
        s3 = boto3.client("s3", region_name=REGION)
        s3.put_object(
            Bucket=BUCKET,
            Key="log/checkpoints/1",
            Body=b"",
            ObjectLockMode="COMPLIANCE",
            ObjectLockRetainUntilDate=until,
            ObjectLockLegalHoldStatus="ON",
        )
        told = {
            folder: {
                name.removeprefix("ObjectLock")
                for name in as_function(folder, s3.head_object)(Bucket=BUCKET, Key="log/checkpoints/1")
                if name.startswith("ObjectLock")
            }
            for folder in ("audit_relay", "compliance_reports", "audit_export")
        }

    of_retention = {"Mode", "RetainUntilDate"}
    assert told == {
        "audit_relay": of_retention | {"LegalHoldStatus"},
        "compliance_reports": of_retention,
        "audit_export": set(),
    }


@pytest.mark.parametrize(("folder", "service", "operation", "given"), ASKED)
def test_what_a_role_does_not_allow_is_refused_and_fails_the_test(folder, service, operation, given, monkeypatch):
    def ask() -> None:
        with running(monkeypatch), pytest.raises(ClientError, match="AccessDenied"):
            as_function(folder, getattr(boto3.client(service, region_name=REGION), operation))(**given)

    with pytest.raises(AssertionError, match=r"what template\.yaml does not allow"):
        ask()
