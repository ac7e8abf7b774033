"""
Requests as the gateways' access logs tell them, and the events of those that belong to no tenant.

A request of nobody known is recorded from here, in bulk, in the platform's own log: its event's id follows from the
request's id, so that a line that comes twice enters once. Paths and headers are only ever text about a request.
"""

import base64
import binascii
import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import Malformed
from platforma.kernel.events import Event, Result
from platforma.kernel.ids import from_bytes
from platforma.kernel.tenancy import PLATFORM

_LONGEST = 1024
_NOTHING = ("", "-", None)


@dataclass(frozen=True, slots=True)
class AccessLine:
    """One request at the gateway. *answered* says whether a function of ours answered; else the gateway refused it."""

    request_id: str
    at: datetime
    method: str
    path: str
    status: int
    ip_address: str | None
    user_agent: str | None
    answered: bool


def lines_of(event: Mapping[str, Any]) -> list[AccessLine]:
    """
    The requests in a CloudWatch Logs subscription's *event*; a message that tells of none is passed over.

    Raises:
        Malformed: it is no such event.
    """
    try:
        packed = base64.b64decode(event["awslogs"]["data"], validate=True)
        document = json.loads(gzip.decompress(packed))
        messages = [found["message"] for found in document["logEvents"]] if document["messageType"] == "DATA_MESSAGE" else []
    except (KeyError, TypeError, ValueError, binascii.Error, OSError, EOFError, zlib.error):
        raise Malformed("Not the event of a log subscription.") from None
    return [line for message in messages if (line := _line(message))]


def anonymous_event(line: AccessLine, *, action: str, received_at: datetime) -> Event:
    """The event of a request by nobody known, as an entry of the platform's log; *action* is its operation's name."""
    return Event(
        id=_id_of(line),
        timestamp=rfc3339(line.at),
        received_at=rfc3339(received_at),
        tenant_id=PLATFORM,
        request_id=line.request_id,
        source="gateway",
        principal_type="anonymous",
        principal_id=None,
        user_id=None,
        action=action,
        resource=line.path[:_LONGEST] or None,
        resource_type="path",
        result=result_of(line.status),
        ip_address=line.ip_address,
        user_agent=line.user_agent,
        reason=f"{line.method[:16]} {line.status}",
    )


def result_of(status: int) -> Result:
    """What an answer of this status means."""
    if status in (401, 403):
        return "denied"
    if status >= 500:
        return "error"
    return "failure" if status >= 400 else "success"


def _id_of(line: AccessLine) -> str:
    """A UUIDv7 of the request's time whose other bits are a hash of its id (RFC 9562 section 5.7)."""
    digest = hashlib.sha256(f"access {line.request_id}".encode()).digest()
    raw = bytearray(int(line.at.timestamp() * 1000).to_bytes(6, "big") + digest[:10])
    raw[6], raw[8] = 0x70 | raw[6] & 0x0F, 0x80 | raw[8] & 0x3F
    return from_bytes("evt", bytes(raw))


def _line(message: Any) -> AccessLine | None:
    try:
        said = json.loads(message)
        return AccessLine(
            request_id=str(said["requestId"])[:128],
            at=datetime.fromtimestamp(int(said["requestTimeEpoch"]) / 1000, UTC),
            method=str(said["httpMethod"]),
            path=str(said["path"]),
            status=int(said["status"]),
            ip_address=_text(said.get("ip")),
            user_agent=_text(said.get("userAgent")),
            answered=said.get("integrationStatus") not in _NOTHING,
        )
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def _text(value: Any) -> str | None:
    return None if value in _NOTHING else str(value)[:_LONGEST]
