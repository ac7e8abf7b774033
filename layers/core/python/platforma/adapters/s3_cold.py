"""Parquet files in S3, each put only in the place of what was there, and encrypted under the audit key."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from platforma.adapters.aws import answering

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CONFIG = Config(connect_timeout=2, read_timeout=30, retries={"max_attempts": 3, "mode": "standard"})
_NONE = ("NoSuchKey", "404", "NotFound")
_CHANGED = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409", *_NONE)  # the last: what was there is gone


class S3ColdFiles:
    """`Files` of the cold index. *kms_key* is the key to encrypt under."""

    def __init__(self, bucket: str, *, kms_key: str | None = None, client: "S3Client | None" = None) -> None:
        self._bucket = bucket
        # Without a key's name the header would choose AWS's own key over the bucket's default one.
        self._encryption: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        self._s3: S3Client = client or boto3.client("s3", config=_CONFIG)

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        """Names that begin with *prefix* and sort after *after*, in order."""
        with answering():
            for page in self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix, StartAfter=after
            ):
                yield from (found["Key"] for found in page.get("Contents", []))

    def tag(self, name: str) -> str | None:
        """The object's ETag."""
        with answering():
            try:
                return self._s3.head_object(Bucket=self._bucket, Key=name)["ETag"]
            except ClientError as error:
                _require(error, _NONE)
                return None

    def fetch(self, name: str, file: Path) -> str | None:
        """Copy it to *file*; its ETag."""
        with answering():
            try:
                found = self._s3.get_object(Bucket=self._bucket, Key=name)
            except ClientError as error:
                _require(error, _NONE)
                return None
            with file.open("wb") as out:
                for chunk in found["Body"].iter_chunks(1 << 20):
                    out.write(chunk)
            return found["ETag"]

    def put(self, name: str, file: Path, *, instead_of: str | None) -> bool:
        """Store *file*, conditional on the ETag of what is there."""
        condition: Any = {"IfNoneMatch": "*"} if instead_of is None else {"IfMatch": instead_of}
        with answering():
            try:
                with file.open("rb") as body:
                    self._s3.put_object(
                        Bucket=self._bucket,
                        Key=name,
                        Body=body,
                        ContentType="application/vnd.apache.parquet",
                        ChecksumAlgorithm="SHA256",
                        **condition,
                        **self._encryption,
                    )
            except ClientError as error:
                _require(error, _CHANGED)
                return False
            return True

    def remove(self, prefix: str) -> int:
        """Delete all whose names begin so."""
        count = 0
        for name in list(self.names(prefix)):
            with answering():
                self._s3.delete_object(Bucket=self._bucket, Key=name)
            count += 1
        return count


def _require(error: ClientError, codes: tuple[str, ...]) -> None:
    """Raise the error, unless it is one of these."""
    if error.response.get("Error", {}).get("Code", "") not in codes:
        raise error
