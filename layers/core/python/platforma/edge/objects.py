"""Objects as HTTP has them: keys from paths, conditions, ranges, and the headers that tell of one."""

import base64
import re
from typing import Any
from urllib.parse import quote

from platforma.edge.answer import Answer, etag
from platforma.edge.call import Call
from platforma.kernel.errors import PreconditionFailed, UnsupportedMediaType
from platforma.keys.objects.model import DEFAULT_TYPE, Object
from platforma.keys.objects.names import parse_key

_TYPE = re.compile(r"\A[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}(?:; ?[\x20-\x7e]{1,100})?\Z")


def key_of(call: Call) -> str:
    """
    The object's key: the rest of the path, decoded.

    Raises:
        Unprocessable: it is no key.
    """
    return parse_key(call.path.get("key"))


def content_type_of(call: Call) -> str:
    """
    The type to keep with the object: `X-Object-Type`, by which it is told again, or else the body's.

    Raises:
        UnsupportedMediaType: it is none that a header could hold.
    """
    given = (call.headers.get("x-object-type") or call.headers.get("content-type", "")).strip() or DEFAULT_TYPE
    if not _TYPE.match(given):
        raise UnsupportedMediaType("The Content-Type is not a media type.")
    return given


def headers_of(item: Object) -> dict[str, str]:
    """
    What is told of *item* in headers. Its own type is not the answer's `Content-Type`: what tenants store is never rendered.

    `Repr-Digest` where the whole's hash is known (RFC 9530), else the checksum of its parts alone.
    """
    headers = {
        "ETag": etag(item.version),
        "Accept-Ranges": "bytes",
        "X-Object-Id": item.id,
        "X-Object-Size": str(item.size),
        "X-Object-Type": item.content_type,
        "X-Object-Checksum": item.checksum,
        "Last-Modified": item.created_at.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(item.key.rpartition('/')[2], safe='')}",
    }
    if "-" not in item.checksum:
        headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(item.checksum)).decode()}:"
    return headers


def unchanged(call: Call, item: Object) -> Answer | None:
    """
    The 304 for a caller who has this version already (RFC 9110 section 13.1.2).

    Raises:
        PreconditionFailed: the caller wants another version or none (`If-Match`, section 13.1.1).
    """
    wanted = [tag.strip() for tag in call.headers.get("if-match", "*").split(",")]
    if etag(item.version) not in wanted and "*" not in wanted:
        raise PreconditionFailed
    known = [tag.strip().removeprefix("W/") for tag in call.headers.get("if-none-match", "").split(",")]
    if etag(item.version) in known or "*" in known:
        return Answer(304, None, {"ETag": etag(item.version)}, resource=item.id)
    return None


def version_of(call: Call) -> dict[str, Any]:
    """The version that the query names."""
    return {"version": int(call.parameters.version) if call.parameters.version else None}
