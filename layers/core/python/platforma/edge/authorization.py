"""May the caller do what this endpoint does? Asked of the one decision engine, and noted for the audit event."""

from datetime import datetime
from typing import Any

from platforma.edge.call import Call
from platforma.kernel.ids import new_id
from platforma.policy.decide import decide
from platforma.policy.model import Context, Decision, Request, Subject
from platforma.policy.snapshots import Snapshot


def decide_call(call: Call, snapshot: Snapshot, now: datetime) -> Decision:
    """The decision on the endpoint's operation; what it was made of is kept in the call's attempt."""
    endpoint, subject = call.endpoint, call.caller.subject
    request = Request(
        action=endpoint.operation,
        resource_type=endpoint.resource,
        resource_id=call.path.get("id"),
        context=Context(time=now, ip_address=call.attempt.ip_address, mfa=subject.mfa),
        own_api=True,
    )
    decision = decide(snapshot.policy_set, subject, request)
    if endpoint.permission is not None:
        call.attempt.decision = recorded(subject, request, decision)
    return decision


def may(snapshot: Snapshot, subject: Subject, permission: str, *, now: datetime, ip_address: str | None) -> bool:
    """Whether *subject* holds the bare *permission* here and now, on nothing in particular."""
    request = Request(action=permission, context=Context(time=now, ip_address=ip_address, mfa=subject.mfa), own_api=True)
    return decide(snapshot.policy_set, subject, request).allowed


def recorded(subject: Subject, request: Request, decision: Decision) -> dict[str, Any]:
    """A decision as its audit event keeps it: enough to make it again."""
    context = request.context
    resource = None
    if request.resource_type is not None:
        resource = {
            "type": request.resource_type,
            "id": request.resource_id,
            "attributes": dict(request.resource_attributes),
        }
    return {
        "id": decision.decision_id or new_id("dec"),
        "principal": {"type": subject.type, "id": subject.id},
        "action": request.action,
        "resource": resource,
        "context": {
            "time": context.time.isoformat(),
            "ip_address": context.ip_address,
            "mfa": context.mfa,
            "environment": context.environment,
        },
        "result": "allow" if decision.allowed else "deny",
        "kind": decision.kind,
        "matched": [match.as_json() for match in decision.matched],
        "policy_set": decision.policy_set,
    }
