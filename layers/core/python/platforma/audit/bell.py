"""
What rings for a log: a record of the table's stream says that an event waits there, and nothing more is read from it.

Whatever the stream loses, repeats or delays, the events themselves are read from the table.
"""

from collections.abc import Mapping
from typing import Any

from platforma.kernel.ids import is_id

_SUFFIX = "#PENDING"


def logs_of(event: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The logs that a batch of stream records rings for, each once, in order; None if *event* is no such batch."""
    records = event.get("Records")
    if not isinstance(records, list):
        return None
    keys = (_partition(record) for record in records if isinstance(record, Mapping))
    return tuple(dict.fromkeys(key.removesuffix(_SUFFIX) for key in keys if key))


def _partition(record: Mapping[str, Any]) -> str | None:
    """The partition in which an event was put to wait."""
    if record.get("eventName") != "INSERT":
        return None
    try:
        key = record["dynamodb"]["Keys"]["pk"]["S"]
    except (KeyError, TypeError):
        return None
    if not isinstance(key, str) or not key.endswith(_SUFFIX):
        return None
    return key if is_id(key.removesuffix(_SUFFIX).partition(".")[0], "ten") else None
