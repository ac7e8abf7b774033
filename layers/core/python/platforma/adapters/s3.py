"""
Objects that are written once and kept: every put is conditional, locked in COMPLIANCE mode, checksummed and encrypted.

The retention stands on each object itself: a bucket's default can be changed by who administers it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from platforma.audit.errors import WrittenBefore
from platforma.kernel.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_HELD: Any = {"ObjectLockLegalHoldStatus": "ON"}
_TYPES = {".gz": "application/gzip"}
_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"max_attempts": 3, "mode": "standard"})


class S3Bucket:
    """`Bucket`. *kms_key* is the key to encrypt under; the bucket's own default where it is not given."""

    def __init__(self, name: str, *, kms_key: str | None = None, client: "S3Client | None" = None) -> None:
        self._name = name
        self._s3: S3Client = client or boto3.client("s3", config=_CONFIG)
        # Without a key's name the header would choose AWS's own key over the bucket's default one.
        self._encryption: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}

    def put(self, key: str, body: bytes, *, retain_until: datetime, legal_hold: bool = False) -> None:
        """
        Store an object and lock it.

        Raises:
            WrittenBefore: there is one of this name.
            Unavailable: S3 would not; it may have stored it all the same, and then says so the next time.
        """
        with _answering():
            self._s3.put_object(
                Bucket=self._name,
                Key=key,
                Body=body,
                IfNoneMatch="*",
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=retain_until,
                **(_HELD if legal_hold else {}),
                ChecksumAlgorithm="SHA256",
                ContentType=_TYPES.get(key[key.rfind(".") :], "application/octet-stream"),
                **self._encryption,
            )

    def get(self, key: str) -> bytes | None:
        """The object of this name, its checksum verified."""
        with _answering():
            try:
                return self._s3.get_object(Bucket=self._name, Key=key, ChecksumMode="ENABLED")["Body"].read()
            except self._s3.exceptions.NoSuchKey:
                return None

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        """Names that begin with *prefix* and sort after *after*, in order."""
        return (name for name, _ in self.written(prefix, after))

    def written(self, prefix: str, after: str = "") -> Iterator[tuple[str, datetime]]:
        """As `names`, each with when it was written."""
        pages = self._s3.get_paginator("list_objects_v2")
        with _answering():
            for page in pages.paginate(Bucket=self._name, Prefix=prefix, StartAfter=after):
                yield from ((found["Key"], found["LastModified"]) for found in page.get("Contents", []))

    def lock(self, key: str, *, retain_until: datetime, legal_hold: bool) -> None:
        """Lock for longer what is there: in COMPLIANCE mode S3 shortens for nobody."""
        with _answering():
            now = self._s3.head_object(Bucket=self._name, Key=key)
            until = now.get("ObjectLockRetainUntilDate")
            if until is None or until < retain_until:
                longer: Any = {"Mode": "COMPLIANCE", "RetainUntilDate": retain_until}
                self._s3.put_object_retention(Bucket=self._name, Key=key, Retention=longer, ChecksumAlgorithm="SHA256")
            if (now.get("ObjectLockLegalHoldStatus") == "ON") is not legal_hold:
                hold: Any = {"Status": "ON" if legal_hold else "OFF"}
                self._s3.put_object_legal_hold(Bucket=self._name, Key=key, LegalHold=hold, ChecksumAlgorithm="SHA256")


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in ("PreconditionFailed", "412"):
            raise WrittenBefore from error
        raise Unavailable(cause=code) from error
    except BotoCoreError as error:
        raise Unavailable(cause=type(error).__name__) from error
