"""
What a log's own times tell of its gaps: when nothing entered it, not even a heartbeat, and when entries had no checkpoint.

Both are reported and are no fault: what was entered late is whole. Each is the least that is certain, since a checkpoint has
no time of its own: whoever signed one that covers an entry did so after that entry was received.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import Malformed

SILENCE = timedelta(minutes=15)
"""Half as long again as a log that is alive is silent: one heartbeat that was not made is told."""
UNCOVERED = timedelta(minutes=5)
"""Five times as long as an entry waits for its checkpoint."""


class Received(NamedTuple):
    """A segment's times: the log's size with it, and when its *first* and *last* entry were received."""

    size: int
    first: str
    last: str


def is_silence(earlier: str, later: str) -> bool:
    """Whether nothing in between these two is a gap."""
    return earlier[:16] != later[:16] and _apart(earlier, later) > SILENCE


def without_checkpoint(segments: Iterable[Received], sizes: Sequence[int]) -> list[tuple[str, str]]:
    """
    Times at whose beginning an entry was received that no checkpoint covered at their end; *sizes* are those of checkpoints,
    ascending, and *segments* follow one another.
    """
    told: list[tuple[str, str]] = []
    ahead, first, last = iter(sizes), "", ""
    covered = next(ahead, None)
    for one in segments:
        while covered is not None and one.size > covered:
            told += _long(first, last)
            covered, first, last = next(ahead, None), "", ""
        first, last = min(first or one.first, one.first), max(last, one.last)
    return told + _long(first, last)


def _long(first: str, last: str) -> list[tuple[str, str]]:
    return [(first, last)] if _apart(first, last) > UNCOVERED else []


def _apart(earlier: str, later: str) -> timedelta:
    try:
        return parse_rfc3339(later) - parse_rfc3339(earlier)
    except Malformed:
        return timedelta(0)
