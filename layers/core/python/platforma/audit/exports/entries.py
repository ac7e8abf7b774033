"""Entries of a log as they lie in the bucket, for who reads many of them, mostly in order."""

import bisect

from platforma.audit import segment
from platforma.audit.errors import LogBroken
from platforma.audit.ports import Bucket

_HELD = 4


class Entries:
    """Reads each segment once while it is needed; its name is known from one listing."""

    def __init__(self, bucket: Bucket, log_id: str) -> None:
        self._bucket, self._log_id = bucket, log_id
        names = (segment.parse_name(key) for key in bucket.names(segment.folder(log_id)))
        self._names = sorted((name for name in names if name), key=lambda name: name.first)
        self._firsts = [name.first for name in self._names]
        self._held: dict[int, list[bytes]] = {}

    def at(self, index: int) -> bytes:
        """
        The entry at *index*.

        Raises:
            LogBroken: the log has none.
        """
        at = bisect.bisect_right(self._firsts, index) - 1
        if at < 0 or index >= self._firsts[at] + self._names[at].entries:
            raise LogBroken("An entry is missing.", log_id=self._log_id, index=index)
        if at not in self._held:
            while len(self._held) >= _HELD:
                self._held.pop(next(iter(self._held)))
            key = str(self._names[at])
            self._held[at] = segment.unpack(self._bucket.get(key) or b"", key)
        return self._held[at][index - self._firsts[at]]
