"""
Receivers of streams, as tenants name them.

HTTPS endpoints are called as any address that a stranger chooses (`fetch`). Buckets and event buses are reached as a role of
the customer's, which trusts our account with the tenant's id as external id: who names another's role has another id, and
with our own rights nobody's bucket is ever written to. Sessions are held for a while, each for one tenant and role.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypedDict

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from platforma.adapters.fetch import PublicFetch
from platforma.audit.streams.errors import Unreached
from platforma.audit.streams.model import Message
from platforma.kernel.clock import Clock, system_clock
from platforma.keys.expiring import Expiring
from platforma.oauth.errors import Unfetched

_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"max_attempts": 2, "mode": "standard"})
_SESSION = timedelta(minutes=15)
_HELD = timedelta(minutes=10)
_BATCH, _BATCH_BYTES = 10, 240 * 1024
"""What one PutEvents takes (10 entries, 256 KiB with what frames them)."""
_SOURCE = "platforma.audit"


class _Credentials(TypedDict):
    aws_access_key_id: str
    aws_secret_access_key: str
    aws_session_token: str


class Receivers:
    """`Send`."""

    def __init__(self, fetch: PublicFetch, clock: Clock = system_clock) -> None:
        self._fetch = fetch
        self._sessions: Expiring[tuple[str, str], _Credentials] = Expiring(clock, lifetime=_HELD, size=256)

    def __call__(self, tenant_id: str, destination: Mapping[str, str], message: Message) -> None:
        """Hand it over, each in its way."""
        if destination["type"] == "https":
            self._post(destination["url"], message)
            return
        try:
            if destination["type"] == "s3":
                self._put(tenant_id, destination, message)
            else:
                self._send(tenant_id, destination, message)
        except ClientError as error:
            raise Unreached(cause=error.response.get("Error", {}).get("Code", "")) from error
        except BotoCoreError as error:
            raise Unreached(cause=type(error).__name__) from error

    def _post(self, url: str, message: Message) -> None:
        """A redirect is an answer like any, and nobody follows it."""
        try:
            status = self._fetch.send("POST", url, body=message.body, headers=message.headers).status
        except Unfetched as error:
            raise Unreached(cause=str(error.facts.get("cause") or "no answer")) from error
        if not 200 <= status < 300:
            raise Unreached(cause=f"status {status}")

    def _put(self, tenant_id: str, destination: Mapping[str, str], message: Message) -> None:
        """An object a message, by log and sequence: one that is sent again has the same name."""
        role = self._as_role(tenant_id, destination["role_arn"])
        s3 = boto3.client("s3", config=_CONFIG, region_name=destination["region"], **role)
        key = f"{destination.get('prefix', '')}{message.log_id}/{message.first:020d}-{len(message.lines)}.jsonl"
        s3.put_object(
            Bucket=destination["bucket"],
            Key=key,
            Body=message.body,
            ContentType="application/jsonl",
            ChecksumAlgorithm="SHA256",
            Metadata={"webhook-id": message.name},
        )

    def _send(self, tenant_id: str, destination: Mapping[str, str], message: Message) -> None:
        """An entry an event, in order; where a bus did not take one, none of the message counts as taken."""
        bus = destination["event_bus_arn"]
        role = self._as_role(tenant_id, destination["role_arn"])
        events = boto3.client("events", config=_CONFIG, region_name=bus.split(":")[3], **role)
        entries = [_entry(bus, line) for line in message.lines]
        while entries:
            count, size = 0, 0
            for entry in entries[:_BATCH]:
                size += len(entry["Detail"].encode())
                if count and size > _BATCH_BYTES:
                    break
                count += 1
            batch, entries = entries[:count], entries[count:]
            answer = events.put_events(Entries=batch)
            if answer["FailedEntryCount"]:
                failed = next(one for one in answer["Entries"] if one.get("ErrorCode"))
                raise Unreached(cause=str(failed["ErrorCode"]))

    def _as_role(self, tenant_id: str, role: str) -> _Credentials:
        """The credentials of a session as *role*, from the tenant's last one if that was a moment ago."""
        credentials = self._sessions.get((tenant_id, role))
        if credentials is None:
            sts = boto3.client("sts", config=_CONFIG)
            given = sts.assume_role(
                RoleArn=role,
                RoleSessionName="platforma-audit-stream",
                ExternalId=tenant_id,
                DurationSeconds=int(_SESSION.total_seconds()),
            )["Credentials"]
            credentials = {
                "aws_access_key_id": given["AccessKeyId"],
                "aws_secret_access_key": given["SecretAccessKey"],
                "aws_session_token": given["SessionToken"],
            }
            self._sessions.put((tenant_id, role), credentials)
        return credentials


def _entry(bus: str, line: str) -> dict[str, Any]:
    event = json.loads(line)
    action = event.get("action") or event["metadata"]["event_code"]
    return {"EventBusName": bus, "Source": _SOURCE, "DetailType": action[:128], "Detail": line.rstrip("\n")}
