"""
Who gave what, and when: kept beside what was given, so that a review of access need not search the log for it.

Every write of rights comes with its event, and the event says who acts: what is new is theirs, what stays is whose it was.
"""

import json
from collections.abc import Collection, Mapping
from typing import NamedTuple

from platforma.kernel.events import Event


class Given(NamedTuple):
    """By whom, and when (RFC 3339)."""

    by_type: str
    by_id: str
    at: str


NOTHING: Mapping[str, Given] = {}


def carried(before: Mapping[str, Given], had: Collection[str], has: Collection[str], event: Event) -> dict[str, Given]:
    """
    Of what somebody *has* now, who gave it: the event's principal where they *had* it not before.

    What was had without its giver being known, from before this was kept, stays unknown.
    """
    by = Given(event.principal_type, event.principal_id or "", event.timestamp)
    found = {name: before.get(name) if name in had else by for name in sorted(has)}
    return {name: giver for name, giver in found.items() if giver is not None}


def written(givers: Mapping[str, Given]) -> str | None:
    """As text to be stored; None where there is nothing."""
    return json.dumps({name: list(givers[name]) for name in sorted(givers)}, separators=(",", ":")) if givers else None


def read(text: str | None) -> dict[str, Given]:
    """What `written` gave."""
    return {name: Given(*fields) for name, fields in json.loads(text).items()} if text else {}
