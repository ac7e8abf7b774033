"""
Requests as logs tell of them: the gateways' access logs that there was one, the functions' own what became of it.

A function marks each request `audited`, with the event that stands for it, or `anonymous`. A request of nobody known, and
one that no function answered, is recorded from here, in bulk, in the log of strangers: its event's id follows from the
request's, so that a line that comes twice enters once. Paths and headers are only ever text about a request.
"""

import base64
import binascii
import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from platforma.kernel.clock import parse_rfc3339, rfc3339
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


@dataclass(frozen=True, slots=True)
class Mark:
    """
    What a function says of a request: whose it is, where known, and its event, where there is one.

    An anonymous one is told with *line*, for its event to be made of, and *action*, its operation's name.
    """

    request_id: str
    at: datetime
    record: Literal["audited", "anonymous"]
    tenant_id: str | None
    event_id: str | None
    action: str
    line: AccessLine


Telling = AccessLine | Mark


def told_by(event: Mapping[str, Any]) -> list[Telling]:
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
    return [told for message in messages if (told := _told(message))]


def anonymous_event(line: AccessLine, *, action: str, received_at: datetime) -> Event:
    """The event of a request by nobody known; *action* is its operation's name."""
    return Event(
        id=_id_of(line.at, line.request_id),
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


def aggregated_event(lines: Sequence[AccessLine], *, action: str, received_at: datetime) -> Event:
    """One event for many requests of one operation and status; it commits to their ids, and names nobody."""
    ids = sorted(line.request_id for line in lines)
    digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()
    first, last = min(line.at for line in lines), max(line.at for line in lines)
    event_id = _id_of(last, digest)
    return Event(
        id=event_id,
        timestamp=rfc3339(last),
        received_at=rfc3339(received_at),
        tenant_id=PLATFORM,
        request_id=event_id,
        source="gateway",
        principal_type="anonymous",
        principal_id=None,
        user_id=None,
        action=action,
        resource=None,
        result=result_of(lines[0].status),
        ip_address=None,
        user_agent=None,
        reason=f"aggregated {lines[0].status}",
        changes={
            "aggregated": {
                "requests": len(ids),
                "addresses": len({line.ip_address for line in lines}),
                "first": rfc3339(first),
                "last": rfc3339(last),
                "request_ids_sha256": digest,
            }
        },
    )


def result_of(status: int) -> Result:
    """What an answer of this status means."""
    if status in (401, 403):
        return "denied"
    if status >= 500:
        return "error"
    return "failure" if status >= 400 else "success"


def _id_of(at: datetime, name: str) -> str:
    """A UUIDv7 of the request's time whose other bits are a hash of its id (RFC 9562 section 5.7)."""
    digest = hashlib.sha256(f"access {name}".encode()).digest()
    raw = bytearray(int(at.timestamp() * 1000).to_bytes(6, "big") + digest[:10])
    raw[6], raw[8] = 0x70 | raw[6] & 0x0F, 0x80 | raw[8] & 0x3F
    return from_bytes("evt", bytes(raw))


def _told(message: Any) -> Telling | None:
    try:
        said = json.loads(message)
        return _mark(said) if "record" in said else _line(said)
    except (ValueError, KeyError, TypeError, OverflowError, Malformed):
        return None


def _line(said: Mapping[str, Any]) -> AccessLine:
    return AccessLine(
        request_id=str(said["extendedRequestId"])[:128],  # the other one is the caller's to choose
        at=datetime.fromtimestamp(int(said["requestTimeEpoch"]) / 1000, UTC),
        method=str(said["httpMethod"]),
        path=str(said["path"]),
        status=int(said["status"]),
        ip_address=_text(said.get("ip")),
        user_agent=_text(said.get("userAgent")),
        answered=said.get("integrationStatus") not in _NOTHING,
    )


def _mark(said: Mapping[str, Any]) -> Mark | None:
    if said["message"] != "request" or said["record"] not in ("audited", "anonymous"):
        return None
    at = parse_rfc3339(said["received_at"])
    asked = said.get("asked") or {}
    line = AccessLine(
        request_id=str(said["request_id"])[:128],
        at=at,
        method=str(asked.get("method", "")),
        path=str(asked.get("path", "")),
        status=int(said["status"]),
        ip_address=_text(asked.get("ip_address")),
        user_agent=_text(asked.get("user_agent")),
        answered=True,
    )
    event_id = said.get("event_id") if said["record"] == "audited" else None
    return Mark(line.request_id, at, said["record"], said.get("tenant_id"), event_id, str(said["operation"]), line)


def _text(value: Any) -> str | None:
    return None if value in _NOTHING else str(value)[:_LONGEST]
