"""
Attacks on the log as it lies in DynamoDB and S3 (moto): for each of them the store or the verifier says no.

The relay is killed after each call that writes, against the real adapters.
"""

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto import mock_aws

from platforma.adapters.dynamodb.audit import Outbox
from platforma.adapters.dynamodb.audit_ledger import DynamoDBLedger
from platforma.adapters.dynamodb.audit_log import DynamoDBLogStore
from platforma.adapters.dynamodb.person_keys import DynamoDBPersonKeys
from platforma.adapters.dynamodb.tables import Tables
from platforma.adapters.memory.audit import MemorySigner
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.adapters.s3 import S3Bucket
from platforma.adapters.s3_source import S3Source
from platforma.audit import segment
from platforma.audit.attend import Attendant
from platforma.audit.completeness import Noted, completeness, minute_of
from platforma.audit.errors import LogBroken
from platforma.audit.person_keys import PersonKeys
from platforma.audit.relay import Relay
from platforma.audit.verify import Trusted, verify
from platforma.edge.relaying import reconcile_requests
from platforma.kernel.clock import system_clock
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from tests.contract.on_moto import make_tables

REGION = "eu-central-1"
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "PutObject")


class Killed(BaseException):
    """The process is gone."""


class Deployed:
    """The audit log on moto."""

    def __init__(self):
        self.tenant, self.other = new_id("ten"), new_id("ten")
        make_tables("audit", "key")
        self.dynamodb = boto3.client("dynamodb", REGION)
        self.s3 = boto3.client("s3", REGION)
        self.s3.create_bucket(
            Bucket="log", ObjectLockEnabledForBucket=True, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        self.tables = Tables({"audit": "audit", "key": "key"}, REGION).bind()
        self.data_keys = MemoryDataKeys(self.tenant, self.other)
        self.envelope = Envelope(self.data_keys)
        self.outbox = Outbox(self.tables, self.envelope)
        self.store = DynamoDBLogStore(self.tables)
        self.kms_key = boto3.client("kms", REGION).create_key()["KeyMetadata"]["Arn"]
        self.bucket = S3Bucket("log", kms_key=self.kms_key, client=self.s3)
        self.signer = MemorySigner()
        self.now = datetime.now(UTC)

    def attendant(self):
        persons = PersonKeys(DynamoDBPersonKeys(), self.envelope)
        relay = Relay(self.store, self.bucket, self.envelope, persons, clock=lambda: self.now, batch=3)
        return Attendant(relay, self.signer, self.outbox, "host")

    def record(self, tenant=None):
        attempt = Attempt(
            request_id="r",
            action="settings.users.create",
            clock=system_clock,
            ip_address="192.0.2.1",
            user_agent="a",
            tenant_id=tenant or self.tenant,
            principal_type="user",
            user_id=new_id("usr"),
        )
        event = attempt.event("success")
        self.outbox.enter(event)
        return event

    def report(self):
        return verify(S3Source("log"), Trusted(raw=tuple(self.signer.public_keys().values())))

    def faults(self):
        report = self.report()
        return [*report.faults, *(fault for log in report.logs for fault in log.faults)]

    def keys(self, kind):
        return list(self.bucket.names(f"{self.tenant}/{kind}"))


@pytest.fixture
def deployed(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield Deployed()


@pytest.fixture
def written(deployed):
    for _ in range(4):
        deployed.record()
    deployed.attendant().ring([deployed.tenant])
    assert deployed.faults() == []
    return deployed


def killed_after(monkeypatch, writes):
    """From now on the process dies once it made so many calls that write."""
    plain, left = BaseClient._make_api_call, [writes]

    def call(self, operation, arguments):
        answer = plain(self, operation, arguments)
        if operation in WRITES:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", call)


def killed_once(deployed, monkeypatch, after):
    """Kill the relay of a fresh tenant's log, let the next one come, check the log; whether it was killed."""
    deployed.tenant = new_id("ten")
    deployed.data_keys.create_tenant_key(deployed.tenant)
    events = {deployed.record().id for _ in range(4)}
    killed = False
    with monkeypatch.context() as dying:
        killed_after(dying, after)
        try:
            deployed.attendant().ring([deployed.tenant])
        except Killed:
            killed = True
    deployed.now += timedelta(seconds=61)
    events.add(deployed.record().id)

    deployed.attendant().ring([deployed.tenant])

    bodies = [segment.unpack(deployed.bucket.get(key)) for key in deployed.keys("segments/")]
    lines = [line for lines in bodies for line in lines]
    assert len(lines) == 5
    assert {json.loads(line)["id"] for line in lines} == events
    assert not deployed.store.pending(deployed.tenant, limit=1).rows
    return killed


def test_killed_after_any_call_that_writes_the_log_is_whole(deployed, monkeypatch):
    for after in range(60):
        if not killed_once(deployed, monkeypatch, after):
            break

    assert after > 15
    report = deployed.report()
    assert report.whole, report
    assert all(log.entries == log.covered == 5 for log in report.logs)


def test_every_object_is_locked_encrypted_and_checksummed(written):
    for key in written.bucket.names(""):
        head = written.s3.head_object(Bucket="log", Key=key, ChecksumMode="ENABLED")
        assert head["ObjectLockMode"] == "COMPLIANCE"
        assert head["ObjectLockRetainUntilDate"] > datetime.now(UTC) + timedelta(days=730)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", written.kms_key)
        assert head["ChecksumSHA256"]


def refused(call):
    with pytest.raises(ClientError) as error:
        call()
    return error.value.response["Error"]["Code"]


def test_a_version_is_neither_deleted_nor_its_retention_shortened(written):
    key = written.keys("segments/")[0]
    version = written.s3.head_object(Bucket="log", Key=key)["VersionId"]

    assert refused(lambda: written.s3.delete_object(Bucket="log", Key=key, VersionId=version)) == "AccessDenied"
    bypass = {"VersionId": version, "BypassGovernanceRetention": True}
    assert refused(lambda: written.s3.delete_object(Bucket="log", Key=key, **bypass)) == "AccessDenied"


def test_a_later_version_hides_nothing(written):
    key = written.keys("segments/")[0]
    written.s3.put_object(Bucket="log", Key=key, Body=b"other")

    assert [(fault.where, "later versions" in fault.what) for fault in written.faults()] == [(key, True)]


def test_a_delete_marker_hides_nothing(written):
    key = written.keys("checkpoints/")[0]
    written.s3.delete_object(Bucket="log", Key=key)

    assert [(fault.where, "delete marker" in fault.what) for fault in written.faults()] == [(key, True)]


def test_an_object_without_its_lock_is_named(written):
    written.s3.put_object(Bucket="log", Key=f"{written.tenant}/checkpoints/{9:020d}", Body=b"")

    assert written.faults()


def test_a_shorter_lock_is_named(written):
    key = written.keys("checkpoints/")[0]
    body = written.bucket.get(key)
    copy = key.replace(written.tenant, written.other)
    soon = datetime.now(UTC) + timedelta(days=30)
    written.s3.put_object(Bucket="log", Key=copy, Body=body, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=soon)

    told = [fault.what for fault in written.faults() if fault.where == copy]

    assert any("Is the checkpoint of" in what for what in told)


def test_a_segment_of_another_tenant_is_not_this_ones(written):
    key = written.keys("segments/")[0]
    until = datetime.now(UTC) + timedelta(days=999)
    written.bucket.put(key.replace(written.tenant, written.other), written.bucket.get(key), retain_until=until)

    assert any(f"of {written.tenant}" in fault.what for fault in written.faults())


def test_a_segment_that_was_put_first_stops_the_relay_and_is_not_overwritten(written):
    name = f"{written.tenant}/segments/{4:020d}-1.jsonl.gz"
    fake = segment.pack([b"{}"])
    written.s3.put_object(Bucket="log", Key=name, Body=fake)
    written.record()

    with pytest.raises(LogBroken):
        written.attendant().ring([written.tenant])

    assert written.bucket.get(name) == fake
    assert written.store.pending(written.tenant, limit=5).rows
    assert written.faults()


def test_a_head_that_was_rolled_back_forks_no_log(written):
    key = {"pk": {"S": f"{written.tenant}#LOG"}, "sk": {"S": "HEAD"}}
    old = written.dynamodb.get_item(TableName="audit", Key=key)["Item"]
    written.record()
    written.now += timedelta(seconds=61)
    written.attendant().ring([written.tenant])
    written.dynamodb.put_item(TableName="audit", Item=old)
    written.record()

    with pytest.raises(LogBroken):
        written.attendant().ring([written.tenant])

    assert written.report().logs[0].entries == 5


def test_an_event_changed_in_the_table_is_set_aside_and_told(written):
    event = written.record()
    [row] = written.store.pending(written.tenant, limit=5).rows
    key = {"pk": {"S": f"{written.tenant}#PENDING"}, "sk": {"S": f"PENDING#{row.position}"}}
    changed = {":b": {"B": row.body.replace(b'"success"', b'"denied"')}}
    written.dynamodb.update_item(
        TableName="audit", Key=key, UpdateExpression="SET body = :b", ExpressionAttributeValues=changed
    )

    [done] = written.attendant().ring([written.tenant])

    assert done.set_aside == [event.id]


def test_an_event_moved_to_another_tenants_partition_is_set_aside(written):
    written.record()
    [row] = written.store.pending(written.tenant, limit=5).rows
    key = {"pk": {"S": f"{written.tenant}#PENDING"}, "sk": {"S": f"PENDING#{row.position}"}}
    item = written.dynamodb.get_item(TableName="audit", Key=key)["Item"]
    written.record(written.other)
    written.dynamodb.put_item(TableName="audit", Item=item | {"pk": {"S": f"{written.other}#PENDING"}})

    done = written.attendant().ring([written.other])

    assert done[0].set_aside == [row.id]
    assert done[0].entered == 1


@pytest.mark.parametrize("claims", ["its own", "another's place"])
def test_an_event_deleted_before_any_intent_leaves_its_request_missing_for_all_its_claim(written, claims):
    gone, other = written.record(), written.record()
    ledger, noon = DynamoDBLedger(written.tables), datetime(2026, 11, 24, 12, tzinfo=UTC)
    said = [(f"r-{event.id}", event) for event in (gone, other)]
    ledger.note(minute_of(noon), [Noted(request_id, False) for request_id, _ in said])
    marks = [Noted(request_id, True, written.tenant, event.id, written.tenant) for request_id, event in said]
    ledger.note(minute_of(noon), marks)
    places = {row.id: row.position for row in written.store.pending(written.tenant, limit=5).rows}
    key = {"pk": {"S": f"{written.tenant}#PENDING"}, "sk": {"S": f"PENDING#{places[gone.id]}"}}
    written.dynamodb.delete_item(TableName="audit", Key=key)
    if claims != "its own":
        written.dynamodb.update_item(
            TableName="audit",
            Key={"pk": {"S": f"{written.tenant}#CLAIM#{gone.id}"}, "sk": {"S": "CLAIM"}},
            UpdateExpression="SET #p = :p",
            ExpressionAttributeNames={"#p": "position"},
            ExpressionAttributeValues={":p": {"S": places[other.id]}},
        )
    written.attendant().ring([written.tenant])
    later = noon + timedelta(minutes=5)

    counted = reconcile_requests(ledger, lambda: later)

    assert counted == {"completeness": {"requests": 2, "missing": 1, "unseen": 0}}
    told = completeness(written.tenant, noon, noon + timedelta(minutes=1), ledger=ledger, now=later)
    assert (told["events_found"], told["missing"]) == (1, [f"r-{gone.id}"])


def test_nothing_of_a_person_is_in_the_clear_in_table_or_bucket(written):
    written.record()
    items = written.dynamodb.scan(TableName="audit")["Items"]
    stored = [repr(items).encode(), *(written.bucket.get(key) for key in written.bucket.names(""))]
    lines = [line for key in written.keys("segments/") for line in segment.unpack(written.bucket.get(key))]

    assert not any(b"192.0.2.1" in held for held in [*stored, *lines])
