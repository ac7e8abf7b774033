"""How long an object of the log is locked: calendar years after its newest event, and a day."""

from datetime import datetime, timedelta
from typing import NamedTuple

YEARS = 2
_MARGIN = timedelta(minutes=5)


class Term(NamedTuple):
    """How long a tenant's objects are kept: *years* after their newest event, and as long as they are held."""

    years: int = YEARS
    legal_hold: bool = False


def retain_until(newest: datetime, years: int = YEARS) -> datetime:
    """*years* calendar years and a day after *newest*, in whole seconds and never less; 29 February counts as 1 March."""
    newest = newest.replace(microsecond=0) + timedelta(seconds=1 if newest.microsecond else 0)
    try:
        later = newest.replace(year=newest.year + years)
    except ValueError:
        later = newest.replace(year=newest.year + years, month=3, day=1)
    return later + timedelta(days=1)


def not_past(until: datetime, now: datetime) -> datetime:
    """*until*, or soon where that has passed: S3 takes no date that has."""
    return max(until, now + _MARGIN)
