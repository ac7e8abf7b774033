"""
Events that other services write, in the contract's form.

What is said of who acts is the writer's word; who wrote, when it came and that it is external is ours. The writer's own id
is kept as `client_request_id` and claimed for the writer (`claim_of`): the same writer, id and body enter once, another body
under that id is refused by the outbox. With the event's time it makes the event's id, which no other event ever has: once
the claim is gone, that time is too long ago to be written again.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, get_args

from platforma.audit.canonical import plain
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import FieldError, Malformed, Unprocessable
from platforma.kernel.events import Event, PrincipalType, Result
from platforma.kernel.ids import from_bytes

MAX_EVENTS = 100
PAST, AHEAD = timedelta(days=7), timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ACTION = re.compile(r"\A[a-z][a-z0-9_-]{0,63}(?:\.[a-z][a-z0-9_-]{0,63}){1,5}\Z")
_REQUIRED = ("id", "timestamp", "action", "result")
_TEXTS = {
    "id": 128,
    "user_id": 128,
    "resource": 256,
    "resource_type": 64,
    "ip_address": 64,
    "user_agent": 1024,
    "request_id": 128,
    "reason": 256,
}
_KNOWN = frozenset({"timestamp", "action", "result", "changes", *_TEXTS})


def external_events(
    sent: Any,
    *,
    tenant_id: str,
    writer_type: PrincipalType,
    writer_id: str,
    control_domains: Collection[str],
    now: datetime,
) -> list[Event]:
    """
    The events that were *sent*, one or a list of them; none of them is entered yet.

    Raises:
        Unprocessable: with every fault of every document; actions of *control_domains* are ours alone.
    """
    faults: list[FieldError] = []
    one = not isinstance(sent, list)
    documents = [sent] if one else sent
    if not 1 <= len(documents) <= MAX_EVENTS:
        raise Unprocessable(errors=[FieldError("", "Must be 1 to 100 events.")])
    events = []
    for at, document in enumerate(documents):
        found = _faults(document, control_domains, now)
        faults += [FieldError(pointer if one else f"/{at}{pointer}", what) for pointer, what in found]
        if not found:
            said = plain(document)
            events.append(_event(said, tenant_id, writer_type, writer_id, now))
    if faults:
        raise Unprocessable("An event is not valid.", errors=faults)
    return events


def _faults(document: Any, control_domains: Collection[str], now: datetime) -> list[tuple[str, str]]:
    if not isinstance(document, Mapping):
        return [("", "Must be an object.")]
    faults = [(f"/{name}", "There is no such field.") for name in document if name not in _KNOWN]
    faults += [(f"/{name}", "Is needed.") for name in _REQUIRED if document.get(name) is None]
    for name, longest in _TEXTS.items():
        value = document.get(name)
        if value is not None and not (isinstance(value, str) and 0 < len(value.encode("utf-8", "replace")) <= longest):
            faults.append((f"/{name}", f"Must be a text of 1 to {longest} bytes."))
    if faults:
        return faults
    return [(f"/{name}", what) for name, what in _meanings(document, control_domains, now) if what]


def _meanings(document: Mapping[str, Any], control_domains: Collection[str], now: datetime) -> list[tuple[str, str | None]]:
    action = document["action"]
    named = isinstance(action, str) and _ACTION.match(action)
    ours = named and action.partition(".")[0] in control_domains
    return [
        ("action", None if named else "Must be a name such as orders.invoices.create."),
        ("action", "Is of a domain whose events only we write." if ours else None),
        ("result", None if document["result"] in get_args(Result) else "Must be success, denied, failure or error."),
        ("timestamp", _time_fault(document["timestamp"], now)),
        ("ip_address", None if _is_address(document.get("ip_address")) else "Must be an IP address."),
        ("changes", None if isinstance(document.get("changes"), Mapping | None) else "Must be an object."),
    ]


def _time_fault(value: Any, now: datetime) -> str | None:
    try:
        moment = parse_rfc3339(value) if isinstance(value, str) else None
    except Malformed as error:
        return error.detail
    if moment is None or not now - PAST <= moment <= now + AHEAD:
        return "Must be a time from 7 days ago to 5 minutes ahead."
    return None


def _is_address(value: Any) -> bool:
    try:
        return value is None or bool(ip_address(value))
    except ValueError:
        return False


def _event(said: Mapping[str, Any], tenant_id: str, writer_type: PrincipalType, writer_id: str, now: datetime) -> Event:
    moment = parse_rfc3339(said["timestamp"])
    event_id = external_id(tenant_id, writer_id, said["id"], moment)
    return Event(
        id=event_id,
        timestamp=rfc3339(moment),
        received_at=rfc3339(now),
        tenant_id=tenant_id,
        request_id=said.get("request_id") or event_id,
        client_request_id=said["id"],
        source="external",
        principal_type=writer_type,
        principal_id=writer_id,
        user_id=said.get("user_id"),
        action=said["action"],
        resource=said.get("resource"),
        resource_type=said.get("resource_type"),
        result=said["result"],
        reason=said.get("reason"),
        ip_address=said.get("ip_address"),
        user_agent=said.get("user_agent"),
        changes=said.get("changes"),
    )


def external_id(tenant_id: str, writer_id: str, own_id: str, moment: datetime) -> str:
    """The event's id: a UUIDv7 of its time, with a hash of tenant, writer and the writer's own id for random bits."""
    parts = (part.encode() for part in (tenant_id, writer_id, own_id))
    hashed = hashlib.sha256(b"external" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()
    raw = bytearray(((moment - _EPOCH) // timedelta(milliseconds=1)).to_bytes(6, "big") + hashed[:10])
    raw[6], raw[8] = 0x70 | raw[6] & 0x0F, 0x80 | raw[8] & 0x3F
    return from_bytes("evt", bytes(raw))
