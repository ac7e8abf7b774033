"""
What a key was really used for, by the audit log, and the narrowest scopes that would have done.

Counted are the requests made with the key, here and at gateways that ask our authorizer, the actions that it asked about for
itself, and those that others had its verification decide. What no scope is needed for (`/v1/me`) is counted, but asks for
no scope.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from platforma.apikeys.model import APIKey
from platforma.audit.query import Query
from platforma.audit.search import Found
from platforma.edge.audit_query import asked_time
from platforma.edge.call import Call
from platforma.edge.endpoints import BY_OPERATION
from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import FieldError, Unprocessable
from platforma.policy.actions import covers

Search = Callable[[Query], Found]
LOOKED_BACK = timedelta(days=90)
_SEARCHES = 40
"""At most so many of the log's searches, a few thousand events each: beyond, the answer says that it is not complete."""
_SHOWN = 100
_MAX_SCOPES = 100


@dataclass(slots=True)
class _Used:
    allowed: Counter[str] = field(default_factory=Counter)
    denied: Counter[str] = field(default_factory=Counter)
    addresses: Counter[str] = field(default_factory=Counter)
    last: dict[str, str] = field(default_factory=dict)
    complete: bool = True

    def note(self, action: str, timestamp: str, *, denied: bool) -> None:
        (self.denied if denied else self.allowed)[action] += 1
        self.last[action] = max(timestamp, self.last.get(action, ""))


def key_usage(key: APIKey, since: datetime, until: datetime, *, search: Search) -> dict[str, Any]:
    """
    The key's use from *since* until *until*.

    `narrowest_scopes` can be sent as the key's `scopes` as it stands. It is null where it is not known for certain to do:
    the log was too long to be looked through, or there are more operations than a key has scopes.
    """
    used = _read(key, since, until, search)
    needed = sorted(action for action in used.allowed if _needs_scope(action) and covers(key.scopes, action))
    certain = used.complete and len(needed) <= _MAX_SCOPES
    return {
        "key_id": key.id,
        "from": rfc3339(since),
        "to": rfc3339(until),
        "complete": used.complete,
        "operations": [
            {
                "action": action,
                "allowed": used.allowed[action],
                "denied": used.denied[action],
                "last_used_at": used.last[action],
            }
            for action in sorted(used.last)
        ],
        "denials": used.denied.total(),
        "addresses": [{"ip_address": address, "requests": count} for address, count in used.addresses.most_common(_SHOWN)],
        "unused_scopes": [scope for scope in key.scopes if not any(covers([scope], action) for action in needed)],
        "narrowest_scopes": needed if certain else None,
    }


def usage_window(call: Call) -> tuple[datetime, datetime]:
    """
    Since when and until when the query asks.

    Raises:
        Unprocessable: no times, or in the wrong order.
    """
    asked = call.parameters
    until = call.now + timedelta(milliseconds=1) if asked.to is None else asked_time(asked.to, "/to")
    since = until - LOOKED_BACK if asked.from_ is None else asked_time(asked.from_, "/from")
    if since >= until:
        raise Unprocessable(errors=[FieldError("/from", "Before `to`.")])
    return since, until


def _read(key: APIKey, since: datetime, until: datetime, search: Search) -> _Used:
    used = _Used()
    whole = Query(key.tenant_id, since=since, until=until, limit=200)
    owner = key.owner_id if key.owner_type == "user" else None
    for event in _all(replace(whole, principals=frozenset([key.id]), user_id=owner), search, used):
        used.addresses[event["ip_address"] or "unknown"] += 1
        used.note(event["action"], event["timestamp"], denied=event["result"] == "denied")
        _note_decision(used, event, key, seen=event["action"])
    for event in _all(replace(whole, resource=key.id, action="settings.api_keys.verify"), search, used):
        _note_decision(used, event, key, seen=None)
    return used


def _note_decision(used: _Used, event: Mapping[str, Any], key: APIKey, *, seen: str | None) -> None:
    """The decision about the key that *event* tells of; what the event itself is about (*seen*) is counted already."""
    decision = event.get("decision") or {}
    if decision.get("principal", {}).get("id") == key.id and decision["action"] != seen:
        used.note(decision["action"], event["timestamp"], denied=decision["result"] != "allow")


def _all(query: Query, search: Search, used: _Used) -> Iterator[dict[str, Any]]:
    after = None
    for _ in range(_SEARCHES):
        found = search(replace(query, after=after))
        yield from found.events
        after = found.after
        if after is None:
            return
    used.complete = False


def _needs_scope(action: str) -> bool:
    endpoint = BY_OPERATION.get(action)
    return endpoint is None or endpoint.permission is not None
