"""The deployed stores, as DynamoDB, S3, SQS, KMS and CloudWatch describe them. Nothing here reads what they hold."""

from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from platforma.adapters.aws import answering
from platforma.compliance.ports import Alarms, BucketState, KeyState, Lock, QueueState, TableState

_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"max_attempts": 2, "mode": "standard"})
_ABSENT = {
    *("ObjectLockConfigurationNotFoundError", "ServerSideEncryptionConfigurationNotFoundError"),
    *("NoSuchPublicAccessBlockConfiguration", "NoSuchKey", "404"),
}
_PRIVATE = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_BY_KMS = ("aws:kms", "aws:kms:dsse")
_MOST_ALARMS = 1000


class AWSEstate:
    """
    `Estate`. *buckets* begins with the one that holds the log; *access_logs* takes what S3 tells of them all; *queues* are
    URLs; *alarms* is how the names of our alarms begin.
    """

    def __init__(
        self,
        tables: Mapping[str, str],
        buckets: Sequence[str],
        alarms: str,
        *,
        access_logs: str = "",
        queues: Sequence[str] = (),
        **client: Any,
    ) -> None:
        self._tables, self._buckets, self._alarms = dict(tables), list(buckets), alarms
        self._access_logs, self._queues = access_logs, list(queues)
        self._client = client

    def tables(self) -> list[TableState]:
        """Each table's description and its backups'."""
        dynamodb = self._aws("dynamodb")
        found = []
        for name, deployed in self._tables.items():
            with answering():
                table = dynamodb.describe_table(TableName=deployed)["Table"]
                backups = dynamodb.describe_continuous_backups(TableName=deployed)["ContinuousBackupsDescription"]
            sealed = table.get("SSEDescription") or {}
            recovery = backups.get("PointInTimeRecoveryDescription") or {}
            recoverable = recovery.get("PointInTimeRecoveryStatus") == "ENABLED"
            ours = sealed.get("Status") in ("ENABLED", "UPDATING") and sealed.get("SSEType") == "KMS"
            key = sealed.get("KMSMasterKeyArn") if ours else None
            days = int(recovery.get("RecoveryPeriodInDays") or 35) if recoverable else 0
            found.append(TableState(name, key, recoverable, days, bool(table.get("DeletionProtectionEnabled"))))
        return found

    def buckets(self) -> list[BucketState]:
        """Each bucket's settings."""
        s3 = self._aws("s3")
        names = [*self._buckets, self._access_logs] if self._access_logs else self._buckets
        return [self._bucket(s3, name) for name in names]

    def queues(self) -> list[QueueState]:
        """Each queue's key."""
        sqs = self._aws("sqs")
        found = []
        for url in self._queues:
            with answering():
                told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["KmsMasterKeyId"]).get("Attributes", {})
            found.append(QueueState(url.rpartition("/")[2], _customers(told.get("KmsMasterKeyId"))))
        return found

    def keys(self) -> list[KeyState]:
        """Whether each key is rotated."""
        keys = [one.key for one in self.tables()], [one.key for one in self.buckets()], [one.key for one in self.queues()]
        named = {key for found in keys for key in found if key}
        kms = self._aws("kms")
        found = []
        for key in sorted(named):
            with answering():
                found.append(KeyState(key, bool(kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"])))
        return found

    def alarms(self) -> Alarms:
        """Our alarms, a thousand at most."""
        known = telling = 0
        ringing: list[str] = []
        pages = self._aws("cloudwatch").get_paginator("describe_alarms")
        with answering():
            for page in pages.paginate(AlarmNamePrefix=self._alarms, PaginationConfig={"MaxItems": _MOST_ALARMS}):
                for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())):
                    known += 1
                    telling += bool(alarm.get("ActionsEnabled") and alarm.get("AlarmActions"))
                    if alarm.get("StateValue") == "ALARM":
                        ringing.append(alarm["AlarmName"])
        return Alarms(known, telling, tuple(ringing[:50]))

    def lock(self, name: str) -> Lock | None:
        """The retention of the newest version of an object of the log."""
        s3 = self._aws("s3")
        with answering():
            try:
                found = s3.head_object(Bucket=self._buckets[0], Key=name)
            except s3.exceptions.ClientError as error:
                if error.response.get("Error", {}).get("Code") in _ABSENT:
                    return None
                raise
        mode, until = found.get("ObjectLockMode"), found.get("ObjectLockRetainUntilDate")
        return Lock(mode, until) if mode and until else None

    def _bucket(self, s3: Any, name: str) -> BucketState:
        sealed = _asked(s3.get_bucket_encryption, "ServerSideEncryptionConfiguration", Bucket=name)
        default = (sealed.get("Rules") or [{}])[0].get("ApplyServerSideEncryptionByDefault") or {}
        closed = _asked(s3.get_public_access_block, "PublicAccessBlockConfiguration", Bucket=name)
        versions = _asked(s3.get_bucket_versioning, "Status", Bucket=name)
        lock = _asked(s3.get_object_lock_configuration, "ObjectLockConfiguration", Bucket=name)
        rule = (lock.get("Rule") or {}).get("DefaultRetention") or {}
        return BucketState(
            name,
            _customers(default.get("KMSMasterKeyID")) if default.get("SSEAlgorithm") in _BY_KMS else None,
            all(closed.get(setting) for setting in _PRIVATE),
            versions == "Enabled",
            rule.get("Mode"),
            int(rule.get("Years") or int(rule.get("Days") or 0) // 365),
            encrypted=default.get("SSEAlgorithm") in (*_BY_KMS, "AES256"),
            takes_access_logs=name == self._access_logs,
        )

    def _aws(self, service: str) -> Any:
        return boto3.client(service, config=_CONFIG, **self._client)  # type: ignore[call-overload]  # of any service


def _customers(key: str | None) -> str | None:
    """The key, unless it is one that AWS keeps for a service (`alias/aws/sqs`): nobody of ours decides who may use that."""
    return None if not key or "alias/aws/" in key else key


def _asked(ask: Any, name: str, **what: str) -> Any:
    """What is set, or nothing where it was never set."""
    with answering():
        try:
            return ask(**what).get(name) or {}
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _ABSENT:
                return {}
            raise
