"""
How long a tenant keeps its log: a term that can be made longer and never shorter, and a legal hold.

New objects are locked by what holds when they are written. Those that lie there already are locked again, one by one, on a
schedule: from `SETTLED` after the change on, when no relay is left that read what held before. Under a hold nothing is
erased, however old.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from platforma.audit.erase import SETTLED
from platforma.audit.ports import Bucket, LogStore
from platforma.audit.retention import YEARS, retain_until
from platforma.kernel.clock import Clock, parse_rfc3339, rfc3339
from platforma.kernel.errors import Conflict, FieldError, PreconditionFailed, Unavailable, Unprocessable
from platforma.kernel.events import Attempt, Event

LONGEST = 30
_BUDGET = timedelta(seconds=40)
_STEP = 50
"""Objects that are locked again between two notes of how far that is."""


class LegalHold(Conflict):
    """What is under a legal hold is not erased."""

    code = "legal_hold"
    public = "The tenant's log is under a legal hold."


@dataclass(frozen=True, slots=True)
class Keeping:
    """
    What a tenant decided: *years* after its newest event an object may go, and not while *legal_hold* is set.

    *place* is the name of the object behind which older ones are still to be locked by this; None once all are.
    """

    tenant_id: str
    years: int = YEARS
    legal_hold: bool = False
    version: int = 0
    changed_at: str = ""
    place: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As its readers see it."""
        shown = {"years": self.years, "legal_hold": self.legal_hold, "version": self.version}
        return {**shown, "changed_at": self.changed_at or None, "applied": self.place is None}


class Keepings(Protocol):
    """What tenants decided. Every method may raise `Unavailable`; reads are consistent."""

    def get(self, tenant_id: str) -> Keeping | None:
        """What the tenant decided, if it ever did."""

    def put(self, before: Keeping, after: Keeping, event: Event) -> None:
        """
        Put *after* in the place of *before*, and have it applied, with its event or not at all.

        Raises:
            PreconditionFailed: another version stands.
        """

    def open(self) -> Iterator[Keeping]:
        """Those that are still to be applied."""

    def advance(self, keeping: Keeping, place: str | None) -> bool:
        """Note how far its applying is, None for all of it; False if another version stands, or another *place*."""


def read_keeping(tenant_id: str, *, keepings: Keepings, least: int) -> Keeping:
    """What holds for the tenant: what it decided, and no less than the platform's own term of *least* years."""
    decided = keepings.get(tenant_id) or Keeping(tenant_id)
    return replace(decided, years=max(decided.years, least))


def set_keeping(
    tenant_id: str, *, years: int, legal_hold: bool, if_match: int | None, keepings: Keepings, least: int, attempt: Attempt
) -> Keeping:
    """
    Decide anew; *if_match* is the version that must stand, 0 for none yet, None for any.

    Raises:
        Unprocessable: a term shorter than the one that holds, or longer than anybody may ask for.
        PreconditionFailed: another version stands.
    """
    before = read_keeping(tenant_id, keepings=keepings, least=least)
    if if_match not in (None, before.version):
        raise PreconditionFailed
    if not before.years <= years <= max(LONGEST, before.years):
        what = f"Must be {before.years} to {LONGEST}: a term is made longer, never shorter."
        raise Unprocessable(errors=[FieldError("/years", what)])
    now = rfc3339(attempt.clock())
    after = Keeping(tenant_id, years, legal_hold, before.version + 1, now, place="")
    told = {"before": _told(before), "after": _told(after)}
    keepings.put(before, after, attempt.event("success", resource=tenant_id, resource_type="audit_log", changes=told))
    return after


def require_no_hold(tenant_id: str, *, keepings: Keepings) -> None:
    """
    Require that the tenant may erase.

    Raises:
        LegalHold: it may not.
    """
    if (decided := keepings.get(tenant_id)) is not None and decided.legal_hold:
        raise LegalHold


def apply_keepings(*, keepings: Keepings, store: LogStore, bucket: Bucket, clock: Clock) -> dict[str, int]:
    """
    Lock what lies there already by what holds now, as far as time allows; how many objects were *locked*, what is *open*.

    Raises:
        Unavailable: a dependency failed; the next call goes on.
    """
    until, counts, failed = clock() + _BUDGET, {"locked": 0, "open": 0}, None
    for keeping in keepings.open():
        counts["open"] += 1
        if clock() < parse_rfc3339(keeping.changed_at) + SETTLED:
            continue
        try:
            counts["open"] -= _applied(keeping, keepings, store, bucket, clock, until, counts)
        except Unavailable as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return counts


def _applied(
    keeping: Keeping,
    keepings: Keepings,
    store: LogStore,
    bucket: Bucket,
    clock: Clock,
    until: datetime,
    counts: dict[str, int],
) -> bool:
    """Whether it is applied to all of the tenant's objects now."""
    for prefix in sorted(f"{log_id}/" for log_id in store.logs_of(keeping.tenant_id)):
        if keeping.place and keeping.place > prefix and not keeping.place.startswith(prefix):
            continue  # that log is done
        for done, (name, written_at) in enumerate(bucket.written(prefix, after=keeping.place or ""), 1):
            # What is written after its newest event is locked no shorter by the time of writing.
            bucket.lock(name, retain_until=retain_until(written_at, keeping.years), legal_hold=keeping.legal_hold)
            counts["locked"] += 1
            if done % _STEP == 0:
                if not keepings.advance(keeping, name) or clock() >= until:
                    return False
                keeping = replace(keeping, place=name)
    return keepings.advance(keeping, None)


def _told(keeping: Keeping) -> dict[str, Any]:
    return {"years": keeping.years, "legal_hold": keeping.legal_hold}
