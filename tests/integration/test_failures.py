"""What is broken underneath is a 503 with `Retry-After`, nothing is half done, and it recovers by itself."""

import json
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from infra.local import openbao
from infra.local.ports import Ports
from infra.local.stack import Stack
from tests.integration.conftest import Running


@pytest.fixture
def without_audit_writes(running: Running) -> Iterator[str]:
    """The users function may not write events: its role loses its right to the Audit table."""
    iam = running.aws("iam")
    role = role_of(running, "identity_users")
    deny = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Action": "dynamodb:*",
                "Resource": f"arn:aws:dynamodb:*:*:table/{running.output['AuditTable']}",
            }
        ],
    }
    iam.put_role_policy(RoleName=role, PolicyName="broken", PolicyDocument=json.dumps(deny))
    yield role
    iam.delete_role_policy(RoleName=role, PolicyName="broken")


def function_name(running: Running, function: str) -> str:
    names = [
        each["FunctionName"]
        for page in running.aws("lambda").get_paginator("list_functions").paginate()
        for each in page["Functions"]
        if each["FunctionName"].endswith(function)
    ]
    assert len(names) == 1, names
    return str(names[0])


def role_of(running: Running, function: str) -> str:
    configuration = running.aws("lambda").get_function_configuration(FunctionName=function_name(running, function))
    return str(configuration["Role"]).rpartition("/")[2]


def test_no_event_no_action(running: Running, token: str, without_audit_writes: str):
    reply = running.call("POST", "/v1/users", token=token, json={"email": "lost@demo.test", "name": "Lost"})

    assert reply.status_code == 503
    assert int(reply.headers["retry-after"]) >= 1
    assert reply.json()["code"] == "unavailable"


def test_afterwards_nothing_of_it_is_there(running: Running, token: str):
    reply = running.call("GET", "/v1/users?email=lost@demo.test", token=token)

    assert reply.status_code == 200
    assert reply.json()["items"] == []


@pytest.fixture
def without_vault(running: Running) -> Iterator[None]:
    """OpenBao is stopped, and started again."""
    ports = Ports(vault=urlsplit(running.stack["vault"]["addr"]).port)
    stack = Stack(running.home, ports)
    openbao.server(stack).stop(seconds=30)
    yield
    openbao.start(stack)


def made_cold(running: Running, function: str) -> None:
    """Change the function's environment, so that whatever was warm and its caches are of the past."""
    client, name = running.aws("lambda"), function_name(running, function)
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    variables["MADE_COLD_BY_A_TEST"] = "1"
    client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def test_without_vault_a_cold_function_answers_503(running: Running, token: str, without_vault: None):
    """Nothing is cached in a function that was never called: it cannot record, so it does not act."""
    made_cold(running, "policy_apis")

    reply = running.call("GET", "/v1/protected-apis", token=token)

    assert reply.status_code == 503
    assert int(reply.headers["retry-after"]) >= 1


def test_with_vault_back_it_answers(running: Running, token: str):
    """Within seconds, and by itself: an instance asks a Vault that was out of reach again about once a second."""
    deadline = time.monotonic() + 30
    while (reply := running.call("GET", "/v1/protected-apis", token=token)).status_code == 503:
        assert time.monotonic() < deadline, reply.text
        time.sleep(0.2)

    assert reply.status_code == 200


def credentials_of(running: Running, function: str) -> dict[str, str]:
    arn = running.aws("lambda").get_function_configuration(FunctionName=function_name(running, function))["Role"]
    made = running.aws("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return {
        "aws_access_key_id": made["AccessKeyId"],
        "aws_secret_access_key": made["SecretAccessKey"],
        "aws_session_token": made["SessionToken"],
    }


@pytest.mark.parametrize("function", ["policy_decide", "oauth_token", "audit_relay", "identity_users"])
def test_a_functions_role_opens_only_its_own(running: Running, function: str):
    credentials = credentials_of(running, function)
    attempts = [
        lambda: running.aws("dynamodb", **credentials).scan(TableName=running.output["IdentityTable"]),
        lambda: running.aws("dynamodb", **credentials).delete_table(TableName=running.output["AuditTable"]),
        lambda: running.aws("s3", **credentials).delete_object(Bucket=running.output["AuditBucket"], Key="x"),
        lambda: running.aws("secretsmanager", **credentials).get_secret_value(SecretId="platforma/vault/platform_setup"),
        lambda: running.aws("iam", **credentials).list_roles(),
    ]
    for attempt in attempts:
        with pytest.raises(ClientError) as refused:
            attempt()
        assert refused.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}


def test_even_the_relay_deletes_nothing_in_the_audit_bucket(running: Running):
    s3 = running.aws("s3", **credentials_of(running, "audit_relay"))
    bucket = running.output["AuditBucket"]
    listed = running.aws("s3").list_objects_v2(Bucket=bucket, MaxKeys=1)["Contents"][0]["Key"]

    for attempt in (
        lambda: s3.delete_object(Bucket=bucket, Key=listed),
        lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}),
        lambda: s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}),
    ):
        with pytest.raises(ClientError):
            attempt()
