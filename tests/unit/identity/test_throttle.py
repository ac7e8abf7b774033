"""The delays between password attempts."""

from datetime import UTC, datetime, timedelta

import pytest

from platforma.adapters.memory.identity import MemoryAttemptCounts
from platforma.identity.errors import TurnTaken
from platforma.identity.throttle import FREE_ATTEMPTS, LONGEST_DELAY, charge_attempt, delay_after
from platforma.kernel.errors import RateLimited

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_delays_grow_and_end_growing():
    delays = [delay_after(count) for count in range(200)]

    assert delays == sorted(delays)
    assert (delays[FREE_ATTEMPTS - 1], delays[FREE_ATTEMPTS], delays[-1]) == (
        timedelta(0),
        timedelta(seconds=1),
        LONGEST_DELAY,
    )


def test_an_attempt_refused_is_charged_nothing():
    counts = MemoryAttemptCounts()
    for _ in range(FREE_ATTEMPTS):
        charge_attempt("ten", "user:a", counts=counts, now=NOW)

    for _ in range(3):
        with pytest.raises(RateLimited):
            charge_attempt("ten", "user:a", counts=counts, now=NOW)

    assert counts.read("ten", "user:a").count == FREE_ATTEMPTS
    charge_attempt("ten", "user:b", counts=counts, now=NOW)
    charge_attempt("ten2", "user:a", counts=counts, now=NOW)


def test_a_day_without_an_attempt_forgets_them():
    counts = MemoryAttemptCounts()
    for hours in range(20):
        charge_attempt("ten", "user:a", counts=counts, now=NOW + timedelta(hours=hours))

    charge_attempt("ten", "user:a", counts=counts, now=NOW + timedelta(hours=43))

    assert counts.read("ten", "user:a").count == 1


def test_who_comes_second_at_once_waits():
    class Raced(MemoryAttemptCounts):
        def charge(self, tenant_id, subject, charged, *, replacing):
            raise TurnTaken

    with pytest.raises(RateLimited) as limited:
        charge_attempt("ten", "user:a", counts=Raced(), now=NOW)

    assert limited.value.retry_after == 1
