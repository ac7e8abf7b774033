"""Files that are there to be fetched for some days: each encrypted and checksummed, and given out by link."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from platforma.adapters.aws import answering

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A signature of the older kind would not bind a link to its region and headers. Without a style botocore presigns for the
# global endpoint, which sends elsewhere, and so breaks the signature, while a bucket is new.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=30,
    retries={"max_attempts": 3, "mode": "standard"},
    signature_version="s3v4",
    s3={"addressing_style": "virtual"},
)

_NONE = ("NoSuchKey", "404", "NotFound")


class S3Files:
    """`Files`. *kms_key* is the key to encrypt under; who gives out links alone needs none."""

    def __init__(self, bucket: str, *, kms_key: str | None = None) -> None:
        self._bucket = bucket
        # Without a key's name the header would choose AWS's own key over the bucket's default one.
        self._encryption: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        self._s3: S3Client = boto3.client("s3", config=_CONFIG)

    def put(self, name: str, file: Path, media_type: str) -> None:
        """
        Store a file.

        Raises:
            Unavailable: S3 would not.
        """
        with answering(), file.open("rb") as body:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=name,
                Body=body,
                ContentType=media_type,
                ChecksumAlgorithm="SHA256",
                **self._encryption,
            )

    def fetch(self, name: str, file: Path) -> bool:
        """
        Copy what is stored to *file*.

        Raises:
            Unavailable: S3 would not.
        """
        with answering():
            try:
                found = self._s3.get_object(Bucket=self._bucket, Key=name)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code", "") not in _NONE:
                    raise
                return False
            with file.open("wb") as out:
                for chunk in found["Body"].iter_chunks(1 << 20):
                    out.write(chunk)
        return True

    def remove(self, names: Iterable[str]) -> None:
        """
        Delete these files; the bucket keeps no versions.

        Raises:
            Unavailable: S3 would not.
        """
        with answering():
            for name in names:
                self._s3.delete_object(Bucket=self._bucket, Key=name)

    def link(self, name: str, valid: timedelta) -> str:
        """A presigned URL; no call is made for it."""
        asked = {"Bucket": self._bucket, "Key": name}
        return self._s3.generate_presigned_url("get_object", Params=asked, ExpiresIn=int(valid.total_seconds()))
