"""
Guessing passwords is slowed down, for each subject (an account, an address) by itself and by more at each failure.

An attempt is charged before its password is looked at, so that many at once gain nothing. Five are free, then the delay
doubles up to a quarter of an hour; nothing is ever locked for good, and a day without an attempt forgets all of them
(NIST SP 800-63B section 5.2.2; OWASP, Blocking Brute Force Attacks).
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from platforma.identity.errors import TurnTaken
from platforma.kernel.errors import RateLimited

FREE_ATTEMPTS = 5
LONGEST_DELAY = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Attempts:
    """How many attempts in a row were charged to a subject, and when the last one was."""

    count: int
    last: datetime


class AttemptCounts(Protocol):
    """Counts of attempts; *subject* is any text (`user:...`, `address:...`) and is not stored as it is."""

    def read(self, tenant_id: str, subject: str) -> Attempts | None:
        """What was charged to the subject, read consistently."""

    def charge(self, tenant_id: str, subject: str, charged: Attempts, *, replacing: Attempts | None) -> None:
        """
        Put *charged* in the place of what was read.

        Raises:
            TurnTaken: it is not *replacing* any more.
        """

    def forget(self, tenant_id: str, subject: str) -> None:
        """Charge the subject nothing any more: it has shown that it knows the password."""


def delay_after(count: int) -> timedelta:
    """How long to wait after so many attempts in a row."""
    if count < FREE_ATTEMPTS:
        return timedelta(0)
    return min(timedelta(seconds=2 ** min(count - FREE_ATTEMPTS, 20)), LONGEST_DELAY)


def charge_attempt(tenant_id: str, subject: str, *, counts: AttemptCounts, now: datetime) -> None:
    """
    Charge one attempt to *subject*; call it before the password is looked at, and `forget` after a good one.

    Raises:
        RateLimited: it must wait, and was charged nothing.
    """
    before = counts.read(tenant_id, subject)
    if before is not None and now - before.last >= FORGOTTEN_AFTER:
        count = 0
    elif before is not None:
        count = before.count
        left = before.last + delay_after(count) - now
        if left > timedelta(0):
            raise RateLimited("Too many attempts; wait before the next one.", retry_after=math.ceil(left.total_seconds()))
    else:
        count = 0
    try:
        counts.charge(tenant_id, subject, Attempts(count + 1, now), replacing=before)
    except TurnTaken:
        raise RateLimited("Too many attempts at once; wait before the next one.", retry_after=1) from None
