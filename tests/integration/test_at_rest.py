"""Everything that the deployed stacks keep is under AES-256 and an enabled key of the customer's."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.at_rest import BY_S3_ALONE, KEEPS_NOTHING, KEPT
from tests.integration.conftest import Running

DROPPED = frozenset(["AWS::Scheduler::Schedule"])
"""The emulator has no key for these; that the template names one is the template's test."""


def _bucket(clients: Callable[[str], Any], name: str) -> str | None:
    rules = clients("s3").get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    return rules[0]["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID")


def _queue(clients: Callable[[str], Any], url: str) -> str | None:
    return clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"].get("KmsMasterKeyId")


def _log_group(clients: Callable[[str], Any], name: str) -> str | None:
    found = clients("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return next(group.get("kmsKeyId") for group in found if group["logGroupName"] == name)


def _workgroup(clients: Callable[[str], Any], name: str) -> str | None:
    said = clients("athena").get_work_group(WorkGroup=name)["WorkGroup"]["Configuration"]["ResultConfiguration"]
    return said["EncryptionConfiguration"].get("KmsKey")


KEYS: dict[str, Callable[[Callable[[str], Any], str], str | None]] = {
    "AWS::DynamoDB::Table": lambda clients, name: (
        clients("dynamodb").describe_table(TableName=name)["Table"].get("SSEDescription", {}).get("KMSMasterKeyArn")
    ),
    "AWS::S3::Bucket": _bucket,
    "AWS::SQS::Queue": _queue,
    "AWS::SNS::Topic": lambda clients, arn: (
        clients("sns").get_topic_attributes(TopicArn=arn)["Attributes"].get("KmsMasterKeyId")
    ),
    "AWS::Logs::LogGroup": _log_group,
    "AWS::Athena::WorkGroup": _workgroup,
    "AWS::SecretsManager::Secret": lambda clients, name: (
        clients("secretsmanager").describe_secret(SecretId=name).get("KmsKeyId")
    ),
}


def resources(running: Running) -> Iterator[tuple[str, str, str]]:
    pages = running.aws("cloudformation").get_paginator("list_stack_resources")
    for stack in running.stack["aws"]["stacks"]:
        for page in pages.paginate(StackName=stack):
            for each in page["StackResourceSummaries"]:
                yield each["ResourceType"], each["LogicalResourceId"], each["PhysicalResourceId"]


@pytest.fixture(scope="module")
def deployed(running: Running) -> list[tuple[str, str, str]]:
    return list(resources(running))


def test_of_every_type_that_is_deployed_it_is_known_whether_it_keeps_anything(deployed):
    assert {kind for kind, _, _ in deployed} <= KEPT.keys() | KEEPS_NOTHING
    assert KEYS.keys() | DROPPED == KEPT.keys()


def test_all_that_is_kept_is_under_aes_256_and_an_enabled_key_of_ours(running: Running, deployed):
    kms, wrong, seen = running.aws("kms"), [], set()
    for kind, name, physical in deployed:
        if kind not in KEYS or name in BY_S3_ALONE:
            continue
        seen.add(kind)
        key = KEYS[kind](running.aws, physical)
        known = kms.describe_key(KeyId=key)["KeyMetadata"] if key else {}
        if (known.get("KeyManager"), known.get("KeySpec"), known.get("KeyState")) != (
            "CUSTOMER",
            "SYMMETRIC_DEFAULT",
            "Enabled",
        ):
            wrong.append((kind, name, key))

    assert wrong == []
    assert seen == KEYS.keys(), "the scan looked at nothing of a kind"


def test_no_function_keeps_log_lines_outside_the_groups_that_are_deployed(running: Running, deployed):
    """A group that a function makes by itself has no key."""
    known = {physical for kind, _, physical in deployed if kind == "AWS::Logs::LogGroup"}
    groups = running.aws("logs").get_paginator("describe_log_groups").paginate().build_full_result()["logGroups"]

    assert {group["logGroupName"] for group in groups if "kmsKeyId" not in group} - known == set()


def test_no_secret_is_a_parameter(running: Running):
    """Parameters tell what was deployed; whatever is secret is in Vault or in Secrets Manager."""
    kept = running.aws("ssm").describe_parameters()["Parameters"]

    assert [each["Name"] for each in kept if not each["Name"].startswith("/platforma/local/deployed-from/")] == []
