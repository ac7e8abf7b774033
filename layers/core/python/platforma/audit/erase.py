"""
Erasure of a person from a tenant's logs: their key is destroyed, so that what entries say of them can never be read again.

The entries stay, bit by bit, and every proof with them. The key goes while each of the logs is held and has no open intent:
an intent that names a key needs it to be finished. From then on whatever is entered of the person goes without what is
theirs; what was indexed before is rewritten. All of it may be done again, and the rewriting goes on where it stopped.
"""

import os
from datetime import datetime, timedelta
from typing import NamedTuple

from platforma.audit.index import ways
from platforma.audit.model import Row
from platforma.audit.ports import Span
from platforma.audit.relay import LEASE, Relay, finish_open_intent, relay
from platforma.audit.sealing import open_rows, without_persons
from platforma.kernel.errors import Unavailable

SETTLED = timedelta(seconds=90)
"""Longer than any relay runs: after so long none is left that has read the key, or writes rows for an intent from before."""
_PAGE = 200


class Place(NamedTuple):
    """How far the rewriting is: the *way*th of the paths through the tenant's logs, and behind which position there."""

    way: int = 0
    after: str = ""


START = Place()


def destroy_key(tenant_id: str, person: str, *, host: str, by: Relay) -> None:
    """
    Destroy the key of *person*, a user id, for good; *host* begins the names of logs.

    Raises:
        Unavailable: another relay has a log, or a dependency failed; nothing is lost by trying again.
    """
    owner, held = os.urandom(8).hex(), []
    origins = {log_id: f"{host}/audit/{log_id}" for log_id in by.store.logs_of(tenant_id)}
    for log_id, origin in origins.items():
        relay(log_id, origin=origin, by=by)
    now = by.clock()
    try:
        for log_id, origin in origins.items():
            head = by.store.lease(log_id, origin=origin, owner=owner, now=now, until=now + LEASE)
            if head is None:
                raise Unavailable("The log is being written.")
            held.append(head)
            finish_open_intent(head, by)
        if list(by.store.logs_of(tenant_id)) != list(origins):
            raise Unavailable("A log was added.")  # by who had the first one's lease before; from now on nobody adds one
        if by.clock() >= now + LEASE / 2:
            raise Unavailable("The logs could not be held for long enough.")
        by.persons.erase(tenant_id, person)
    finally:
        for head in held:
            by.store.release(head, owner, heed_bells=False)


def rewrite_index(tenant_id: str, person: str, *, by: Relay, place: Place, until: datetime) -> tuple[int, Place | None]:
    """
    Rewrite the hot index without *person*, whose key is gone, from *place* on.

    How many rows told of them, and where to go on at the next call; None once nothing is left.

    Raises:
        Unavailable: a dependency failed; the same call again takes what is left.
    """
    paths = ways(about=person, user_id=None, resource=None, request_id=None)
    every = [(log_id, path) for log_id in by.store.logs_of(tenant_id) for path in paths]
    count = 0
    while place.way < len(every):
        if by.clock() >= until:
            return count, place
        log_id, path = every[place.way]
        page = by.store.hot(log_id, path, Span(place.after + "!" if place.after else "0", "~"), ascending=True, limit=_PAGE)
        rows: list[Row] = [
            without_persons(one, {person}, by.envelope)
            for one in open_rows(log_id, page.rows, by.envelope)
            if person in one.values
        ]
        by.store.index(log_id, rows)
        count += len(rows)
        place = Place(place.way, page.rows[-1].position) if page.more else Place(place.way + 1)
    return count, None
