"""Changes that name no version: tried again on what stands by then, a bounded number of times."""

from collections.abc import Callable
from typing import TypeVar

from platforma.kernel.errors import PreconditionFailed

T = TypeVar("T")
_ATTEMPTS = 5


def on_current(change: Callable[[], T], if_match: int | None) -> T:
    """
    The result of *change*, which reads what stands and writes only if that still does.

    Raises:
        PreconditionFailed: *if_match* names another version, or something else came first each time.
    """
    for _ in range(_ATTEMPTS - 1 if if_match is None else 0):
        try:
            return change()
        except PreconditionFailed:
            continue
    return change()
