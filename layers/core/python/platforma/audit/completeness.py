"""
Completeness: that every request has an event, shown by what three parties say who do not know of each other.

The gateway tells which requests there were, the functions what became of each, the outbox which events exist. What they say
is *noted* by minute as it comes. Once a minute is over, and time was given for what is late, it is *reconciled*: a request
that no function marked, or whose event does not exist, has none. Whatever comes later has its minute reconciled again.
A request belongs to the tenant that its mark names; a stranger's, and one that nobody marked, to the platform.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import FieldError, Unprocessable
from platforma.kernel.tenancy import PLATFORM

WINDOW = timedelta(minutes=1)
LATE = timedelta(minutes=1)
"""What logs are given to arrive; a request takes 29 s at most."""
MAX_RANGE = timedelta(days=31)
MAX_IDS = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Noted(NamedTuple):
    """
    What was said of a request: *seen* by the gateway, or by a function (*marked*); *event_id* is of its event, in the log of
    *holder*. *tenant_id* is whose request it is, as far as that is known.
    """

    request_id: str
    marked: bool
    tenant_id: str | None = None
    event_id: str | None = None
    holder: str | None = None


class Due(NamedTuple):
    """A minute to reconcile; *token* changes whenever something is noted in it."""

    minute: str
    token: str


@dataclass(slots=True)
class Tally:
    """A tenant's requests of a time: how many were *seen*, for how many an event was *found*, which have none."""

    seen: int = 0
    found: int = 0
    missing: int = 0
    ids: list[str] = field(default_factory=list)

    def add(self, request_id: str, has_event: bool) -> None:
        """Count a request."""
        self.seen += 1
        if has_event:
            self.found += 1
        else:
            self.missing += 1
            if len(self.ids) < MAX_IDS:
                self.ids.append(request_id)


class Ledger(Protocol):
    """What was said of requests, by minute, and what came of comparing it. Every method may raise `Unavailable`."""

    def note(self, minute: str, said: Sequence[Noted]) -> None:
        """Keep what was said of requests of this minute, and have it reconciled. The same again changes nothing."""

    def due(self, before: str) -> Sequence[Due]:
        """Minutes before *before* that are to be reconciled, oldest first."""

    def noted(self, minute: str) -> Iterable[Noted]:
        """All that was said of this minute."""

    def existing(self, events: Collection[tuple[str, str]]) -> Collection[tuple[str, str]]:
        """
        Which of these events, by tenant and id, are there: waiting or entered, where their claim says.

        A claim alone proves nothing: what it stands for may have been taken away before it was entered.
        """

    def settle(self, due: Due, tallies: Mapping[str, Tally]) -> None:
        """Keep each tenant's tally of the minute; it stays due if something was noted since *due* was read."""

    def tallies(self, tenant_id: str, first: str, last: str) -> Iterable[Tally]:
        """The tenant's tallies of these minutes, both included."""


def minute_of(moment: datetime) -> str:
    """The minute that *moment* lies in, by its beginning."""
    return rfc3339(moment.astimezone(UTC).replace(second=0, microsecond=0))


def reconcile(ledger: Ledger, now: datetime) -> dict[str, int]:
    """
    Reconcile every minute that is over; how many *requests* were looked at, how many have no event (*missing*), and how
    many functions told of that the gateway did not (*unseen*).
    """
    done = {"requests": 0, "missing": 0, "unseen": 0}
    for due in ledger.due(minute_of(now - WINDOW - LATE)):
        tallies, unseen = _compared(due.minute, ledger)
        ledger.settle(due, tallies)
        done["requests"] += sum(tally.seen for tally in tallies.values())
        done["missing"] += sum(tally.missing for tally in tallies.values())
        done["unseen"] += unseen
    return done


def completeness(tenant_id: str, since: datetime, until: datetime, *, ledger: Ledger, now: datetime) -> dict[str, object]:
    """
    What is known of the tenant's requests between two moments, in whole minutes. What lies behind `reconciled_until` was not
    compared yet: too young, or what was said of it waits.

    Raises:
        Unprocessable: the times are in the wrong order, or more than 31 days apart.
    """
    if not since < until or until - since > MAX_RANGE:
        raise Unprocessable(errors=[FieldError("/to", "Must be after `from`, by 31 days at most.")])
    whole = Tally()
    over = _floor(now - WINDOW - LATE)
    waiting = next((datetime.fromisoformat(due.minute) for due in ledger.due(minute_of(over))), over)
    settled = min(until, over, waiting)
    for tally in ledger.tallies(tenant_id, minute_of(since), minute_of(until - timedelta(milliseconds=1))):
        whole.seen += tally.seen
        whole.found += tally.found
        whole.missing += tally.missing
        whole.ids += tally.ids[: MAX_IDS - len(whole.ids)]
    return {
        "from": rfc3339(since),
        "to": rfc3339(until),
        "reconciled_until": rfc3339(max(since, settled)),
        "requests_seen": whole.seen,
        "events_found": whole.found,
        "missing": whole.ids,
        "missing_count": whole.missing,
    }


def _compared(minute: str, ledger: Ledger) -> tuple[dict[str, Tally], int]:
    moment = datetime.fromisoformat(minute)
    before, after = (list(ledger.noted(minute_of(moment + step))) for step in (-WINDOW, WINDOW))
    here = list(ledger.noted(minute))
    marks: dict[str, Noted] = {}
    for one in (*before, *after, *here):
        # Of two, the one with an event: a mark may come twice, and a stranger's is noted with its event.
        if one.marked and (one.request_id not in marks or one.event_id is not None):
            marks[one.request_id] = one
    seen = {one.request_id: one for one in here if not one.marked}
    at_the_gateway = seen.keys() | {one.request_id for one in (*before, *after) if not one.marked}
    unseen = {one.request_id: one for one in here if one.marked and one.request_id not in at_the_gateway}
    standing = {**unseen, **{request_id: marks.get(request_id, line) for request_id, line in seen.items()}}
    events = {(one.holder, one.event_id) for one in standing.values() if one.holder and one.event_id}
    existing = ledger.existing(events)
    tallies: dict[str, Tally] = {PLATFORM: Tally()}
    for request_id, one in sorted(standing.items()):
        has_event = (one.holder, one.event_id) in existing
        # A tenant's request that stands only among the strangers' was not recorded where it belongs.
        astray = one.tenant_id is not None and one.holder != one.tenant_id
        tallies.setdefault(one.tenant_id or PLATFORM, Tally()).add(request_id, has_event and not astray)
    return tallies, len(unseen)


def _floor(moment: datetime) -> datetime:
    return _EPOCH + (moment - _EPOCH) // WINDOW * WINDOW
