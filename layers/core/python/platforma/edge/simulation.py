"""
What a change to the policies would do: to questions that are asked, or to the decisions that the audit log has.

A recorded decision is made again of what its event keeps (action, resource, context, the scopes that covered it), for the
principal as it stands now, under the rules as they stand and as they would. Who replays needs `audit:read`.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from platforma.audit.query import Query
from platforma.audit.search import Found
from platforma.edge.call import Call
from platforma.edge.decisions import Desk
from platforma.edge.endpoints import BY_OPERATION
from platforma.edge.subjects import Subjects
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import FieldError, Forbidden, Malformed, Unprocessable
from platforma.policy.decide import decide
from platforma.policy.model import Context, Decision, Request, Subject, SubjectType
from platforma.policy.simulate import Trial

_WINDOW = timedelta(days=7)
_LONGEST = timedelta(days=31)
_PAGE = 200
_PAGES = 5
"""Searches of a call: a page may be short or empty, and the replay goes on behind its cursor."""

Search = Callable[[Query], Found]


def simulated(call: Call, trial: Trial, *, desk: Desk, subjects: Subjects, search: Search) -> dict[str, Any]:
    """
    The answer of `POST /v1/policies/simulate`.

    Raises:
        Forbidden: a question that the caller may not ask, or a replay without `audit:read`.
        Unprocessable: a question, time or cursor that is none.
    """
    cursor = None
    if call.body.requests is not None:
        found = [_asked(desk, trial, question, place) for place, question in enumerate(call.body.requests)]
    else:
        if not desk.holds("audit:read"):
            raise Forbidden("You lack audit:read, which replaying recorded decisions needs.")
        found, after = _replayed(call, trial, subjects, search)
        cursor = call.cursors().seal(call.tenant_id, _question(call), after)
    changed = [one for one in found if one["changed"]]
    return {
        "policy_set": {"before": trial.before.hash, "after": trial.after.hash},
        "would_lock_out": trial.locks_out,
        "decided": len(found),
        "changed": len(changed),
        "decisions": changed if call.body.only_changed else found,
        "next_cursor": cursor,
    }


def _asked(desk: Desk, trial: Trial, question: Any, place: int) -> dict[str, Any]:
    subject, request = desk.read(question, at=f"/requests/{place}")
    return _both(trial, subject, request, nearest=desk.holds("settings:read"))


def _both(trial: Trial, subject: Subject, request: Request, *, nearest: bool) -> dict[str, Any]:
    """What is decided before the change and after it."""
    before, after = (decide(rules, subject, request, explain=nearest) for rules in (trial.before, trial.after))
    told = {"before": _told(before, nearest=nearest), "after": _told(after, nearest=nearest)}
    return {
        "principal": {"type": subject.type, "id": subject.id},
        "action": request.action,
        "resource": None if request.resource_type is None else {"type": request.resource_type, "id": request.resource_id},
        **told,
        "changed": before.allowed != after.allowed,
    }


def _told(decision: Decision, *, nearest: bool) -> dict[str, Any]:
    """A decision that nobody made: it has no id."""
    told = decision.as_json(nearest=nearest)
    del told["decision_id"]
    return told


# Recorded decisions


def _replayed(call: Call, trial: Trial, subjects: Subjects, search: Search) -> tuple[list[dict[str, Any]], str | None]:
    """The decisions of the next events, and where to go on."""
    query = _query(call)
    found: list[dict[str, Any]] = []
    for _ in range(_PAGES):
        page = search(query)
        for event in page.events:
            if (replayed := _again(call, trial, subjects, event)) is None:
                continue
            found.append(replayed)
            if len(found) == call.body.limit:
                is_last = page.after is None and event is page.events[-1]
                return found, None if is_last else _position(query, f"{event['timestamp']}#{event['id']}")
        if page.after is None:
            return found, None
        query = replace(query, after=page.after)
    return found, _position(query, query.after)


def _query(call: Call) -> Query:
    """
    The events of the window asked for, newest first: a week until now if nothing else is said, and at most 31 days. A cursor
    goes on in the window of the first call, though the clock moved.
    """
    until, after = call.now, None
    if call.body.cursor is not None:
        opened = call.cursors().open(call.tenant_id, _question(call), call.body.cursor) or ""
        began, _, after = opened.partition("|")
        until = parse_rfc3339(began)
    until = _time(call.body.to, "/to") or until
    since = _time(call.body.from_, "/from") or until - _WINDOW
    if not timedelta() < until - since <= _LONGEST:
        fault = FieldError("/from", f"Before `to`, and at most {_LONGEST.days} days before it.")
        raise Unprocessable("The window is not valid.", errors=[fault])
    return Query(call.tenant_id, since=since, until=until, limit=_PAGE, after=after)


def _position(query: Query, after: str | None) -> str:
    assert query.until is not None
    return f"{rfc3339(query.until)}|{after}"


def _time(text: str | None, at: str) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_rfc3339(text)
    except Malformed as error:
        raise Unprocessable("The window is not valid.", errors=[FieldError(at, error.detail)]) from None


def _question(call: Call) -> str:
    """What a cursor of this replay is bound to: all of the body but cursor and limit."""
    body = call.body.model_dump(mode="json", by_alias=True, exclude={"cursor", "limit"})
    text = json.dumps([call.endpoint.operation, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _again(call: Call, trial: Trial, subjects: Subjects, event: Mapping[str, Any]) -> dict[str, Any] | None:
    """The decision of *event* made again; None where it has none of ours, or keeps too little to make it of."""
    decision = event.get("decision")
    if event["source"] not in ("api", "gateway") or not decision:
        return None
    try:
        subject, request = _subject(call.tenant_id, subjects, decision["principal"]), _request(event, decision)
    except (KeyError, TypeError, AttributeError, Malformed):
        return None
    recorded = {"event_id": event["id"], "timestamp": event["timestamp"]}
    recorded |= {name: decision.get(name) for name in ("id", "result", "kind", "policy_set")}
    return {**_both(trial, subject, request, nearest=False), "recorded": recorded}


def _subject(tenant_id: str, subjects: Subjects, recorded: Mapping[str, Any]) -> Subject:
    kind, identity = recorded["type"], recorded["id"]
    found = subjects.of_service(identity) if kind == "service" else subjects.of(tenant_id, kind, identity)
    if found is None or found.tenant_id != tenant_id:
        found = Subject(type=cast("SubjectType", kind), id=identity, tenant_id=tenant_id, standing="unknown")
    scopes = recorded.get("scopes")
    attributes = recorded.get("attributes")
    if isinstance(attributes, Mapping):
        held = found.owner or found
        vouched = replace(held, attributes=attributes)
        found = replace(found, owner=vouched) if found.owner is not None else vouched
    return replace(found, scopes=None if scopes is None else tuple(scopes), client_id=recorded.get("client_id"))


def _request(event: Mapping[str, Any], decision: Mapping[str, Any]) -> Request:
    context, resource = decision["context"], decision["resource"] or {}
    time = context.get("time")
    return Request(
        action=decision["action"],
        resource_type=resource.get("type"),
        resource_id=resource.get("id"),
        resource_attributes=resource.get("attributes") or {},
        action_attributes=decision.get("action_attributes") or {},
        own_api=event["source"] == "api" and decision["action"] in BY_OPERATION,
        context=Context(
            time=None if time is None else parse_rfc3339(time),
            ip_address=context.get("ip_address"),
            mfa=context.get("mfa"),
            environment=context.get("environment"),
        ),
    )
