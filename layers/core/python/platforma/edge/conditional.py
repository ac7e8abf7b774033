"""Objects that are made by PUT: creating needs no condition, changing does (RFC 9110 section 13.1)."""

from collections.abc import Callable
from typing import TypeVar

from platforma.edge.call import Call
from platforma.kernel.errors import PreconditionFailed, PreconditionRequired

Made = TypeVar("Made")


def put(call: Call, write: Callable[[int | None], Made]) -> Made:
    """
    Do *write*, which is given the version that must stand: 0 for none yet, None for any.

    Raises:
        PreconditionRequired: it exists, and there is no `If-Match`.
        PreconditionFailed: another version stands, or with `If-None-Match: *` any does.
    """
    if "if-match" in call.headers:
        return write(call.if_match)
    try:
        return write(0)
    except PreconditionFailed:
        if call.headers.get("if-none-match", "").strip() == "*":
            raise
        raise PreconditionRequired from None
