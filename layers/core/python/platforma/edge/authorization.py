"""May the caller do what this endpoint does? Asked of the one decision engine, and noted for the audit event."""

from datetime import datetime
from typing import Any

from platforma.edge.call import Call
from platforma.kernel.clock import rfc3339_exact
from platforma.kernel.ids import new_id
from platforma.policy.actions import covering
from platforma.policy.decide import decide
from platforma.policy.model import Context, Decision, Request, Subject
from platforma.policy.snapshots import Snapshot


def decide_call(call: Call, snapshot: Snapshot, now: datetime) -> Decision:
    """The decision on the endpoint's operation; what it was made of is kept in the call's attempt."""
    endpoint, subject = call.endpoint, call.caller.subject
    request = _request(call, now, mfa=subject.mfa)
    decision = decide(snapshot.policy_set, subject, request)
    if endpoint.permission is not None:
        call.attempt.decision = recorded(subject, request, decision)
    return decision


def second_factor_would_do(call: Call, snapshot: Snapshot, now: datetime) -> bool:
    """Whether the caller signed in with one factor and would be allowed this call with two."""
    subject = call.caller.subject
    return subject.mfa is False and decide(snapshot.policy_set, subject, _request(call, now, mfa=True)).allowed


def _request(call: Call, now: datetime, *, mfa: bool | None) -> Request:
    return Request(
        action=call.endpoint.operation,
        resource_type=call.endpoint.resource,
        resource_id=call.path.get("id"),
        context=Context(time=now, ip_address=call.attempt.ip_address, mfa=mfa),
        own_api=True,
    )


def may(snapshot: Snapshot, subject: Subject, permission: str, *, now: datetime, ip_address: str | None) -> bool:
    """Whether *subject* holds the bare *permission* here and now, on nothing in particular."""
    request = Request(action=permission, context=Context(time=now, ip_address=ip_address, mfa=subject.mfa), own_api=True)
    return decide(snapshot.policy_set, subject, request).allowed


def recorded(subject: Subject, request: Request, decision: Decision) -> dict[str, Any]:
    """
    A decision as its audit event keeps it: enough to make it again.

    `scopes` holds those scopes of the credential that cover the action: an empty list means that the scopes forbade it, a
    missing field that the credential has no scopes.
    """
    context = request.context
    principal: dict[str, Any] = {"type": subject.type, "id": subject.id}
    if subject.scopes is not None:
        principal["scopes"] = list(covering(subject.scopes, request.action))
    if subject.client_id is not None:
        principal["client_id"] = subject.client_id
    if subject.vouched:
        principal["attributes"] = dict((subject.owner or subject).attributes)
    resource = None
    if request.resource_type is not None:
        resource = {
            "type": request.resource_type,
            "id": request.resource_id,
            "attributes": dict(request.resource_attributes),
        }
    document = {
        "id": decision.decision_id or new_id("dec"),
        "principal": principal,
        "action": request.action,
        "resource": resource,
        "context": {
            "time": None if context.time is None else rfc3339_exact(context.time),
            "ip_address": context.ip_address,
            "mfa": subject.mfa if context.mfa is None else context.mfa,
            "environment": context.environment,
        },
        "result": "allow" if decision.allowed else "deny",
        "kind": decision.kind,
        "matched": [match.as_json() for match in decision.matched],
        "policy_set": decision.policy_set,
    }
    if request.action_attributes:
        document["action_attributes"] = dict(request.action_attributes)
    return document
