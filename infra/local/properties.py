"""
Puts, by API, the properties that the emulator's CloudFormation drops without a word; and says where what is deployed still
differs from the template. On AWS CloudFormation does all of this: nothing here is ever run there.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.local import aws, template
from infra.local.stack import Stack
from infra.local.template import UNKNOWN, Deployed, Json

Clients = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Property:
    """One property that is dropped: how it is put, and how it is read back in the template's own terms."""

    kind: str
    name: str
    put: Callable[[Clients, str, Any], None]
    get: Callable[[Clients, str], Any]


def _lock_put(clients: Clients, bucket: str, wanted: Any) -> None:
    clients("s3").put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=wanted)


def _lock_get(clients: Clients, bucket: str) -> Any:
    return clients("s3").get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]


def _encryption_put(clients: Clients, bucket: str, wanted: Any) -> None:
    clients("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=_encryption(wanted))


def _encryption_get(clients: Clients, bucket: str) -> Any:
    rules = clients("s3").get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    return {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": rule.pop("ApplyServerSideEncryptionByDefault")} | rule for rule in rules
        ]
    }


def _encryption(wanted: Json) -> Json:
    rules = [dict(rule) for rule in wanted["ServerSideEncryptionConfiguration"]]
    return {
        "Rules": [{"ApplyServerSideEncryptionByDefault": rule.pop("ServerSideEncryptionByDefault")} | rule for rule in rules]
    }


def _lifecycle_put(clients: Clients, bucket: str, wanted: Any) -> None:
    rules = [_lifecycle_rule(rule) for rule in wanted["Rules"]]
    clients("s3").put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})


def _lifecycle_get(clients: Clients, bucket: str) -> Any:
    rules = clients("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    return {"Rules": [_lifecycle_property(rule) for rule in rules]}


def _lifecycle_rule(rule: Json) -> Json:
    said = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    said |= {name: rule[name] for name in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration") if name in rule}
    if "ExpirationInDays" in rule:
        said["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if "Transitions" in rule:
        said["Transitions"] = [
            {"Days": one["TransitionInDays"], "StorageClass": one["StorageClass"]} for one in rule["Transitions"]
        ]
    return said


def _lifecycle_property(rule: Json) -> Json:
    said = {"Id": rule["ID"], "Status": rule["Status"]}
    said |= {name: rule[name] for name in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration") if name in rule}
    if prefix := rule.get("Filter", {}).get("Prefix"):
        said["Prefix"] = prefix
    if "Expiration" in rule:
        said["ExpirationInDays"] = rule["Expiration"]["Days"]
    if "Transitions" in rule:
        said["Transitions"] = [
            {"TransitionInDays": one["Days"], "StorageClass": one["StorageClass"]} for one in rule["Transitions"]
        ]
    return said


def _expiry_put(clients: Clients, table: str, wanted: Any) -> None:
    clients("dynamodb").update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)


def _expiry_get(clients: Clients, table: str) -> Any:
    told = clients("dynamodb").describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    return {"AttributeName": told.get("AttributeName"), "Enabled": told["TimeToLiveStatus"] == "ENABLED"}


def _recovery_put(clients: Clients, table: str, wanted: Any) -> None:
    clients("dynamodb").update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=wanted)


def _recovery_get(clients: Clients, table: str) -> Any:
    told = clients("dynamodb").describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery = told["PointInTimeRecoveryDescription"]
    enabled = recovery["PointInTimeRecoveryStatus"] == "ENABLED"
    # 35 days is what AWS keeps where nothing is said; the emulator does not tell.
    return {"PointInTimeRecoveryEnabled": enabled, "RecoveryPeriodInDays": recovery.get("RecoveryPeriodInDays", 35)}


def _table_key_put(clients: Clients, table: str, wanted: Any) -> None:
    specification = {"Enabled": wanted["SSEEnabled"]} | {key: value for key, value in wanted.items() if key != "SSEEnabled"}
    clients("dynamodb").update_table(TableName=table, SSESpecification=specification)


def _table_key_get(clients: Clients, table: str) -> Any:
    told = clients("dynamodb").describe_table(TableName=table)["Table"].get("SSEDescription", {})
    said = {"SSEEnabled": told.get("Status") == "ENABLED", "SSEType": told.get("SSEType")}
    return said | {"KMSMasterKeyId": told.get("KMSMasterKeyArn")}


def _concurrency_put(clients: Clients, function: str, wanted: Any) -> None:
    clients("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=wanted)


def _concurrency_get(clients: Clients, function: str) -> Any:
    return clients("lambda").get_function_concurrency(FunctionName=function).get("ReservedConcurrentExecutions")


def _dead_letters_put(clients: Clients, function: str, wanted: Any) -> None:
    target = {"TargetArn": wanted["TargetArn"]}
    clients("lambda").update_function_configuration(FunctionName=function, DeadLetterConfig=target)


def _dead_letters_get(clients: Clients, function: str) -> Any:
    target = clients("lambda").get_function_configuration(FunctionName=function).get("DeadLetterConfig", {}).get("TargetArn")
    return {"TargetArn": target, "Type": target.split(":")[2].upper()} if target else None


def _topic_key_put(clients: Clients, topic: str, wanted: Any) -> None:
    clients("sns").set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=wanted)


def _topic_key_get(clients: Clients, topic: str) -> Any:
    return clients("sns").get_topic_attributes(TopicArn=topic)["Attributes"].get("KmsMasterKeyId")


TABLE = (
    Property("AWS::S3::Bucket", "ObjectLockConfiguration", _lock_put, _lock_get),
    Property("AWS::S3::Bucket", "BucketEncryption", _encryption_put, _encryption_get),
    Property("AWS::S3::Bucket", "LifecycleConfiguration", _lifecycle_put, _lifecycle_get),
    Property("AWS::DynamoDB::Table", "TimeToLiveSpecification", _expiry_put, _expiry_get),
    Property("AWS::DynamoDB::Table", "PointInTimeRecoverySpecification", _recovery_put, _recovery_get),
    Property("AWS::DynamoDB::Table", "SSESpecification", _table_key_put, _table_key_get),
    Property("AWS::Serverless::Function", "ReservedConcurrentExecutions", _concurrency_put, _concurrency_get),
    Property("AWS::Serverless::Function", "DeadLetterQueue", _dead_letters_put, _dead_letters_get),
    Property("AWS::SNS::Topic", "KmsMasterKeyId", _topic_key_put, _topic_key_get),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A deployed property that is not as the template says."""

    resource: str
    property: Property
    wanted: Any
    found: Any


def wanted(stack: Stack, templates: Mapping[str, Path]) -> Iterator[tuple[str, Property, Any]]:
    """Resource, property and value of all that the deployed *templates* (by stack name) say and can be resolved."""
    clients, exports = _clients(stack), aws.exports(stack)
    for name, path in templates.items():
        deployed = Deployed(
            template.load(path), aws.parameters_of(stack, name), aws.resources_of(stack, name), _arns(clients), exports
        )
        for rule in TABLE:
            for resource, said in deployed.resources(rule.kind).items():
                value = said.get(rule.name)
                if value is not None and not _unknown(value):
                    yield resource, rule, value


def differences(stack: Stack, templates: Mapping[str, Path]) -> Iterator[Difference]:
    """What the emulator dropped of the deployed *templates*."""
    clients = _clients(stack)
    for resource, rule, value in wanted(stack, templates):
        try:
            found = rule.get(clients, resource)
        except ClientError:
            found = None
        if not _says(found, value):
            yield Difference(resource, rule, value, found)


def put(stack: Stack, templates: Mapping[str, Path]) -> int:
    """Put everything that was dropped; how many properties that were."""
    clients, count = _clients(stack), 0
    for difference in list(differences(stack, templates)):
        difference.property.put(clients, difference.resource, difference.wanted)
        count += 1
    return count


def _clients(stack: Stack) -> Clients:
    return lambda service: aws.client(service, stack.aws_url)


def _arns(clients: Clients) -> Callable[[str, str], str]:
    def arn(kind: str, physical: str) -> str:
        if kind == "AWS::KMS::Key":
            return str(clients("kms").describe_key(KeyId=physical)["KeyMetadata"]["Arn"])
        if kind == "AWS::SQS::Queue":
            told = clients("sqs").get_queue_attributes(QueueUrl=physical, AttributeNames=["QueueArn"])
            return str(told["Attributes"]["QueueArn"])
        return physical

    return arn


def _unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_unknown, value.values()))
    if isinstance(value, list):
        return any(map(_unknown, value))
    return value is UNKNOWN


def _says(found: Any, wanted: Any) -> bool:
    """Whether *found* holds all of *wanted*; it may say more."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(key in found and _says(found[key], value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(_says, found, wanted))
    return bool(found == wanted)
