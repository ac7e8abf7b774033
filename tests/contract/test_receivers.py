"""Receivers in AWS, reached as a role of the customer's (moto), and over HTTPS as whatever a stranger names."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from moto import mock_aws

from platforma.adapters.fetch import Fetched, PublicFetch
from platforma.adapters.receivers import Receivers
from platforma.audit.streams.errors import Unreached
from platforma.audit.streams.model import Message
from platforma.kernel.ids import new_id
from platforma.oauth.errors import Unfetched

REGION, TENANT = "eu-central-1", new_id("ten")
ROLE = {"role_arn": "arn:aws:iam::123456789012:role/siem"}
BUCKET = {"type": "s3", "bucket": "their-log", "region": REGION, "prefix": "platforma/", **ROLE}
BUS = {"type": "eventbridge", "event_bus_arn": f"arn:aws:events:{REGION}:123456789012:event-bus/siem", **ROLE}
HTTPS = {"type": "https", "url": "https://siem.test/in"}
Calls = list[tuple[str, dict[str, Any], str]]


def message(count: int = 3, *, first: int = 3, size: int = 10) -> Message:
    lines = (json.dumps({"action": "a.b.c", "sequence": first + at, "x": "x" * size}) + "\n" for at in range(count))
    return Message("msg_1", TENANT, first, tuple(lines), {"webhook-id": "msg_1"})


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    """What was asked of AWS: operation, parameters, and by which key."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    asked: Calls = []
    plain = BaseClient._make_api_call

    def noted(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        asked.append((operation, parameters, client._request_signer._credentials.access_key))
        return plain(client, operation, parameters)

    with mock_aws():
        boto3.client("s3", region_name=REGION).create_bucket(
            Bucket="their-log", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        boto3.client("events", region_name=REGION).create_event_bus(Name="siem")
        monkeypatch.setattr(BaseClient, "_make_api_call", noted)
        yield asked


def test_a_bucket_is_written_to_as_the_customers_role_under_the_tenants_external_id(calls: Calls):
    Receivers(PublicFetch())(TENANT, BUCKET, message())

    (assumed, asked, ours), (put, written, theirs) = calls
    assert (assumed, asked["RoleArn"], asked["ExternalId"]) == ("AssumeRole", ROLE["role_arn"], TENANT)
    assert (put, written["Key"]) == ("PutObject", f"platforma/{TENANT}/{3:020d}-3.jsonl")
    assert ours != theirs
    stored = boto3.client("s3", region_name=REGION).get_object(Bucket="their-log", Key=written["Key"])["Body"].read()
    assert stored == message().body


def test_one_tenants_session_is_not_anothers_though_it_names_the_same_role(calls: Calls):
    receivers = Receivers(PublicFetch())
    for tenant_id in (TENANT, TENANT, "ten_other"):
        receivers(tenant_id, BUCKET, message())

    assert [asked["ExternalId"] for operation, asked, _ in calls if operation == "AssumeRole"] == [TENANT, "ten_other"]


def test_a_bus_gets_an_entry_an_event_in_order_ten_at_a_time(calls: Calls):
    Receivers(PublicFetch())(TENANT, BUS, message(23))

    sent = [asked["Entries"] for operation, asked, _ in calls if operation == "PutEvents"]
    assert [len(entries) for entries in sent] == [10, 10, 3]
    assert [json.loads(entry["Detail"])["sequence"] for entries in sent for entry in entries] == list(range(3, 26))
    assert {(entry["Source"], entry["DetailType"]) for entry in sent[0]} == {("platforma.audit", "a.b.c")}


def test_large_events_go_to_a_bus_in_smaller_batches(calls: Calls):
    Receivers(PublicFetch())(TENANT, BUS, message(10, size=60_000))

    sent = [asked["Entries"] for operation, asked, _ in calls if operation == "PutEvents"]
    assert max(sum(len(entry["Detail"]) for entry in entries) for entries in sent) <= 256 * 1024
    assert sum(map(len, sent)) == 10


def test_a_bucket_that_is_not_there_did_not_take_it(calls: Calls):
    with pytest.raises(Unreached) as refused:
        Receivers(PublicFetch())(TENANT, {**BUCKET, "bucket": "nobodys"}, message())

    assert refused.value.facts["cause"] == "NoSuchBucket"
    assert calls


def test_of_a_bus_that_failed_for_one_event_none_counts_as_taken(calls: Calls, monkeypatch: pytest.MonkeyPatch):
    plain = BaseClient._make_api_call

    def failing(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if operation == "PutEvents":
            return {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "ThrottlingException"}]}
        return plain(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", failing)

    with pytest.raises(Unreached) as refused:
        Receivers(PublicFetch())(TENANT, BUS, message(2))
    assert refused.value.facts["cause"] == "ThrottlingException"


class Answering(PublicFetch):
    """`PublicFetch` without a network."""

    def __init__(self, status: int | None) -> None:
        super().__init__()
        self.status = status

    def send(self, method: str, url: str, *, body: bytes | None = None, headers: Any = None) -> Fetched:
        assert (method, url, body, headers) == ("POST", HTTPS["url"], message().body, {"webhook-id": "msg_1"})
        if self.status is None:
            raise Unfetched(cause="not a public address")
        return Fetched(self.status, b"")


@pytest.mark.parametrize("status", [200, 202, 204])
def test_an_endpoint_that_says_so_has_taken_it(status: int):
    Receivers(Answering(status))(TENANT, HTTPS, message())


@pytest.mark.parametrize(
    ("status", "cause"), [(302, "status 302"), (400, "status 400"), (500, "status 500"), (None, "not a public address")]
)
def test_an_endpoint_that_says_otherwise_has_not(status: int | None, cause: str):
    with pytest.raises(Unreached) as refused:
        Receivers(Answering(status))(TENANT, HTTPS, message())

    assert refused.value.facts["cause"] == cause
