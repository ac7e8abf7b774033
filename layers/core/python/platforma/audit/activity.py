"""When somebody was last seen, by the index of what was entered: no event is opened for it."""

from datetime import datetime

from platforma.audit.ports import LogStore, Path, Span
from platforma.kernel.clock import parse_rfc3339, rfc3339

_NEWEST = "~"


def last_acted(tenant_id: str, user_id: str, *, store: LogStore, since: datetime) -> datetime | None:
    """When this person's newest event since then was, by all of the tenant's logs; None where there is none."""
    span, path = Span(rfc3339(since), _NEWEST), Path("user", user_id)
    pages = [store.hot(log_id, path, span, ascending=False, limit=1) for log_id in store.logs_of(tenant_id)]
    newest = max((row.position for page in pages for row in page.rows), default=None)
    return None if newest is None else parse_rfc3339(newest.partition("#")[0])
