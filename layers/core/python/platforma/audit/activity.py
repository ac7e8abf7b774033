"""
When somebody was last seen, by the index of what was entered and by what waits: no event is opened for it.

Only what we saw ourselves counts: an event that another service wrote is its word for who acted, and when.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Literal

from platforma.audit.model import Row
from platforma.audit.ports import LogStore, Path, Span
from platforma.kernel.clock import parse_rfc3339, rfc3339

_NEWEST, _WAITING = "~", 200


def last_acted(tenant_id: str, user_id: str, *, store: LogStore, since: datetime) -> datetime | None:
    """When this person's newest event since then was entered, by all of the tenant's logs; None where there is none."""
    return _newest(_entered(store.logs_of(tenant_id), user_id, store, since))


def last_acts(
    tenant_id: str, actors: Collection[str], *, store: LogStore, since: datetime, by: Literal["user", "principal"] = "user"
) -> Mapping[str, datetime]:
    """
    When each of these people, or with *by* of these principals without a person, was last seen since then, the newest events
    that wait included; who was not is left out.
    """
    logs = store.logs_of(tenant_id)
    waiting: dict[str, list[Row]] = {}
    for log_id in logs:
        for row in store.pending(log_id, ascending=False, limit=_WAITING).rows:
            body = json.loads(row.body)
            if body.get("source") == "external":
                continue
            acted = body.get("user_id") if by == "user" else None if body.get("user_id") else body.get("principal_id")
            waiting.setdefault(str(acted), []).append(row)
    seen = {actor: _newest([*_entered(logs, actor, store, since, by), *waiting.get(actor, ())]) for actor in actors}
    return {actor: at for actor, at in seen.items() if at is not None}


def _entered(
    logs: Collection[str], actor: str, store: LogStore, since: datetime, by: Literal["user", "principal"] = "user"
) -> Iterable[Row]:
    span, path = Span(rfc3339(since), _NEWEST), Path(by, actor)
    return [row for log_id in logs for row in store.hot(log_id, path, span, ascending=False, limit=1).rows]


def _newest(rows: Iterable[Row]) -> datetime | None:
    newest = max((row.position for row in rows), default=None)
    return None if newest is None else parse_rfc3339(newest.partition("#")[0])
