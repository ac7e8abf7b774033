"""
Ids as TypeIDs: a prefix, `_`, and a UUIDv7 in 26 characters of Crockford's base32, so that they sort by time.

Source: RFC 9562 section 5.7 (UUIDv7); TypeID specification 0.3.
"""

import os
import re
import time
from datetime import datetime

PREFIXES = frozenset(
    {"ten", "usr", "grp", "rol", "pol", "key", "cli", "ses", "sso", "evt", "exp", "crt", "dec", "upl", "api", "stm", "wit"}
)
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_FORM = re.compile(r"\A([a-z]{3})_([0-7][0-9a-hjkmnp-tv-z]{25})\Z")


def new_id(prefix: str, at: datetime | None = None) -> str:
    """A fresh id of this *prefix*; ids of one process made in different milliseconds sort by time. *at* None: made now."""
    milliseconds = time.time_ns() // 1_000_000 if at is None else _milliseconds(at)
    entropy = int.from_bytes(os.urandom(10), "big")
    number = (
        (milliseconds & (1 << 48) - 1) << 80
        | 0x7 << 76
        | (entropy >> 62 & 0xFFF) << 64
        | 0b10 << 62
        | entropy & (1 << 62) - 1
    )
    return from_bytes(prefix, number.to_bytes(16, "big"))


def from_bytes(prefix: str, raw: bytes) -> str:
    """The id of *prefix* whose UUID is these 16 bytes."""
    if prefix not in PREFIXES or len(raw) != 16:
        raise ValueError("an id is a known prefix and 16 bytes")
    number = int.from_bytes(raw, "big")
    return f"{prefix}_" + "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])


def to_bytes(text: str) -> bytes:
    """The 16 bytes of an id that `is_id` accepts."""
    number = 0
    for character in text[4:]:
        number = number << 5 | _VALUES[character]
    return number.to_bytes(16, "big")


def made_before(text: str, moment: datetime) -> bool:
    """Whether an id that `is_id` accepts was made in a millisecond before that of *moment*."""
    return int.from_bytes(to_bytes(text)[:6], "big") < _milliseconds(moment)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def is_id(text: object, prefix: str) -> bool:
    """Whether *text* is a well-formed id of *prefix*: its UUID has version 7 and the RFC's variant."""
    if not isinstance(text, str) or not (match := _FORM.match(text)) or match[1] != prefix:
        return False
    raw = to_bytes(text)
    return raw[6] >> 4 == 7 and raw[8] >> 6 == 0b10
