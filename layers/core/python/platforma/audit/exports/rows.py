"""Events in the forms of an export: JSONL, CSV that no spreadsheet computes, and OCSF."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from platforma.audit.exports.ocsf import ocsf_event

COLUMNS = (
    *("timestamp", "tenant_id", "user_id", "action", "resource", "result", "ip_address", "user_agent", "id", "request_id"),
    *("part", "client_request_id", "source", "principal_type", "principal_id", "resource_type", "reason"),
    *("changes", "decision", "received_at", "sequence"),
)
_COMPUTED = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula, full width included (OWASP, CSV injection)."""
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"), sort_keys=True).encode


def json_row(event: Mapping[str, Any]) -> str:
    """One line of JSON."""
    return _encode(event) + "\n"


def ocsf_row(event: Mapping[str, Any]) -> str:
    """One line of OCSF."""
    return json_row(ocsf_event(event))


def csv_header() -> str:
    """The names of the columns."""
    return csv_line(COLUMNS)


def csv_row(event: Mapping[str, Any]) -> str:
    """One record (RFC 4180), every field quoted; what would be computed begins with an apostrophe."""
    return csv_line([csv_cell(event.get(name)) for name in COLUMNS])


def csv_cell(value: Any) -> str:
    """*value* as a cell that no spreadsheet computes and that moves no terminal."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else _encode(value)
    if not text.isprintable():
        text = "".join(character if character.isprintable() or character in "\n\t" else "\ufffd" for character in text)
    return f"'{text}" if text.lstrip(" ").startswith(_COMPUTED) else text


def csv_line(cells: Iterable[str]) -> str:
    """One record (RFC 4180), every field quoted."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return out.getvalue()
