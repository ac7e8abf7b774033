"""
Moments of the ten years from now that windows and date ranges can tell apart.

Between two changes of any zone's clock, and between two ends of date ranges, a window is a matter of the minute of the
week. So the ten years are cut at all of these; pieces in which the zones stand alike and the same date ranges hold are one
stretch, and each stretch has a class for each part of the week in which the same windows are open.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from platforma.policy.analysis.errors import TooComplex
from platforma.policy.times import Window, Zone, dates_of, seconds_of, windows_of

HORIZON = timedelta(days=3653)
MAX_CLASSES = 200_000
_WEEK, _DAY = 10080, 1440
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_INSTANT = timedelta(microseconds=1)


class _Stretch(NamedTuple):
    offsets: dict[Zone, int]
    first: int
    """Its first class."""
    cuts: list[int]
    """Where its classes begin, in minutes of the week of UTC."""


class Moments:
    """*values* are moments by class; where a class has none (None), it is left out of *full*."""

    def __init__(self, windows: Iterable[Any], dates: Iterable[Any], now: datetime) -> None:
        read = dict.fromkeys(window for value in windows for window in windows_of(value))
        ranges = [span for value in dates for span in dates_of(value)]
        self.values: list[datetime | None] = []
        self._stretches: list[tuple[_Stretch, datetime]] = []
        zones = list(dict.fromkeys(window.zone for window in read))
        kinds: dict[tuple[tuple[int, ...], tuple[bool, ...]], list[tuple[datetime, datetime]]] = {}
        for begin, end in pairwise(_cuts(zones, ranges, now)):
            holding = tuple(first <= begin <= last for first, last in ranges)
            kinds.setdefault((tuple(_offset(zone, begin) for zone in zones), holding), []).append((begin, end))
        for (offsets, _), pieces in kinds.items():
            self._add(dict(zip(zones, offsets, strict=True)), read, pieces)
        self.full = sum(1 << at for at, moment in enumerate(self.values) if moment is not None)

    def _add(self, offsets: dict[Zone, int], windows: Iterable[Window], pieces: list[tuple[datetime, datetime]]) -> None:
        ends = {end for window in windows for span in _open(window, offsets[window.zone]) for end in span}
        cuts = sorted({0} | ends - {_WEEK})
        stretch = _Stretch(offsets, len(self.values), cuts)
        self._stretches.append((stretch, pieces[0][0]))
        for low, high in pairwise([*cuts, _WEEK]):
            self.values.append(next((found for piece in pieces if (found := _within(piece, low, high))), None))
        if len(self.values) > MAX_CLASSES:
            raise TooComplex

    def open(self, windows: Any) -> int:
        """The classes in which one of the *windows* (a condition's value) is open."""
        found = 0
        for window in windows_of(windows):
            for stretch, _ in self._stretches:
                for low, high in _open(window, stretch.offsets[window.zone]):
                    found |= _run(stretch, low, high)
        return found & self.full

    def held(self, dates: Any) -> int:
        """The classes in which one of the date ranges (a condition's value) holds."""
        ranges = dates_of(dates)
        found = 0
        for stretch, begin in self._stretches:
            if any(first <= begin <= last for first, last in ranges):
                found |= _run(stretch, 0, _WEEK)
        return found & self.full


def _run(stretch: _Stretch, low: int, high: int) -> int:
    begin, end = bisect_left(stretch.cuts, low), bisect_left(stretch.cuts, high)
    return ((1 << end - begin) - 1) << stretch.first + begin


def _open(window: Window, offset: int) -> Iterator[tuple[int, int]]:
    """When *window* is open, in minutes of the week of UTC where its zone is *offset* minutes ahead of it."""
    length = (window.end - window.start) % _DAY or _DAY
    for day in range(7):
        if window.days >> day & 1:
            begin = (day * _DAY + window.start - offset) % _WEEK
            yield begin, min(begin + length, _WEEK)
            if begin + length > _WEEK:
                yield 0, begin + length - _WEEK


def _within(piece: tuple[datetime, datetime], low: int, high: int) -> datetime | None:
    """The first moment of *piece* that lies in these minutes of the week."""
    begin, end = piece
    minute = (begin - _MONDAY) // _MINUTE % _WEEK
    if low <= minute < high:
        return begin
    whole = begin.replace(second=0, microsecond=0)
    found = whole + timedelta(minutes=(low - minute) % _WEEK)
    return found if found < end else None


def _cuts(zones: Sequence[Zone], ranges: Iterable[tuple[datetime, datetime]], now: datetime) -> list[datetime]:
    end = now + HORIZON
    cuts = {now, end}.union(*(_changes(zone, datetime(now.year, now.month, 1, tzinfo=UTC)) for zone in zones))
    for first, last in ranges:
        cuts.add(first.astimezone(UTC))
        if last < end:
            cuts.add(last.astimezone(UTC) + _INSTANT)
    return sorted(cut for cut in cuts if now <= cut <= end)


@lru_cache(maxsize=1024)
def _changes(zone: Zone, since: datetime) -> tuple[datetime, ...]:
    """When the zone's clock changes, to the minute; no zone has ever changed it twice in a day."""
    found = []
    days = [since + timedelta(days=number) for number in range(HORIZON.days + 33)]
    offsets = [_offset(zone, day) for day in days]
    for at in range(len(days) - 1):
        low, high = days[at], days[at + 1]
        while offsets[at] != offsets[at + 1] and high - low > _MINUTE:
            middle = low + (high - low) // 2 // _MINUTE * _MINUTE
            low, high = (middle, high) if _offset(zone, middle) == offsets[at] else (low, middle)
        if offsets[at] != offsets[at + 1]:
            found.append(high)
    return tuple(found)


def _offset(zone: Zone, moment: datetime) -> int:
    """How many minutes the zone is ahead of UTC."""
    seconds = seconds_of(moment) or 0
    return (zone.wall_seconds(seconds) - seconds) // 60
