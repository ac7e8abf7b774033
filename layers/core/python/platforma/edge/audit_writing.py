"""Events that other services write: one, or up to a hundred, each entered by itself."""

from collections.abc import Callable

from platforma.audit.external import external_events
from platforma.edge.call import Call
from platforma.kernel.events import Event
from platforma.policy.catalogue import CONTROL_DOMAINS, PLATFORM_DOMAIN


def write_external(call: Call, enter: Callable[[Event], None]) -> list[str]:
    """
    Enter the events of the body; the same event of the same writer enters once. Their ids in the log, in order.

    Raises:
        Unprocessable: an event is not valid; none is entered.
        AnotherEvent: an id was used for an event that says something else; those before it are entered.
        Unavailable: one could not be entered; send all again.
    """
    events = external_events(
        call.body.root,
        tenant_id=call.tenant_id,
        writer_type=call.caller.principal_type,
        writer_id=call.caller.principal_id,
        control_domains=CONTROL_DOMAINS | {PLATFORM_DOMAIN},
        now=call.now,
    )
    for event in events:
        enter(event)
    return [event.id for event in events]
