"""What rings the audit relay: a batch of stream records, or a schedule; another of which compares requests with events."""

from collections.abc import Mapping
from typing import Any

from platforma.audit.attend import Attendant
from platforma.audit.bell import logs_of
from platforma.audit.completeness import Ledger, reconcile
from platforma.edge.settling import is_settling, settle_logs
from platforma.kernel.clock import Clock


def relay_event(event: Mapping[str, Any], attendant: Attendant) -> dict[str, Any]:
    """
    Attend the logs that *event* rings for; a schedule rings for all; who destroys a tenant's key has that one's settled.

    Raises:
        PlatformaError: a log could not be attended; whoever rang rings again.
    """
    if is_settling(event):
        return settle_logs(event, attendant)
    logs = logs_of(event)
    done = attendant.sweep() if logs is None else attendant.ring(logs)
    return {
        "entered": sum(each.entered for each in done),
        "busy": [each.log_id for each in done if each.busy],
        "set_aside": [event_id for each in done for event_id in each.set_aside],
        "aside": sum(len(each.set_aside) for each in done),
        "logs_added": sum(each.added is not None for each in done),
    }


def asks_for(job: str, event: Mapping[str, Any]) -> bool:
    """Whether *event* is the schedule of this other job: `reconcile`, `erase`, `keep`, `streams`, `witnesses`, `compact`."""
    return event.get("source") == "schedule" and event.get("job") == job


def reconcile_requests(ledger: Ledger, clock: Clock) -> dict[str, Any]:
    """
    Compare requests with events; the counts go into the function's line, where an alarm reads them.

    Raises:
        Unavailable: a dependency failed; what is due stays so.
    """
    return {"completeness": reconcile(ledger, clock())}
