"""Entries of a log as they lie in the bucket, for who reads many of them, mostly in order."""

import bisect
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from platforma.audit import segment
from platforma.audit.errors import LogBroken
from platforma.audit.ports import Bucket
from platforma.audit.relay import BATCH
from platforma.audit.segment import SegmentName

_LISTED = 1000
"""Names known at a time: a log may have millions."""
_AT_ONCE = 8
"""Segments fetched at a time, and kept: a quiet tenant's hold one entry or two, and each takes a journey."""


class Entries:
    """Reads each segment once while it is needed, and lists only those about where it reads."""

    def __init__(self, bucket: Bucket, log_id: str) -> None:
        self._bucket, self._log_id = bucket, log_id
        self._names: list[SegmentName] = []
        self._held: dict[SegmentName, list[bytes]] = {}

    def at(self, indexes: Sequence[int]) -> dict[int, bytes]:
        """
        The entries at *indexes*.

        Raises:
            LogBroken: the log has not got all of them.
        """
        wanted: dict[SegmentName, list[int]] = {}
        for index in sorted(indexes):
            wanted.setdefault(self._segment_of(index), []).append(index)
        found = {}
        for name, lines in self._read(list(wanted)):
            for index in wanted[name]:
                if index - name.first >= len(lines):
                    raise LogBroken("An entry is missing.", log_id=self._log_id, index=index)
                found[index] = lines[index - name.first]
        return found

    def _segment_of(self, index: int) -> SegmentName:
        if not self._names or not self._names[0].first <= index < _end(self._names[-1]):
            self._names = list(islice(self._listed(index), _LISTED))
        at = bisect.bisect_right(self._names, index, key=lambda name: name.first) - 1
        if at < 0 or index >= _end(self._names[at]):
            raise LogBroken("An entry is missing.", log_id=self._log_id, index=index)
        return self._names[at]

    def _listed(self, index: int) -> Iterator[SegmentName]:
        """The names from the one that holds *index* on."""
        folder = segment.folder(self._log_id)
        for key in self._bucket.names(folder, after=f"{folder}{max(0, index - BATCH):020d}"):
            name = segment.parse_name(key)
            if name is not None and _end(name) > index:
                yield name

    def _read(self, names: Sequence[SegmentName]) -> Iterator[tuple[SegmentName, list[bytes]]]:
        missing = [name for name in names if name not in self._held]
        yield from ((name, self._held[name]) for name in names if name in self._held)
        for at in range(0, len(missing), _AT_ONCE):
            some = missing[at : at + _AT_ONCE]
            for name, lines in zip(some, self._fetched(some), strict=True):
                while len(self._held) >= _AT_ONCE:
                    del self._held[next(iter(self._held))]
                self._held[name] = lines
                yield name, lines

    def _fetched(self, names: Sequence[SegmentName]) -> list[list[bytes]]:
        if len(names) == 1:
            return [self._fetch(names[0])]
        with ThreadPoolExecutor(len(names)) as pool:
            return list(pool.map(self._fetch, names))

    def _fetch(self, name: SegmentName) -> list[bytes]:
        key = str(name)
        return segment.unpack(self._bucket.get(key) or b"", key)


def _end(name: SegmentName) -> int:
    return name.first + name.entries
