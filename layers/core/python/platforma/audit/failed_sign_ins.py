"""
The failed sign-ins of each account, counted in the index and among what waits: no event is opened for it.

Those that were entered since the log's `sign_ins_since` stand under a path of their own. What was recorded before is looked
for among all events, so that nothing goes uncounted whose relay knew no such path.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from platforma.audit.index import FAILED_SIGN_INS, is_failed_sign_in
from platforma.audit.model import Page, Row
from platforma.audit.ports import LogStore, Path, Span
from platforma.audit.query import above
from platforma.kernel.clock import Clock, rfc3339

_PAGE = 1_000
"""Rows to a page: some 1 MB, the most that one query of the table reads."""
_NEWEST = "~"
_SETTLED = timedelta(minutes=15)
"""Longer than any relay runs: after so long none is left that was begun before another learned of the path."""


@dataclass(frozen=True, slots=True)
class FailedSignIns:
    """How many there were *by_account*, by user id; at least so many where time ran out, and it is not *whole*."""

    by_account: Mapping[str, int]
    whole: bool


def count_failed_sign_ins(
    tenant_id: str, *, store: LogStore, since: datetime, until: datetime, clock: Clock
) -> FailedSignIns:
    """
    The failed sign-ins of *since* and later, in all of the tenant's logs; what is read after *until* is not counted.

    Raises:
        Unavailable: the store does not answer.
    """
    counted: Counter[str] = Counter()
    for log_id in store.logs_of(tenant_id):
        for rows in _pages(log_id, since, store):
            if clock() > until:
                return FailedSignIns(counted, whole=False)
            bodies = (json.loads(row.body) for row in rows)
            counted.update(str(body["user_id"]) for body in bodies if is_failed_sign_in(body))
    return FailedSignIns(counted, whole=True)


def _pages(log_id: str, since: datetime, store: LogStore) -> Iterator[list[Row]]:
    """Whatever may be one, once: what waits is read first, since it is in the index before it waits no longer."""
    waiting: set[str] = set()
    low = rfc3339(since)
    for page in _read(partial(store.pending, log_id), Span(low, _NEWEST)):
        waiting.update(row.position for row in page.rows)
        yield list(page.rows)
    if (head := store.head(log_id)) is None:
        return
    known = head.sign_ins_since
    settled = rfc3339(max(since, known + _SETTLED)) if known else _NEWEST
    for path, span in ((Path(), Span(low, settled)), (FAILED_SIGN_INS, Span(settled, _NEWEST))):
        if span.low < span.high:
            for page in _read(partial(store.hot, log_id, path), span):
                yield [row for row in page.rows if row.position not in waiting]


def _read(read: Callable[..., Page], span: Span) -> Iterator[Page]:
    """The pages of *span*, in order."""
    while True:
        page = read(span, ascending=True, limit=_PAGE)
        yield page
        if not page.more:
            return
        span = Span(above(page.rows[-1].position), span.high)
