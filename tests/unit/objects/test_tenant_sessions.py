"""Bytes of objects by sessions of their tenants: what is asked for, for whom, and for how long it is kept."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from platforma.adapters.s3_objects import S3Objects, TenantSessions
from platforma.kernel.errors import Broken, Unavailable
from platforma.kernel.ids import new_id

ROLE = "arn:aws:iam::123456789012:role/objects"


class Sts:
    """STS as a session of the function's role meets it."""

    def __init__(self) -> None:
        self.asked: list[dict] = []

    def assume_role(self, **asked):
        self.asked.append(asked)
        return {"Credentials": dict.fromkeys(("AccessKeyId", "SecretAccessKey", "SessionToken"), "x" * 20)}


@pytest.fixture
def world(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    now, sts = [datetime.now(UTC)], Sts()
    with mock_aws():
        place = {"LocationConstraint": "eu-central-1"}
        boto3.client("s3").create_bucket(Bucket="objects", CreateBucketConfiguration=place)
        yield S3Objects("objects", TenantSessions(ROLE, "objects", lambda: now[0], sts)), sts, now


def test_each_tenant_has_a_session_that_is_tagged_with_it_and_reaches_what_is_its_own(world):
    bucket, sts, _ = world
    tenants = [new_id("ten"), new_id("ten")]

    for tenant_id in tenants:
        bucket.put(tenant_id, f"{tenant_id}/a", b"sealed")

    assert [asked["Tags"] for asked in sts.asked] == [[{"Key": "tenant", "Value": tenant_id}] for tenant_id in tenants]
    for asked, tenant_id in zip(sts.asked, tenants, strict=True):
        bytes_, key = json.loads(asked["Policy"])["Statement"]
        assert bytes_["Resource"] == f"arn:aws:s3:::objects/{tenant_id}/*"
        assert (bytes_["Action"], key["Action"]) == (
            ["s3:GetObject", "s3:PutObject"],
            ["kms:GenerateDataKey", "kms:Decrypt"],
        )
        assert asked["RoleArn"] == ROLE


def test_a_session_is_kept_for_less_than_it_lasts(world):
    bucket, sts, now = world
    tenant_id = new_id("ten")
    bucket.put(tenant_id, f"{tenant_id}/a", b"sealed")

    now[0] += timedelta(minutes=49)
    assert bucket.get(tenant_id, f"{tenant_id}/a", 0, 6) == b"sealed"
    assert len(sts.asked) == 1
    now[0] += timedelta(minutes=2)
    assert bucket.get(tenant_id, f"{tenant_id}/a", 2, 4) == b"al"
    assert len(sts.asked) == 2
    assert {asked["DurationSeconds"] for asked in sts.asked} == {3600}


@pytest.mark.parametrize("tenant_id", ["", "*", "ten_*", "../ten_a", "ten_01j0000000e008000000000000/.."])
def test_what_is_no_tenant_gets_no_session(world, tenant_id):
    bucket, sts, _ = world

    with pytest.raises(Broken):
        bucket.get(tenant_id, "x", 0, 1)
    assert sts.asked == []


def test_without_sessions_nothing_is_read_nor_stored(world):
    with pytest.raises(Broken):
        S3Objects("objects").get(new_id("ten"), "x", 0, 1)


@pytest.mark.usefixtures("world")
def test_no_session_to_be_had_is_unavailable():
    gone = boto3.client("sts", endpoint_url="http://127.0.0.1:9", region_name="eu-central-1")

    with pytest.raises(Unavailable):
        S3Objects("objects", TenantSessions(ROLE, "objects", lambda: datetime.now(UTC), gone)).get(new_id("ten"), "x", 0, 1)
