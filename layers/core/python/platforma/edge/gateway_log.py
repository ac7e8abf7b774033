"""
Which lines of the gateway's access log are requests of nobody known, and what they asked for.

A request that a function answered for an authenticated caller is in its tenant's log already. The rest is told here: what
the gateway refused by itself, public documents, every 401, and what failed at an endpoint where a client authenticates.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from platforma.audit.access_log import AccessLine, anonymous_event, lines_of
from platforma.audit.errors import AnotherEvent
from platforma.edge.endpoints import ENDPOINTS, Endpoint
from platforma.kernel.clock import Clock
from platforma.kernel.events import Event

_FORMS = [(row, re.compile(re.sub(r"{\w+}", "[^/]+", re.sub(r"{\w+\+}", ".+", row.path)))) for row in ENDPOINTS]
_REFUSED = "gateway.requests.refused"
_UNAUTHENTICATED = 401


def record_strangers(event: Mapping[str, Any], enter: Callable[[Event], None], clock: Clock) -> dict[str, Any]:
    """
    Enter an event for each request of nobody known; how many there were of how many lines.

    Raises:
        Malformed: not the event of a log subscription.
        Unavailable: an event could not be entered; the same lines may come again.
    """
    lines = lines_of(event)
    told = 0
    for line in lines:
        action = stranger_action(line)
        if action is not None:
            try:
                enter(anonymous_event(line, action=action, received_at=clock()))
            except AnotherEvent:
                continue
            told += 1
    return {"lines": len(lines), "recorded": told}


def stranger_action(line: AccessLine) -> str | None:
    """What a request of nobody known asked for; None for one that stands in a tenant's log."""
    row = _endpoint(line)
    if row is None or not line.answered:
        return row.operation if row is not None else _REFUSED
    if row.public or line.status == _UNAUTHENTICATED or (row.access == "client" and line.status >= 400):
        return row.operation
    return None


def _endpoint(line: AccessLine) -> Endpoint | None:
    fitting = [row for row, form in _FORMS if row.method == line.method and form.fullmatch(line.path)]
    return min(fitting, key=lambda row: row.path.count("{"), default=None)
