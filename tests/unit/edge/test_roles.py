"""What runs in process may ask for no more than its function's role allows."""

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


@pytest.mark.parametrize(("folder", "service", "operation", "given"), ASKED)
def test_what_a_role_does_not_allow_is_refused_and_fails_the_test(folder, service, operation, given, monkeypatch):
    def ask() -> None:
        with running(monkeypatch), pytest.raises(ClientError, match="AccessDenied"):
            as_function(folder, getattr(boto3.client(service, region_name=REGION), operation))(**given)

    with pytest.raises(AssertionError, match=r"what template\.yaml does not allow"):
        ask()
