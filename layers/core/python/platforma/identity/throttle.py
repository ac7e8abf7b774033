"""
Guessing passwords is slowed down, for each subject (an account, an address) by itself and by more at each failure.

An attempt is charged before its password is looked at, so that many at once gain nothing. Some are free, then the delay
doubles up to a quarter of an hour; nothing is ever locked for good, and a day without an attempt forgets all of them
(NIST SP 800-63B section 5.2.2; OWASP, Blocking Brute Force Attacks). An address from which somebody signed in is remembered,
so that a stranger elsewhere cannot slow them down there.
"""

import math
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from platforma.identity.errors import TurnTaken
from platforma.kernel.errors import RateLimited

FREE_ATTEMPTS = 5
FREE_ATTEMPTS_OF_AN_ADDRESS = 50
"""More, since an office may have one address for all; attempts that succeed do not count."""
LONGEST_DELAY = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)
REMEMBERED_FOR = timedelta(days=30)


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

    def remember(self, tenant_id: str, subject: str, *, until: datetime) -> None:
        """Keep in mind that this subject (an account at an address) is known."""

    def remembers(self, tenant_id: str, subject: str, *, now: datetime) -> bool:
        """Whether it is known still, read consistently."""


def delay_after(count: int, *, free: int = FREE_ATTEMPTS) -> timedelta:
    """How long to wait after so many attempts in a row, of which *free* cost nothing."""
    if count < free:
        return timedelta(0)
    return min(timedelta(seconds=2 ** min(count - free, 20)), LONGEST_DELAY)


def charge_attempt(
    tenant_id: str, subject: str, *, counts: AttemptCounts, now: datetime, free: int = FREE_ATTEMPTS
) -> Attempts:
    """
    Charge one attempt to *subject*; call it before the password is looked at, and `forget` or `refund` after a good one.

    Raises:
        RateLimited: it must wait, and was charged nothing.
    """
    before = counts.read(tenant_id, subject)
    if before is not None and now - before.last >= FORGOTTEN_AFTER:
        count = 0
    elif before is not None:
        count = before.count
        left = before.last + delay_after(count, free=free) - now
        if left > timedelta(0):
            raise RateLimited("Too many attempts; wait before the next one.", retry_after=math.ceil(left.total_seconds()))
    else:
        count = 0
    charged = Attempts(count + 1, now)
    try:
        counts.charge(tenant_id, subject, charged, replacing=before)
    except TurnTaken:
        raise RateLimited("Too many attempts at once; wait before the next one.", retry_after=1) from None
    return charged


def refund_attempt(tenant_id: str, subject: str, charged: Attempts, *, counts: AttemptCounts) -> None:
    """Take back what *charged* cost: it was a good one. Where others were charged since, it stays: it may cost a delay."""
    with suppress(TurnTaken):
        counts.charge(tenant_id, subject, Attempts(charged.count - 1, charged.last), replacing=charged)
