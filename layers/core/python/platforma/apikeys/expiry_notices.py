"""
Telling a tenant, 30, 14 and 3 days ahead, that one of its keys ends.

With a key that ends stands its next notice, under the day on which it is due; telling it and putting the next one in its
place is one transaction. So a run looks at due days alone, tells each notice once whoever else runs, and what a crash left
is found by the next. A notice that is out of date (the key is gone, was rotated or ends at another time) is dropped.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple, Protocol

from platforma.apikeys.model import APIKey
from platforma.kernel.clock import Clock, rfc3339
from platforma.kernel.errors import AlreadyUsed, PreconditionFailed, Unavailable
from platforma.kernel.events import Attempt, Event
from platforma.keys.errors import NoSuchKey

DAYS = (30, 14, 3)
ACTION = "settings.api_keys.announce_expiry"


class Notice(NamedTuple):
    """That a key ends in *days*, to be told from *due* on."""

    key_id: str
    days: int
    due: datetime


class Notices(Protocol):
    """Notices to come; `Keys` puts the first one in with each key that ends, and with each new end."""

    def find(self, key_id: str) -> APIKey | None:
        """See `Keys.find`."""

    def due(self, now: datetime) -> Iterator[Notice]:
        """The notices of the last 31 days that are not told yet, of all tenants."""

    def tell(self, notice: Notice, key: APIKey, event: Event) -> None:
        """
        Enter *event* and put the key's next notice in the place of *notice*, together.

        Raises:
            AlreadyUsed: another run told it.
            PreconditionFailed: the key is not what was read any more.
        """

    def drop(self, notice: Notice) -> None:
        """Forget a notice that is out of date."""


def next_notice(key: APIKey, after: datetime) -> Notice | None:
    """The first notice that becomes due after *after*; none for a key that has no end, or is done with."""
    if key.expires_at is None or key.revoked_at is not None or key.successor_id is not None:
        return None
    for days in DAYS:
        due = key.expires_at - timedelta(days=days)
        if due > after:
            return Notice(key.id, days, due)
    return None


def announce_expiries(*, notices: Notices, clock: Clock, request_id: str) -> int:
    """
    Tell what is due; how many were told.

    Raises:
        Unavailable: some could not be told, and stay for the next run; all others were.
    """
    told = failed = 0
    for notice in notices.due(clock()):
        try:
            told += _announced(notice, notices=notices, clock=clock, request_id=request_id)
        except (AlreadyUsed, PreconditionFailed):
            continue
        except Unavailable:
            failed += 1
    if failed:
        raise Unavailable(failed=failed, told=told)
    return told


def _announced(notice: Notice, *, notices: Notices, clock: Clock, request_id: str) -> bool:
    key, now = notices.find(notice.key_id), clock()
    if key is None or key.expires_at is None or now >= key.expires_at or not _stands(notice, key):
        notices.drop(notice)
        return False
    attempt = Attempt(
        request_id=request_id,
        action=ACTION,
        clock=clock,
        source="schedule",
        tenant_id=key.tenant_id,
        principal_type="system",
        principal_id="apikeys_expiry",
    )
    left = ceil((key.expires_at - now) / timedelta(days=1))  # fewer than the notice says where no run came for a while
    told = {"after": {"expires_at": rfc3339(key.expires_at), "days": left, "name": key.name}}
    try:
        notices.tell(notice, key, attempt.event("success", resource=key.id, resource_type="api_key", changes=told))
    except NoSuchKey:  # the tenant was shredded, and its log takes no more events
        notices.drop(notice)
        return False
    return True


def _stands(notice: Notice, key: APIKey) -> bool:
    return next_notice(key, notice.due - timedelta(milliseconds=1)) == notice
