"""Is a presented key good, and may its bearer do that: `/v1/api-keys/verify`, where alone the causes are told apart."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from platforma.apikeys.model import APIKey, Refusal
from platforma.apikeys.verify import KeyCheck
from platforma.edge.authorization import recorded
from platforma.edge.call import Call
from platforma.edge.decisions import resource_of
from platforma.edge.endpoints import BY_OPERATION
from platforma.edge.resources import KnownOf, with_known
from platforma.edge.subjects import Subjects
from platforma.kernel.ids import new_id
from platforma.policy.actions import covers
from platforma.policy.decide import decide
from platforma.policy.model import Context, Request
from platforma.policy.snapshots import Snapshot

_OF_THE_KEY = ("key_id", "tenant_id", "environment", "scopes", "expires_at", "rate_limit")


def verify_presented_key(
    call: Call, *, check: Callable[..., KeyCheck], snapshot: Snapshot, subjects: Subjects, known: KnownOf
) -> dict[str, Any]:
    """
    What the key in the body is worth now; its *action* on its *resource* is decided as for a request made with the key.

    The address is the one that the body's context states: that of whoever presented the key, not that of the caller.
    """
    body = call.body
    about = resource_of(body.resource)

    def permits(key: APIKey) -> Refusal | None:
        subject = subjects.of_key(key)
        if subject is None or not subject.active:
            return "suspended"
        if body.action is None:
            return None
        context = Context(time=call.now, ip_address=body.context.ip_address, mfa=None, environment=body.context.environment)
        own_api = body.action in BY_OPERATION
        request = with_known(Request(action=body.action, context=context, own_api=own_api, **about), call.tenant_id, known)
        decision = decide(snapshot.policy_set, subject, request)._replace(decision_id=new_id("dec"))
        call.note_decision(recorded(subject, request, decision))
        if decision.allowed:
            return None
        return "denied" if covers(key.scopes, body.action) else "insufficient_scope"

    found = check(
        body.key,
        tenant_id=call.tenant_id,
        ip_address=body.context.ip_address,
        permits=permits,
        cost=body.cost,
        attempt=call.attempt,
    )
    call.attempt.resource, call.attempt.resource_type = (found.key.id if found.key else None), "api_key"
    return answer(found)


def told_key(key: APIKey, now: datetime, subjects: Subjects) -> dict[str, Any]:
    """A key as the API shows it: one is `suspended` while its owner may do nothing, or is gone."""
    told = key.as_json(now)
    if told["status"] == "active" and ((subject := subjects.of_key(key)) is None or not subject.active):
        told["status"] = "suspended"
    return told


def answer(found: KeyCheck) -> dict[str, Any]:
    """A check, as the API tells it; of a key that is not the caller's tenant's, nothing but the code."""
    key = found.key
    if key is None:
        return {"valid": False, "code": found.code, **dict.fromkeys(_OF_THE_KEY)}
    rate_limit = found.charge.as_json() if found.charge else (key.rate_limit.as_json() if key.rate_limit else None)
    shown = key.as_json(key.created_at)
    return {
        "valid": found.code == "valid",
        "code": found.code,
        "key_id": key.id,
        "tenant_id": key.tenant_id,
        "environment": key.environment,
        "scopes": list(key.scopes),
        "expires_at": shown["expires_at"],
        "rate_limit": rate_limit,
    }
