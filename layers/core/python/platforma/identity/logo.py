"""
A tenant's logo: a small picture that its pages show, kept as the data URI (RFC 2397) that they show it by.

Only pictures that are nothing else: an SVG is a document that may hold scripts, and a type that the bytes belie is for a
browser to guess about.
"""

import base64
import binascii
from collections.abc import Mapping

from platforma.kernel.errors import FieldError, Unprocessable

MAX_BYTES = 16 << 10
_SIGNATURES: Mapping[str, bytes] = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8"}


def parse_logo(value: object) -> str | None:
    """
    A logo in its canonical form; None for none.

    Raises:
        Unprocessable: not the data URI of such a picture of at most `MAX_BYTES`.
    """
    if value is None:
        return None
    head, _, text = value.partition(",") if isinstance(value, str) else ("", "", "")
    media_type = head.removeprefix("data:").removesuffix(";base64")
    signature = _SIGNATURES.get(media_type)
    if signature is not None and head == f"data:{media_type};base64" and len(text) <= MAX_BYTES * 4 // 3 + 4:
        try:
            picture = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            picture = b""
        if picture.startswith(signature) and len(picture) <= MAX_BYTES:
            return f"{head},{base64.b64encode(picture).decode()}"
    kinds = ", ".join(_SIGNATURES)
    raise Unprocessable(errors=[FieldError("/logo", f"Must be a data URI in base64 of {MAX_BYTES} bytes at most: {kinds}.")])
