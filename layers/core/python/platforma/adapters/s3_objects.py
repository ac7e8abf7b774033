"""Sealed bytes of tenants' objects, in a bucket: written once each, read by range."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from platforma.kernel.errors import Unavailable
from platforma.keys.errors import DoesNotOpen

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"max_attempts": 3, "mode": "standard"})
_MISSING = ("NoSuchKey", "404", "InvalidRange", "416")


class S3Objects:
    """`Bucket`, encrypted once more by the bucket's own default key."""

    def __init__(self, name: str, client: "S3Client | None" = None) -> None:
        self._name = name
        self._s3: S3Client = client or boto3.client("s3", config=_CONFIG)

    def put(self, name: str, body: bytes | bytearray) -> None:
        """Store bytes under a name that was never used, their checksum with them."""
        with _answering():
            self._s3.put_object(Bucket=self._name, Key=name, Body=BytesIO(body), ChecksumAlgorithm="SHA256", IfNoneMatch="*")

    def get(self, name: str, start: int, end: int) -> bytes:
        """The bytes from *start* up to *end*."""
        with _answering():
            read = self._s3.get_object(Bucket=self._name, Key=name, Range=f"bytes={start}-{end - 1}")["Body"].read()
        if len(read) != end - start:
            raise DoesNotOpen("An object's bytes were cut.")
        return read

    def names(self, prefix: str) -> Iterator[str]:
        """The names that begin with *prefix*."""
        with _answering():
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix):
                yield from (found["Key"] for found in page.get("Contents", []))

    def delete(self, names: Sequence[str]) -> None:
        """Remove these; the bucket's lifecycle lets their versions go with its other old ones."""
        for start in range(0, len(names), 1000):
            doomed = [{"Key": name} for name in names[start : start + 1000]]
            with _answering():
                answer = self._s3.delete_objects(Bucket=self._name, Delete={"Objects": doomed, "Quiet": True})  # type: ignore[typeddict-item]
            if answer.get("Errors"):
                raise Unavailable("Not everything was removed.")


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _MISSING:
            raise DoesNotOpen("An object's bytes are not there.") from error
        raise Unavailable(cause=code) from error
    except BotoCoreError as error:
        raise Unavailable(cause=type(error).__name__) from error
