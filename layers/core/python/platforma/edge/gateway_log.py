"""
What the gateways' and the functions' logs tell of requests: strangers' events, and what completeness is reckoned from.

What a function answered is what its mark says: `audited`, and in its tenant's log already, or `anonymous`, and told here.
What no function answered is told from the gateway's own line. A delivery tells of a hundred requests one by one, which is
how many one function reads at ease; of the rest, one event for each operation and status.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from platforma.audit.access_log import AccessLine, Mark, Telling, aggregated_event, anonymous_event, told_by
from platforma.audit.completeness import Ledger, Noted, minute_of
from platforma.audit.errors import AnotherEvent
from platforma.edge.endpoints import ENDPOINTS, Endpoint
from platforma.edge.methods import REFUSED
from platforma.kernel.clock import Clock
from platforma.kernel.events import Event
from platforma.kernel.tenancy import PLATFORM

ALONE = 100
_FORMS = [(row, re.compile(re.sub(r"{\w+}", "[^/]+", re.sub(r"{\w+\+}", ".+", row.path)))) for row in ENDPOINTS]


class _Stranger(NamedTuple):
    line: AccessLine
    action: str


def record_requests(
    event: Mapping[str, Any], *, enter: Callable[[Event], None], ledger: Ledger, clock: Clock
) -> dict[str, Any]:
    """
    Enter the events of requests of nobody known, then note all for reconciliation; how many there were of how many lines.

    Raises:
        Malformed: not the event of a log subscription.
        Unavailable: something could not be written; the same lines may come again.
    """
    told = told_by(event)
    strangers = {stranger.line.request_id: stranger for one in told if (stranger := _stranger(one))}
    events = _entered(list(strangers.values()), enter, clock)
    by_minute: dict[str, list[Noted]] = defaultdict(list)
    for one in told:
        by_minute[minute_of(one.at)].append(_noted(one, events))
    for minute, noted in sorted(by_minute.items()):
        ledger.note(minute, noted)
    return {"lines": len(told), "recorded": len(strangers)}


def action_of(line: AccessLine) -> str:
    """What the request asked for, where no function says so."""
    fitting = [
        row
        for row, form in _FORMS
        if (row.method == line.method or (line.method == "HEAD" and row.reads)) and form.fullmatch(line.path)
    ]
    row: Endpoint | None = min(fitting, key=lambda row: row.path.count("{"), default=None)
    return row.operation if row is not None else REFUSED


def _stranger(one: Telling) -> _Stranger | None:
    if isinstance(one, Mark):
        return _Stranger(one.line, one.action) if one.record == "anonymous" else None
    return None if one.answered else _Stranger(one, action_of(one))


def _entered(strangers: list[_Stranger], enter: Callable[[Event], None], clock: Clock) -> dict[str, str]:
    """Enter these requests' events; the id of each one's event."""
    found: dict[str, str] = {}
    for line, action in strangers[:ALONE]:
        found[line.request_id] = _enter(anonymous_event(line, action=action, received_at=clock()), enter)
    alike: dict[tuple[str, int], list[AccessLine]] = defaultdict(list)
    for line, action in strangers[ALONE:]:
        alike[action, line.status].append(line)
    for (action, _), lines in alike.items():
        event_id = _enter(aggregated_event(lines, action=action, received_at=clock()), enter)
        found |= dict.fromkeys((line.request_id for line in lines), event_id)
    return found


def _enter(event: Event, enter: Callable[[Event], None]) -> str:
    with suppress(AnotherEvent):  # a line that says something else of a request of this id: the first one stands
        enter(event)
    return event.id


def _noted(one: Telling, events: Mapping[str, str]) -> Noted:
    stranger = events.get(one.request_id)
    if isinstance(one, Mark) and one.record == "audited":
        return Noted(one.request_id, True, one.tenant_id, one.event_id, one.tenant_id)
    marked = isinstance(one, Mark)
    tenant_id = one.tenant_id if isinstance(one, Mark) else None
    return Noted(one.request_id, marked, tenant_id, stranger, PLATFORM if stranger else None)
