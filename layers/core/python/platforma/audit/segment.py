"""
Segments: the objects that hold a log's entries, `{log_id}/segments/{first index, 20 digits}-{count}.jsonl.gz`.

Each line is an entry, its LF left out. The compressed bytes of one segment may differ between writers (zlib has versions);
its lines may not.
"""

import gzip
import re
import zlib
from collections.abc import Sequence
from typing import NamedTuple

from platforma.audit.errors import LogBroken

_NAME = re.compile(r"\A(?P<log_id>[^/]+)/segments/(?P<first>[0-9]{20})-(?P<count>[1-9][0-9]*)\.jsonl\.gz\Z")


class SegmentName(NamedTuple):
    """Which entries of which log an object holds."""

    log_id: str
    first: int
    entries: int

    def __str__(self) -> str:
        return f"{self.log_id}/segments/{self.first:020d}-{self.entries}.jsonl.gz"


def parse_name(key: str) -> SegmentName | None:
    """What the object under *key* should hold, if it is a segment."""
    match = _NAME.match(key)
    return SegmentName(match["log_id"], int(match["first"]), int(match["count"])) if match else None


def folder(log_id: str) -> str:
    """The prefix of a log's segments."""
    return f"{log_id}/segments/"


def pack(lines: Sequence[bytes]) -> bytes:
    """These entries as an object."""
    return gzip.compress(b"".join(line + b"\n" for line in lines), compresslevel=6, mtime=0)


def unpack(body: bytes, key: str = "") -> list[bytes]:
    """
    The entries of an object.

    Raises:
        LogBroken: it is not whole, or not what `pack` makes.
    """
    try:
        text = gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise LogBroken("A segment cannot be decompressed.", key=key) from error
    if not text.endswith(b"\n"):
        raise LogBroken("A segment is cut short.", key=key)
    return text[:-1].split(b"\n")
