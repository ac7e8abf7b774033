"""
Erasure of a person from the log: their key is destroyed, so that what entries say of them can never be read again.

The entries stay, bit by bit, and every proof with them. The key goes while the log is held and no intent is open: an intent
that names a key needs it to be finished. What waits is entered first; the hot index is rewritten without the person. Each
step may be done again, and the key goes last, so that whoever starts over finds what is left to do.
"""

import os

from platforma.audit.model import Row, tenant_of
from platforma.audit.ports import Path, PathName, Span
from platforma.audit.relay import LEASE, Relay, finish_open_intent, relay
from platforma.audit.sealing import open_rows, without_person
from platforma.kernel.errors import Unavailable

_PATHS: tuple[PathName, ...] = ("user", "resource")
_PAGE = 200


def erase_person(log_id: str, person: str, *, origin: str, by: Relay) -> int:
    """
    Erase *person*, a user id, from this log; how many rows of the hot index told of them.

    Raises:
        Unavailable: another relay has the log, or a dependency failed; nothing is lost by trying again.
    """
    relay(log_id, origin=origin, by=by)
    owner = os.urandom(8).hex()
    now = by.clock()
    head = by.store.lease(log_id, origin=origin, owner=owner, now=now, until=now + LEASE)
    if head is None:
        raise Unavailable("The log is being written.")
    head = finish_open_intent(head, by)
    rewritten = sum(_rewritten(log_id, Path(name, person), person, by) for name in _PATHS)
    by.persons.erase(tenant_of(log_id), person)
    by.store.release(head, owner, heed_bells=False)
    return rewritten


def _rewritten(log_id: str, path: Path, person: str, by: Relay) -> int:
    span, count = Span("0", "~"), 0
    while True:
        page = by.store.hot(log_id, path, span, ascending=True, limit=_PAGE)
        rows: list[Row] = [
            without_person(one, person, by.envelope)
            for one in open_rows(log_id, page.rows, by.envelope)
            if person in one.values
        ]
        by.store.index(log_id, rows)
        count += len(rows)
        if not page.more:
            return count
        span = Span(page.rows[-1].position + "!", "~")
