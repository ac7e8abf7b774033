"""
Which request, or scheduled run, is being worked on. Others whom we call (Vault) put its id in their own logs.

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
    """The id of what is being worked on; empty if it is nobody's request."""
    return _current.get()
