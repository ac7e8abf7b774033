"""
Canonical JSON (RFC 8785), the one form in which events are stored, hashed and compared.

Callers decide parts of an event (a decision's context, an external writer's changes), so `plain` first makes of any JSON
value one that has a canonical form: I-JSON (RFC 7493) knows no lone surrogates and no integers that a double cannot hold.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import rfc8785

from platforma.audit.errors import LogBroken

_LARGEST = 2**53 - 1
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":")).encode


def canonical(value: Any) -> bytes:
    """
    *value* in its canonical form, UTF-8.

    Raises:
        LogBroken: it has none; give it to `plain` first.
    """
    try:
        return _encode(value).encode() if _is_simple(value) else rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise LogBroken("A value has no canonical form.", cause=str(error)) from error


def plain(value: Any) -> Any:
    """*value* with what I-JSON cannot say as text that tells it: numbers out of range, lone surrogates (as U+FFFD)."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if type(value) is dict or isinstance(value, Mapping):  # the first is told at once, and there are many
        return {
            name if type(name) is str and name.isascii() else plain(str(name)): plain(inner) for name, inner in value.items()
        }
    if isinstance(value, set | frozenset):
        return [plain(inner) for inner in sorted(value)]
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain(inner) for inner in value]
    return value if value is None or _is_sayable(value) else str(value)


def _is_simple(value: Any) -> bool:
    """Whether the standard encoder, which is much quicker, writes the very same: no fractions, and names in ASCII alone."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is dict:
        for name, inner in value.items():
            if type(name) is not str or not name.isascii() or (type(inner) is not str and not _is_simple(inner)):
                return False
        return True
    if kind is list:
        return all(map(_is_simple, value))
    return kind is int and -_LARGEST <= value <= _LARGEST


def _is_sayable(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, int | float) and -_LARGEST <= value <= _LARGEST)
