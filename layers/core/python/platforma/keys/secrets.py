"""Peppers and the platform's other symmetric secrets, kept in memory for minutes."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from platforma.kernel.clock import Clock, system_clock
from platforma.kernel.errors import Broken, Unavailable
from platforma.keys.errors import UnknownPepper
from platforma.keys.model import KEY_SIZE, Pepper
from platforma.keys.ports import SecretName, SecretSource

REFRESHED_AFTER = timedelta(minutes=5)
KEPT_WITHOUT_SOURCE = timedelta(minutes=10)
"""How long the last answer serves while the source gives none."""
ASKED_EVERY = timedelta(seconds=5)
"""The least time between two questions, whatever strangers send and however long the source is gone."""

_Name = Literal["peppers", "secrets"]


@dataclass(slots=True)
class _Kept:
    values: Mapping[str, str]
    read_at: datetime
    asked_at: datetime


class CachedSecrets:
    """`Secrets` out of a `SecretSource`."""

    def __init__(self, source: SecretSource, clock: Clock = system_clock) -> None:
        self._source = source
        self._clock = clock
        self._kept: dict[_Name, _Kept] = {}
        self._peppers: tuple[Mapping[str, str], dict[int, Pepper]] = ({}, {})

    def pepper(self, version: int | None = None) -> Pepper:
        """
        The pepper of this version, or the current one.

        Raises:
            UnknownPepper: there is none of this version.
            Unavailable: the source is gone, and nothing (young enough) is kept.
        """
        values = self._values("peppers")
        if version is not None and self._peppers[0] is values and (known := self._peppers[1].get(version)) is not None:
            return known  # decoded once: a forged key is to cost as little as can be
        if version is None:
            version = _number(values.get("current", ""))
        elif str(version) not in values:
            values = self._values("peppers", refreshed_after=ASKED_EVERY)
            if str(version) not in values:
                raise UnknownPepper
        if self._peppers[0] is not values:
            self._peppers = (values, {})
        return self._peppers[1].setdefault(version, Pepper(version, _key(values, str(version))))

    def secret(self, name: SecretName) -> bytes:
        """
        The 32 bytes of this name.

        Raises:
            Unavailable: the source is gone, and nothing (young enough) is kept.
        """
        return _key(self._values("secrets"), name)

    def _values(self, name: _Name, refreshed_after: timedelta = REFRESHED_AFTER) -> Mapping[str, str]:
        now = self._clock()
        kept = self._kept.get(name)
        if kept is not None:
            if _within(now - kept.read_at, refreshed_after) or self._waits(kept, now):
                return kept.values
            kept.asked_at = now
        try:
            values = self._source.read_secret(name)
        except Unavailable:
            if kept is not None and _within(now - kept.read_at, KEPT_WITHOUT_SOURCE):
                return kept.values
            raise
        self._kept[name] = _Kept(values, now, now)
        return values

    @staticmethod
    def _waits(kept: _Kept, now: datetime) -> bool:
        return _within(now - kept.asked_at, ASKED_EVERY) and _within(now - kept.read_at, KEPT_WITHOUT_SOURCE)


def _within(age: timedelta, limit: timedelta) -> bool:
    return timedelta(0) <= age < limit


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Broken("The peppers do not say which is current.")
    return int(text)


def _key(values: Mapping[str, str], name: str) -> bytes:
    try:
        key = b64decode(values[name], validate=True)
    except (KeyError, binascii.Error, ValueError):
        raise Broken("A secret is missing or not in base64.", name=name) from None
    if len(key) != KEY_SIZE:
        raise Broken("A secret has not its 32 bytes.", name=name)
    return key
