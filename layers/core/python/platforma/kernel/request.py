"""
Which request, or scheduled run, is being worked on: for those outside who keep a log of their own of what we ask them.

An instance works on one at a time; whoever takes the next one says so before anything else.
"""

import re
from contextvars import ContextVar

_ID = re.compile(r"\A[!-~]{1,128}\Z")
_current: ContextVar[str] = ContextVar("platforma_request_id", default="")


def working_on(request_id: str) -> None:
    """Note what is begun now; an id that no header could carry is noted as none."""
    _current.set(request_id if _ID.match(request_id) else "")


def current_request() -> str:
    """The id of what is being worked on; empty where that is nothing of anybody's."""
    return _current.get()
