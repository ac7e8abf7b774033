"""What rings the audit relay: a batch of stream records, or a schedule."""

from collections.abc import Mapping
from typing import Any

from platforma.audit.attend import Attendant
from platforma.audit.bell import logs_of


def relay_event(event: Mapping[str, Any], attendant: Attendant) -> dict[str, Any]:
    """
    Attend the logs that *event* rings for; a schedule rings for all.

    Raises:
        PlatformaError: a log could not be attended; whoever rang rings again.
    """
    logs = logs_of(event)
    done = attendant.sweep() if logs is None else attendant.ring(logs)
    return {
        "entered": sum(each.entered for each in done),
        "busy": [each.log_id for each in done if each.busy],
        "set_aside": [event_id for each in done for event_id in each.set_aside],
    }
