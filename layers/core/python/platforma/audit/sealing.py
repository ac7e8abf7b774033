"""
From an event to the row that is stored, and back to the event as readers see it.

The row's clear part names what happened; personal values and the seed are sealed under the tenant's key, bound to the
event's id and to the hash of the clear part, so that neither is changed without the other. The seed is random once, here:
whatever else is random in an entry is derived from it, so that the entry's bytes are settled before anybody writes them.
"""

import base64
import hashlib
import json
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from platforma.audit.canonical import canonical, plain
from platforma.audit.entry import longest_line, surely_fits
from platforma.audit.errors import EventTooLarge, LogBroken
from platforma.audit.model import MAX_ENTRY, Row, position_of, tenant_of
from platforma.audit.personal import OF_THE_ACTOR, Values, divide, unite
from platforma.audit.redaction import is_suspect, redacted
from platforma.kernel.events import Event
from platforma.keys.envelope import Envelope

PURPOSE = "audit"
_SEED = 32


@dataclass(frozen=True, slots=True)
class Opened:
    """A row with its seals open: *body* is the event without its personal *values*; *salts* of an old one."""

    row: Row
    body: dict[str, Any]
    values: Values
    seed: bytes
    salts: dict[str, str] | None = None

    def document(self) -> dict[str, Any]:
        """The event as the contract has it."""
        values = {path: value for found in self.values.values() for path, value in found.items()}
        whole = dict.fromkeys(OF_THE_ACTOR) | unite(self.body, values)
        if self.row.sequence is not None:
            whole["sequence"] = self.row.sequence
        return whole


def seal_event(event: Event, envelope: Envelope) -> Row:
    """
    *event* as a row of its tenant's log, without whatever credentials it holds.

    Raises:
        EventTooLarge: its entry would be over the limit, so that no relay could enter it.
        Unavailable: no key is to be had.
    """
    document, seed = plain(event.as_json()), base64.b64encode(os.urandom(_SEED)).decode()
    body, values = divide(document, event)
    text, secret = canonical(body), canonical({"seed": seed, "values": values})
    if is_suspect(text, secret):
        body, values = divide(redacted(document, external=event.source == "external"), event)
        text, secret = canonical(body), canonical({"seed": seed, "values": values})
    if not surely_fits(text, secret, values) and longest_line(body, values) > MAX_ENTRY:
        raise EventTooLarge(event_id=event.id)
    return Row(
        id=event.id,
        position=position_of(event.timestamp, event.id),
        received_at=event.received_at,
        body=text,
        sealed=envelope.seal(event.tenant_id, PURPOSE, _record(event.id, text), secret),
    )


def without_persons(opened: Opened, persons: Collection[str], envelope: Envelope) -> Row:
    """The row without these persons' values; its seed goes with them, since no entry will be made of it again."""
    values = {name: found for name, found in opened.values.items() if name not in persons}
    secret = canonical({"seed": base64.b64encode(bytes(_SEED)).decode(), "values": values})
    record = _record(opened.row.id, opened.row.body)
    return replace(opened.row, sealed=envelope.seal(opened.body["tenant_id"], PURPOSE, record, secret))


def open_rows(log_id: str, rows: Sequence[Row], envelope: Envelope) -> list[Opened]:
    """
    These rows, opened.

    Raises:
        DoesNotOpen: one was changed, or moved here from another tenant or event.
        LogBroken: one cannot be read.
        Unavailable: no key is to be had.
    """
    secrets = envelope.open_all(tenant_of(log_id), PURPOSE, [(_record(row.id, row.body), row.sealed) for row in rows])
    return [_opened(row, secret) for row, secret in zip(rows, secrets, strict=True)]


def _record(event_id: str, body: bytes) -> str:
    return f"{event_id}|{hashlib.sha256(body).hexdigest()}"


def _opened(row: Row, secret: bytes) -> Opened:
    try:
        inner, body = json.loads(secret), json.loads(row.body)
        return Opened(row, body, inner["values"], base64.b64decode(inner["seed"]))
    except (ValueError, KeyError, TypeError) as error:
        raise LogBroken("A stored event cannot be read.", event_id=row.id) from error
