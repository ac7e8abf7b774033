"""One byte range of a request, and the digest that it brings along (RFC 9110 section 14, RFC 9530)."""

import base64
import hashlib
import re
from collections.abc import Mapping

from platforma.kernel.errors import RangeNotSatisfiable
from platforma.keys.objects.errors import DigestMismatch
from platforma.keys.objects.model import PART_BYTES

_RANGE = re.compile(r"\Abytes=(\d{0,30})-(\d{0,30})\Z", re.ASCII | re.IGNORECASE)
_DIGEST = re.compile(r"(?:^|,)\s*sha-256\s*=\s*:([0-9A-Za-z+/]{43}=):\s*(?=,|$)")


def asked_range(headers: Mapping[str, str], size: int, etag: str) -> tuple[int, int] | None:
    """
    From where up to where *headers* ask; None for the whole.

    What is no single range of bytes is ignored, as is one for another version (`If-Range`). A range longer than one answer
    is answered with its beginning: `Content-Range` says how far it goes.

    Raises:
        RangeNotSatisfiable: no byte of it is there.
    """
    asked = _RANGE.match(headers.get("range", "").strip())
    if asked is None or asked.groups() == ("", "") or headers.get("if-range", etag).strip() != etag:
        return None
    first, last = asked.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start >= end:
        raise RangeNotSatisfiable(size)
    return start, min(end, start + PART_BYTES)


def check_digest(headers: Mapping[str, str], body: bytes) -> None:
    """
    Hold *body* to `Content-Digest` or `Repr-Digest`, where one of them has a SHA-256.

    Raises:
        DigestMismatch: it is another.
    """
    expected = base64.b64encode(hashlib.sha256(body).digest()).decode()
    for name in ("content-digest", "repr-digest"):
        if any(sent != expected for sent in _DIGEST.findall(headers.get(name, ""))):
            raise DigestMismatch
