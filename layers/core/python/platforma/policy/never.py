"""
Conditions that no request ever meets, told exactly but for patterns: an attribute test is tried with a value of every class
that it can tell apart, dates and windows with every minute that is left.

An allow needs what is true; a deny is stopped only by what is false, so that it never applies where all else is.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from platforma.policy.attributes import MISSING, attribute_test, scalar_type
from platforma.policy.document import Statement
from platforma.policy.times import Openings, dates_of, seconds_of, windows_of

_WEEK = timedelta(days=8)
"""Whatever windows there are, one opens within this."""
_HUGE = 10**5000
"""Beyond any number that a policy may hold."""
_EXACT = 1e300
_KINDS = ("resource_attributes", "principal_attributes", "action_attributes")


def never_holds(statement: Statement, now: datetime) -> Iterator[tuple[str, str]]:
    """The conditions that keep *statement* from ever applying from *now* on: a JSON pointer below `/conditions`, and why."""
    conditions = statement.conditions
    for kind in _KINDS:
        for name, wanted in conditions.get(kind, {}).items():
            if not _may_hold(wanted, denies=statement.effect == "deny"):
                place = name.replace("~", "~0").replace("/", "~1")
                yield f"{kind}/{place}", "no value of the attribute is all that is asked for."
    if (dates := conditions.get("date_range")) is None:
        return
    left = [(max(first, now), last) for first, last in dates_of(dates) if last >= now]
    if not left:
        yield "date_range", "the range has passed."
    elif "time_window" in conditions and not any(_opens(conditions["time_window"], *span) for span in left):
        yield "date_range", "no time window opens within the range."


def _may_hold(wanted: Any, *, denies: bool) -> bool:
    if isinstance(wanted, dict) and not {"like", "not_like"}.isdisjoint(wanted):
        return True
    test = attribute_test(wanted)
    values: Iterable[Any] = [MISSING, [], *_representatives(wanted)] if denies else [MISSING, *_representatives(wanted)]
    return any(answer is True or (denies and answer is None) for answer in map(test, values))


def _representatives(wanted: Any) -> Iterator[Any]:
    """A value of each class that the test of *wanted* can tell apart: those it names, and one between any two of them."""
    named = [value for inner in (wanted.values() if isinstance(wanted, dict) else [wanted]) for value in _listed(inner)]
    yield from (None, True, False, "", 0)
    for text in {value for value in named if isinstance(value, str)}:
        yield from (text, text + "\0")  # between a text and this one there is none
    numbers = sorted({value for value in named if scalar_type(value) == "number"})
    yield from (-_HUGE, *numbers, _HUGE)
    for one, other in pairwise(numbers):
        yield int(one) + 1
        if abs(one) < _EXACT and abs(other) < _EXACT:
            yield (one + other) / 2


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _opens(windows: Any, first: datetime, last: datetime) -> bool:
    """Whether one of *windows* is open at some moment of this span, both ends in."""
    if last - first >= _WEEK:
        return True
    openings = Openings(windows_of(windows))
    moment = first
    while moment <= last:
        if openings.at(seconds_of(moment) or 0) is not False:
            return True
        moment = moment.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    return False
