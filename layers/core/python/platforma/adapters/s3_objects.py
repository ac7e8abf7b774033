"""Sealed bytes of tenants' objects, in a bucket: written once each, read by range, each by a session of its tenant's."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from platforma.kernel.clock import Clock
from platforma.kernel.errors import Broken, Unavailable
from platforma.kernel.ids import is_id
from platforma.keys.errors import DoesNotOpen
from platforma.keys.expiring import Expiring

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"max_attempts": 3, "mode": "standard"})
_MISSING = ("NoSuchKey", "404", "InvalidRange", "416")


_SESSION = timedelta(hours=1)  # the most that a role gets of another
_KEPT = timedelta(minutes=50)
_TENANTS = 64


class STS(Protocol):
    """boto3's client of STS, as far as it is needed."""

    def assume_role(self, **asked: Any) -> Any:
        """Credentials of a session."""


class TenantSessions:
    """
    Sessions of *role*, one a tenant: tagged with the tenant, which the role's own policy goes by, and cut down to what is
    the tenant's in the bucket by a policy of their own. Kept for most of their hour.
    """

    def __init__(self, role: str, bucket: str, clock: Clock, sts: STS | None = None) -> None:
        self._role, self._bucket = role, bucket
        self._sts: STS = sts or boto3.client("sts", config=_CONFIG)
        self._clients: Expiring[str, S3Client] = Expiring(clock, lifetime=_KEPT, size=_TENANTS)

    def client(self, tenant_id: str) -> "S3Client":
        """
        S3 as this tenant.

        Raises:
            Unavailable: no session is to be had.
        """
        if not is_id(tenant_id, "ten"):
            raise Broken("Objects are a tenant's.", tenant_id=tenant_id)
        client = self._clients.get(tenant_id)
        if client is None:
            with _answering():
                given = self._sts.assume_role(
                    RoleArn=self._role,
                    RoleSessionName=f"objects-{tenant_id}",
                    DurationSeconds=int(_SESSION.total_seconds()),
                    Tags=[{"Key": "tenant", "Value": tenant_id}],
                    Policy=self._only(tenant_id),
                )["Credentials"]
            client = boto3.client(
                "s3",
                config=_CONFIG,
                aws_access_key_id=given["AccessKeyId"],
                aws_secret_access_key=given["SecretAccessKey"],
                aws_session_token=given["SessionToken"],
            )
            self._clients.put(tenant_id, client)
        return client

    def _only(self, tenant_id: str) -> str:
        theirs = f"arn:{self._role.split(':')[1]}:s3:::{self._bucket}/{tenant_id}/*"
        statements = [
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": theirs},
            {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"},
        ]
        return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


class S3Objects:
    """
    `Bucket`, encrypted once more by the bucket's own default key.

    Bytes are read and stored by *sessions*, one a tenant; only who sweeps has none, and neither reads nor stores.
    """

    def __init__(self, name: str, sessions: TenantSessions | None = None, client: "S3Client | None" = None) -> None:
        self._name, self._sessions = name, sessions
        self._s3: S3Client = client or boto3.client("s3", config=_CONFIG)

    def put(self, tenant_id: str, name: str, body: bytes | bytearray) -> None:
        """Store bytes under a name that was never used, their checksum with them."""
        s3 = self._as(tenant_id)
        with _answering():
            s3.put_object(Bucket=self._name, Key=name, Body=BytesIO(body), ChecksumAlgorithm="SHA256", IfNoneMatch="*")

    def get(self, tenant_id: str, name: str, start: int, end: int) -> bytes:
        """The bytes from *start* up to *end*."""
        s3 = self._as(tenant_id)
        with _answering():
            read = s3.get_object(Bucket=self._name, Key=name, Range=f"bytes={start}-{end - 1}")["Body"].read()
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
            doomed: list[ObjectIdentifierTypeDef] = [{"Key": name} for name in names[start : start + 1000]]
            with _answering():
                answer = self._s3.delete_objects(Bucket=self._name, Delete={"Objects": doomed, "Quiet": True})
            if answer.get("Errors"):
                raise Unavailable("Not everything was removed.")

    def _as(self, tenant_id: str) -> "S3Client":
        if self._sessions is None:
            raise Broken("Objects are read and stored by a tenant's session.")
        return self._sessions.client(tenant_id)


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
