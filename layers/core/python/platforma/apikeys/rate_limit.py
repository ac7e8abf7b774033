"""
Charging a use of a key to its own rate limit, to its owner's and to its tenant's: all of them or none.

A key's own counter is exact: every charge is a write of its item. The shared ones are leased: an instance takes a block of
the window out of the table and grants from it in memory, so that a thousand keys of one tenant do not queue for one item.
A unit is granted once, by whoever leased it, and never goes back to the table; so no window grants more than its limit,
whatever races, crashes or is refused. What an instance leased and did not grant is lost with the window: at most a
sixty-fourth of the limit an instance. A limit below 128 is leased one by one, and is exact as well.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from threading import Lock

from platforma.apikeys.model import APIKey, Charge, Holder, RateLimit, SharedLimit
from platforma.apikeys.ports import Limits
from platforma.kernel.clock import Clock
from platforma.kernel.errors import RateLimited, Unavailable

BLOCKS = 64
"""Into how many blocks a window is parted."""
_KEPT = 4096
_TRIES = 4


@dataclass(slots=True)
class _Lease:
    """What is held of one window. The table refused *refused_from* units in it, so that it would refuse as many again."""

    limit: RateLimit
    opened: datetime
    left: int = 0
    used: int = 0
    refused_from: int | None = None

    @property
    def ends(self) -> datetime:
        return self.opened + timedelta(seconds=self.limit.period_seconds)


class Leases:
    """Blocks of shared limits, as this instance holds them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held: OrderedDict[Holder, _Lease] = OrderedDict()
        self._lock = Lock()

    def take(self, shared: SharedLimit, cost: int, now: datetime) -> Charge:
        """
        Take *cost* out of the window, all of it or nothing; a cost of 0 only looks.

        Raises:
            Unavailable: it could not be counted, and is not granted.
        """
        with self._lock:
            lease = self._held.get(shared.holder)
            if lease is not None and (lease.limit != shared.limit or now >= lease.ends):
                lease = None
            for _ in range(_TRIES):
                if lease is not None and cost <= lease.left:
                    lease.left -= cost
                    return self._told(shared, lease, allowed=True)
                wanted = cost - (lease.left if lease else 0)
                if lease is not None and lease.refused_from is not None and wanted >= lease.refused_from:
                    return self._told(shared, lease, allowed=False)
                lease = self._leased(shared, lease, wanted, now)
        raise Unavailable(cause="rate_limit_contention")

    def give_back(self, shared: SharedLimit, charge: Charge, cost: int) -> None:
        """Undo a charge of this instance: the units are its own to grant again, in the window that they are of."""
        with self._lock:
            lease = self._held.get(shared.holder)
            if lease is not None and lease.limit == shared.limit and lease.ends == charge.resets_at:
                lease.left += cost

    def _leased(self, shared: SharedLimit, lease: _Lease | None, wanted: int, now: datetime) -> _Lease:
        block = max(wanted, shared.limit.limit // BLOCKS)
        window = self._limits.lease(shared.holder, shared.limit, least=wanted, block=block if wanted else 0, now=now)
        if lease is None or lease.opened != window.opened:
            lease = _Lease(shared.limit, window.opened)
        lease.left += window.granted
        lease.used = window.used
        if wanted and not window.granted:
            lease.refused_from = wanted
        self._held[shared.holder] = lease
        self._held.move_to_end(shared.holder)
        while len(self._held) > _KEPT:
            self._held.popitem(last=False)
        return lease

    @staticmethod
    def _told(shared: SharedLimit, lease: _Lease, *, allowed: bool) -> Charge:
        remaining = max(0, shared.limit.limit - lease.used + lease.left)
        return Charge(allowed, shared.limit, remaining, lease.ends, "tenant" if shared.holder.type == "tenant" else "owner")


class Limiter:
    """Charges a key's use to every limit that it is under. *shared* tells which are shared with other keys."""

    def __init__(self, limits: Limits, shared: Callable[[APIKey], list[SharedLimit]]) -> None:
        self._limits, self._shared, self._leases = limits, shared, Leases(limits)

    def charge(self, key: APIKey, cost: int, now: datetime) -> Charge | None:
        """
        Charge all limits or none: the one that refuses; else the key's own, or of those it shares the one with the least
        left. None where it is under no limit, and then nothing is written. A *cost* of 0 only looks.

        Raises:
            Unavailable: one could not be counted, and nothing is granted.
        """
        taken: list[tuple[SharedLimit, Charge]] = []
        granted: Charge | None = None
        try:
            granted = self._charge(key, cost, now, taken)
        finally:
            if taken and (granted is None or not granted.allowed):
                for shared, charge in taken:
                    self._leases.give_back(shared, charge, cost)
        return granted

    def _charge(self, key: APIKey, cost: int, now: datetime, taken: list[tuple[SharedLimit, Charge]]) -> Charge | None:
        for shared in self._shared(key):
            charge = self._leases.take(shared, cost, now)
            if not charge.allowed:
                return charge
            taken.append((shared, charge))
        if key.rate_limit is not None:
            return self._limits.charge(key.id, key.rate_limit, cost, now)
        return min((charge for _, charge in taken), key=lambda charge: charge.remaining, default=None)


def charge_key(key: APIKey, *, limiter: Limiter, clock: Clock, cost: int = 1) -> Charge | None:
    """
    Charge a request made with *key* on this API itself; None where it is under no limit.

    Raises:
        RateLimited: nothing was charged; `retry_after` is when the next window may open.
        Unavailable: it could not be counted, and is not granted.
    """
    now = clock()
    charge = limiter.charge(key, cost, now)
    if charge is not None and not charge.allowed:
        raise RateLimited(retry_after=max(1, ceil((charge.resets_at - now).total_seconds())))
    return charge
