"""A cache with bounds on size and age, so that a key that was destroyed or withdrawn is soon gone from memory too."""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from platforma.kernel.clock import Clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Expiring(Generic[K, V]):
    """The *size* entries that were last used, none older than *lifetime*, however often it is used."""

    def __init__(self, clock: Clock, *, lifetime: timedelta, size: int) -> None:
        self._clock = clock
        self._lifetime = lifetime
        self._size = size
        self._entries: OrderedDict[K, tuple[datetime, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """What was put under *key*, if it is still there and young enough; a clock that went back makes it old."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if not timedelta(0) <= self._clock() - entry[0] < self._lifetime:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry[1]

    def put(self, key: K, value: V) -> None:
        """Keep *value* from now on; the one not used for longest makes room."""
        self._entries[key] = (self._clock(), value)
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def drop(self, key: K) -> None:
        """Forget *key*."""
        self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)
