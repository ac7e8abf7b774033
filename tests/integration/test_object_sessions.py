"""A tenant's session reads that tenant's ciphertext and nobody else's, by the emulator's IAM."""

import json
import os

import pytest
from botocore.exceptions import ClientError

from platforma.adapters.s3_objects import S3Objects, TenantSessions
from platforma.kernel.clock import system_clock
from platforma.kernel.errors import Unavailable
from platforma.kernel.ids import new_id
from tests.integration.conftest import Running


def test_a_second_tenants_session_cannot_read_or_replace_the_ciphertext(running: Running, token: str, monkeypatch):
    stored = running.call("PUT", f"/v1/objects/tests/{os.urandom(4).hex()}", token=token, content=b"secret")
    assert stored.status_code == 200, stored.text
    mine, bucket = running.stack["tenant"]["id"], running.output["ObjectsBucket"]
    name = running.aws("s3").list_objects_v2(Bucket=bucket, Prefix=f"{mine}/")["Contents"][0]["Key"]
    aws = running.stack["aws"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws["endpoint_url"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", aws["region"])
    iam = running.aws("iam")
    duty = iam.get_role_policy(RoleName=_named(iam, "ObjectBytesRole"), PolicyName="duty")["PolicyDocument"]
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    likewise = iam.create_role(  # what the function's role alone may become, for one that we can be
        RoleName=f"likewise-{os.urandom(4).hex()}",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]
    iam.put_role_policy(RoleName=likewise["RoleName"], PolicyName="duty", PolicyDocument=json.dumps(duty))
    user = f"somebody-{os.urandom(4).hex()}"
    iam.create_user(UserName=user)
    may = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": likewise["Arn"]}
    may = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_user_policy(UserName=user, PolicyName="may", PolicyDocument=may)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    somebody = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    sessions = TenantSessions(likewise["Arn"], bucket, system_clock, running.aws("sts", **somebody))
    objects, other = S3Objects(bucket, sessions, running.aws("s3")), new_id("ten")

    assert len(objects.get(mine, name, 0, 4)) == 4
    with pytest.raises(Unavailable):
        objects.get(other, name, 0, 4)
    with pytest.raises(Unavailable):
        objects.put(other, f"{name}0", b"forged")
    objects.put(other, f"{other}/own", b"sealed")
    with pytest.raises(ClientError, match="AccessDenied"):
        running.aws("s3", **somebody).get_object(Bucket=bucket, Key=name)


def _named(iam, logical: str) -> str:
    found = [role["RoleName"] for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]]
    [name] = [name for name in found if name.startswith(f"platforma-{logical}")]
    return name
