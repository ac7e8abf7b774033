"""A key's own rate limit, where it is used on this API itself."""

from math import ceil

from platforma.apikeys.model import APIKey, Charge
from platforma.apikeys.ports import Limits
from platforma.kernel.clock import Clock
from platforma.kernel.errors import RateLimited


def charge_key(key: APIKey, *, limits: Limits, clock: Clock, cost: int = 1) -> Charge | None:
    """
    Charge a request to the key's own limit; None where it has none, and then nothing is written.

    Raises:
        RateLimited: nothing was charged; `retry_after` is when the next window may open.
        Unavailable: it could not be counted, and is not granted.
    """
    if key.rate_limit is None:
        return None
    now = clock()
    charge = limits.charge(key.id, key.rate_limit, cost, now)
    if not charge.allowed:
        raise RateLimited(retry_after=max(1, ceil((charge.resets_at - now).total_seconds())))
    return charge
