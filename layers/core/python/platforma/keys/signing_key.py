"""
A token signing key and the states it goes through, which follow from times alone and are never written.

    published   in the key set, signs nothing yet: verifiers get to know it
    active      signs; the one whose time came last
    retired     signs no more, in the key set until the last token that it signed has expired
    ended       in no key set

A key that must not be trusted any more is no state: it is removed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Literal

State = Literal["published", "active", "retired", "ended"]

PUBLISHED_BEFORE = timedelta(minutes=10)
"""How long a key is in the key set before it signs: twice as long as others may cache the set."""
KEPT_AFTER = timedelta(hours=1, minutes=5)
"""How long a key that retired stays in the set: the longest lifetime of a token, caches of a minute, clocks that differ."""
ROTATED_AFTER = timedelta(days=90)
"""The time from becoming active to having a successor made."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """
    *kid* is the thumbprint of *public_jwk* (RFC 7638), *sealed* the private half (PKCS #8) in an envelope.

    *number* counts the keys ever made from 1: two of them never have the same.
    """

    kid: str
    number: int
    algorithm: str
    public_jwk: Mapping[str, str]
    sealed: bytes = field(repr=False)
    created_at: datetime
    active_at: datetime


def states(keys: Iterable[SigningKey], now: datetime) -> dict[str, State]:
    """
    The state of each key by its kid, those of one algorithm together and in the order in which they sign.

    One retires when the next one's time has come.
    """
    lines: dict[str, list[SigningKey]] = {}
    for key in sorted(keys, key=lambda key: (key.active_at, key.number)):
        lines.setdefault(key.algorithm, []).append(key)
    found: dict[str, State] = {}
    for line in lines.values():
        for key, successor in zip_longest(line, line[1:]):
            if key.active_at > now:
                found[key.kid] = "published"
            elif successor is None or successor.active_at > now:
                found[key.kid] = "active"
            else:
                found[key.kid] = "retired" if now < successor.active_at + KEPT_AFTER else "ended"
    return found


def newest(keys: Iterable[SigningKey], algorithm: str) -> SigningKey | None:
    """The key of this algorithm that was made last."""
    return max((key for key in keys if key.algorithm == algorithm), key=lambda key: key.number, default=None)
