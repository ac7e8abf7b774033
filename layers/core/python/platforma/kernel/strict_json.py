"""
JSON read strictly (RFC 8259, and I-JSON's RFC 7493 where that is vague): what two readers could read differently is refused.

Refused beside plain syntax errors: duplicate names, NaN and infinities, numbers that overflow, lone surrogates, bytes that
are not UTF-8, a byte order mark, and nesting deeper than `MAX_DEPTH`.
"""

import json
import math
import re
from typing import Any

from platforma.kernel.errors import FieldError, Malformed

MAX_DEPTH = 32
_MAX_ERRORS = 10
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def parse_json(raw: bytes) -> Any:
    """
    The value that *raw* holds.

    Raises:
        Malformed: it is not strict JSON; `errors` points at what is duplicate, not a number, or half a character.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None
    if _depth(text) > MAX_DEPTH:
        detail = f"The body is nested deeper than {MAX_DEPTH} levels."
        raise Malformed(detail, errors=[FieldError("", detail)])
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite)
        if _SURROGATE.search(raw):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except _NotStrictError:
        errors = _faults(text)
        raise Malformed(errors[0]["detail"] if errors else "The body is not strict JSON.", errors=errors) from None
    except UnicodeEncodeError:
        errors = _faults(text)
        raise Malformed("A string holds half a character.", errors=errors) from None
    except json.JSONDecodeError as error:
        raise Malformed(f"The body is not JSON: {error.msg} at character {error.pos}.") from None
    except (ValueError, RecursionError):
        raise Malformed("The body is not JSON that can be read here.") from None
    return value


class _NotStrictError(ValueError):
    """Well-formed JSON to some readers, and not to all."""


def _depth(text: str) -> int:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    deepest = depth = 0
    for character in re.sub(r"[^][{}]+", "", _STRING.sub("", text)):
        depth += 1 if character in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _NotStrictError
    return value


def _refuse(_: str) -> Any:
    raise _NotStrictError


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _NotStrictError
    return value


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written, duplicates and all."""


def _faults(text: str) -> list[FieldError]:
    """Where *text* breaks a rule that plain JSON readers let pass: the slow second reading, after a first one failed."""
    faults: list[FieldError] = []
    stack: list[tuple[str, Any]] = [("", json.loads(text, object_pairs_hook=_Pairs))]
    while stack and len(faults) < _MAX_ERRORS:
        pointer, value = stack.pop()
        if isinstance(value, _Pairs):
            names = [name for name, _ in value]
            places = [(f"{pointer}/{_escaped(name)}", inner) for name, inner in value]
            faults += [
                FieldError(place, "This name stands here twice.")
                for at, (place, _) in enumerate(places)
                if names[at] in names[:at]
            ]
            faults += [FieldError(pointer, "A name holds half a character.") for name in names if _torn(name)]
            stack += reversed(places)
        elif isinstance(value, list):
            stack += reversed([(f"{pointer}/{at}", inner) for at, inner in enumerate(value)])
        elif isinstance(value, float) and not math.isfinite(value):
            faults.append(FieldError(pointer, "This is not a finite number."))
        elif isinstance(value, str) and _torn(value):
            faults.append(FieldError(pointer, "This string holds half a character."))
    return faults


def _torn(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _escaped(name: str) -> str:
    """*name* as a reference token of a JSON pointer (RFC 6901 section 3), fit to be written as UTF-8."""
    return name.encode("utf-8", "replace").decode().replace("~", "~0").replace("/", "~1")
