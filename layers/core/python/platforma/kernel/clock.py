"""Time: always aware, always UTC, always asked of a clock that a test can hold still. Text is RFC 3339 with `Z`."""

from collections.abc import Callable
from datetime import UTC, datetime

from platforma.kernel.errors import Malformed

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """`2026-11-24T10:00:00.123Z`: milliseconds, UTC (RFC 3339 section 5.6)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rfc3339_exact(moment: datetime) -> str:
    """`2026-11-24T10:00:00.123456Z`: with every microsecond, where something is to be decided again at that moment."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_rfc3339(text: str) -> datetime:
    """
    The moment that *text* names.

    Raises:
        Malformed: not an RFC 3339 time with an offset.
    """
    try:
        if len(text) < 20 or text[10] not in "Tt ":
            raise ValueError
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed("Not an RFC 3339 time with an offset.") from None
