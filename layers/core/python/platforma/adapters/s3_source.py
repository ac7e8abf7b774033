"""The audit bucket as what is verified: the first version of each object, its lock, and whatever was put over it."""

from collections.abc import Iterable

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from platforma.audit.verify import Fault, Stored
from platforma.kernel.errors import Unavailable


class S3Source:
    """`Source`. Reads versions by their ids, so that a later one or a delete marker hides nothing."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._s3 = boto3.client("s3")
        self._versions: dict[str, str] = {}
        self._faults: list[Fault] = []
        try:
            self._list()
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(cause=str(error)) from error

    def names(self) -> Iterable[str]:
        """Every name that any version has."""
        return list(self._versions)

    def read(self, name: str) -> Stored:
        """The first version."""
        try:
            found = self._s3.get_object(Bucket=self._bucket, Key=name, VersionId=self._versions[name])
            body = found["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(cause=str(error)) from error
        mode, until = found.get("ObjectLockMode"), found.get("ObjectLockRetainUntilDate")
        return Stored(body, locks=True, compliance=mode == "COMPLIANCE", until=until)

    def faults(self) -> Iterable[Fault]:
        """Later versions and delete markers."""
        return self._faults

    def _list(self) -> None:
        found: dict[str, list[str]] = {}
        for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket):
            for version in page.get("Versions", []):
                found.setdefault(version["Key"], []).append(version["VersionId"])  # the newest first
            for marker in page.get("DeleteMarkers", []):
                self._faults.append(Fault(marker["Key"], "A delete marker was put over it."))
        for name, versions in found.items():
            self._versions[name] = versions[-1]
            if len(versions) > 1:
                self._faults.append(Fault(name, f"{len(versions) - 1} later versions were put over it."))
