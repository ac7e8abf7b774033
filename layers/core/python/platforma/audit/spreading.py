"""
When a tenant's events are spread over one log more.

One log's events wait in one partition of the table, which takes 1,000 write units a second: 6 for each event (1.2 KB put
in a transaction and deleted), so that a log bears some 166 events a second. Above `ADDED_ABOVE` over a minute the tenant
gets another one, and each event enters the one that its id draws. Logs are never taken away.

The rate is that of the tenant's first log, by when its events were received: events that waited long count as they came.
"""

from datetime import timedelta

from platforma.audit.model import LOG_ADDED_ACTION, Head, tenant_of
from platforma.kernel.clock import Clock, parse_rfc3339, rfc3339
from platforma.kernel.events import Event
from platforma.kernel.ids import new_id
from platforma.kernel.tenancy import PLATFORM

BORNE = 166
"""Events a second that one log's partition takes: 1,000 write units, 6 an event."""
ADDED_ABOVE = 100
"""Events a second of one log above which there is to be another: three fifths of what it bears."""
MOST = 16
"""Logs of one tenant."""
MEASURED = timedelta(minutes=1)


def is_measured(head: Head) -> bool:
    """Whether this log tells for all of its tenant's; the platform has a log for strangers instead of further ones."""
    return head.newest != "" and head.log_id == tenant_of(head.log_id) != PLATFORM


def rate_of(head: Head) -> float | None:
    """Events a second since the log was last counted; None before there is a minute of them."""
    if not head.counted_newest:
        return None
    time = parse_rfc3339(head.newest) - parse_rfc3339(head.counted_newest)
    return (head.size - head.counted_size) / time.total_seconds() if time >= MEASURED else None


def log_added(log_id: str, rate: float, clock: Clock) -> Event:
    """The first entry of a further log: why there is one."""
    event_id, now = new_id("evt"), rfc3339(clock())
    return Event(
        id=event_id,
        timestamp=now,
        received_at=now,
        tenant_id=tenant_of(log_id),
        request_id=event_id,
        source="schedule",
        principal_type="system",
        principal_id="audit_relay",
        user_id=None,
        action=LOG_ADDED_ACTION,
        resource=log_id,
        resource_type="audit_log",
        result="success",
        reason=f"{rate:.0f} events a second",
        ip_address=None,
        user_agent=None,
    )
