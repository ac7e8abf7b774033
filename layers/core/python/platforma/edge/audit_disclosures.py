"""A disclosed event as a caller asks for it and gets it: one file."""

from collections.abc import Callable
from typing import Any

from platforma.edge.answer import Answer
from platforma.edge.call import Call
from platforma.kernel.events import Event

_NONE = "none"


def asked_fields(call: Call) -> frozenset[str] | None:
    """The personal fields that are to be told; None: all that are left."""
    asked = call.parameters.fields
    if asked is None:
        return None
    return frozenset() if asked == _NONE else frozenset(asked.split(","))


def disclosure_answer(call: Call, disclosed: dict[str, Any] | None, enter: Callable[[Event], None]) -> Answer:
    """
    The file; 202 until a checkpoint covers the event. The call's own event names the fields that are told.

    Raises:
        Unavailable: that cannot be recorded, and so nothing is told.
    """
    if disclosed is None:
        return Answer(202, {"status": "pending"}, {"Retry-After": "60"})
    event_id = disclosed["event"]["id"]
    told = {"after": {"fields": sorted(disclosed["salts"])}}
    enter(call.attempt.event("success", resource=event_id, resource_type="event", changes=told))
    return Answer(200, disclosed, {"Content-Disposition": f'attachment; filename="{event_id}.json"'})
