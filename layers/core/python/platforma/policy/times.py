"""
Time windows and date ranges. A window is wall-clock time of its zone, so it moves with daylight saving; its start is in, its
end is out, and one whose end is not after its start runs past midnight and belongs to the day it began.
"""

import re
import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import FieldError, Malformed

MAX_WINDOWS = 20
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REGULAR = 631_152_000  # 1990
_MAX_KNOWN = 64
_DAY = 1440
_THURSDAY = 3  # 1970-01-01


def seconds_of(moment: datetime | None) -> int | None:
    """Whole seconds since 1970, rounded down; None for no moment, or one without zone."""
    if moment is None:
        return None
    try:
        since = moment - EPOCH
    except TypeError:
        return None
    return since.days * 86400 + since.seconds


class Zone:
    """An IANA time zone."""

    __slots__ = ("_info",)

    def __init__(self, name: str) -> None:
        self._info = zoneinfo.ZoneInfo(name)

    def wall_seconds(self, seconds: int) -> int:
        """
        The zone's wall clock, as if it were UTC, at *seconds* since 1970.

        Raises:
            OverflowError: the wall clock shows no date of the years 1 to 9999.
        """
        offset = (EPOCH + timedelta(seconds=seconds)).astimezone(self._info).utcoffset()
        assert offset is not None
        return seconds + offset.days * 86400 + offset.seconds


zone_of = lru_cache(maxsize=None)(Zone)
"""The one `Zone` of each name; there are some six hundred."""


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """The names of the IANA database, as this machine or the tzdata package has it."""
    return frozenset(zoneinfo.available_timezones()) - {"localtime", "Factory"}


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes of the day; bit *n* of *days* is the weekday *n* (Monday is 0)."""

    start: int
    end: int
    days: int
    zone: Zone

    def has(self, seconds: int) -> bool:
        """
        Whether the window is open at *seconds* since 1970.

        Raises:
            OverflowError: the zone's wall clock shows no date then.
        """
        day, minute = divmod(self.zone.wall_seconds(seconds) // 60, _DAY)
        today = self.days >> (day + _THURSDAY) % 7 & 1
        if self.start < self.end:
            return bool(today) and self.start <= minute < self.end
        yesterday = self.days >> (day + _THURSDAY - 1) % 7 & 1
        return (bool(today) and minute >= self.start) or (bool(yesterday) and minute < self.end)


class Openings:
    """
    Windows of which any may be open. *known* remembers answers, by the minute since 1970.

    An answer is the same for a whole minute of UTC: windows end on minutes, and since 1990 every zone's offset is one of
    whole minutes. What was before is never remembered.
    """

    __slots__ = ("_windows", "known")

    def __init__(self, windows: tuple[Window, ...]) -> None:
        self._windows = windows
        self.known: dict[int, bool | None] = {}

    def at(self, seconds: int) -> bool | None:
        """Whether one is open at *seconds* since 1970; None where none is known to be, since a wall clock shows no date."""
        answer: bool | None = False
        for window in self._windows:
            try:
                if window.has(seconds):
                    answer = True
                    break
            except OverflowError:
                answer = None
        if seconds >= _REGULAR:
            if len(self.known) >= _MAX_KNOWN:
                self.known.clear()
            self.known[seconds // 60] = answer
        return answer


def check_windows(value: Any, at: str) -> Iterator[FieldError]:
    """What is wrong with the value of `time_window`: one window or a list of them."""
    yield from _check_any(value, at, _check_window)


def _check_any(value: Any, at: str, check: Callable[[Any, str], Iterator[FieldError]]) -> Iterator[FieldError]:
    if not isinstance(value, list):
        yield from check(value, at)
    elif not 1 <= len(value) <= MAX_WINDOWS:
        yield FieldError(at, f"One or a list of 1 to {MAX_WINDOWS}.")
    else:
        for index, inner in enumerate(value):
            yield from check(inner, f"{at}/{index}")


def _check_window(value: Any, at: str) -> Iterator[FieldError]:
    if not isinstance(value, dict):
        yield FieldError(at, "An object with start, end, timezone and perhaps days.")
        return
    for name in sorted(value.keys() - {"start", "end", "timezone", "days"}):
        yield FieldError(f"{at}/{name}", "Unknown field.")
    for name in ("start", "end"):
        if not isinstance(value.get(name), str) or not _CLOCK.fullmatch(value[name]):
            yield FieldError(f"{at}/{name}", "A time of day, HH:MM from 00:00 to 23:59.")
    if not isinstance(value.get("timezone"), str) or value["timezone"] not in zone_names():
        yield FieldError(f"{at}/timezone", "The name of an IANA time zone.")
    if "days" in value:
        days = value["days"]
        if not isinstance(days, list) or not 1 <= len(days) <= len(DAYS):
            yield FieldError(f"{at}/days", "A list of 1 to 7 weekdays, mon to sun.")
        else:
            for index, day in enumerate(days):
                if day not in DAYS or day in days[:index]:
                    yield FieldError(f"{at}/days/{index}", "A weekday, mon to sun, once.")


def windows_of(value: Any) -> tuple[Window, ...]:
    """The windows of a checked `time_window`."""
    return tuple(
        Window(
            start=_minutes(window["start"]),
            end=_minutes(window["end"]),
            days=sum(1 << DAYS.index(day) for day in window.get("days", DAYS)),
            zone=zone_of(window["timezone"]),
        )
        for window in (value if isinstance(value, list) else [value])
    )


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def check_dates(value: Any, at: str) -> Iterator[FieldError]:
    """What is wrong with the value of `date_range`: one range or a list of them."""
    yield from _check_any(value, at, _check_date)


def _check_date(value: Any, at: str) -> Iterator[FieldError]:
    if not isinstance(value, dict) or not value:
        yield FieldError(at, "An object with not_before, not_after or both.")
        return
    for name in sorted(value.keys() - {"not_before", "not_after"}):
        yield FieldError(f"{at}/{name}", "Unknown field.")
    ends: list[datetime] = []
    for name in ("not_before", "not_after"):
        if name in value:
            try:
                ends.append(parse_rfc3339(value[name]) if isinstance(value[name], str) else _not_text())
            except Malformed as error:
                yield FieldError(f"{at}/{name}", error.detail)
    if len(ends) == 2 and ends[0] > ends[1]:
        yield FieldError(at, "not_before is later than not_after.")


def _not_text() -> datetime:
    raise Malformed("Not an RFC 3339 time with an offset.")


_EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def dates_of(value: Any) -> tuple[tuple[datetime, datetime], ...]:
    """The ranges of a checked `date_range`, both ends in."""
    return tuple(
        (
            parse_rfc3339(one["not_before"]) if "not_before" in one else _EVER[0],
            parse_rfc3339(one["not_after"]) if "not_after" in one else _EVER[1],
        )
        for one in (value if isinstance(value, list) else [value])
    )
