"""The values of this package, and what they look like where they are kept."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from platforma.kernel.clock import parse_rfc3339, rfc3339

PART_BYTES = 4 << 20
"""The most that one request carries, there or back: with base64 and headers it fits a function's 6 MB."""
MAX_BYTES = 5 << 30
MAX_PARTS = 2048
UPLOAD_LIFETIME = timedelta(hours=24)
VERSIONS_KEPT = timedelta(days=35)
"""How long a version that was replaced or deleted can still be read."""
DEFAULT_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Part:
    """One part: a stored object of its own, sealed under a key of its own. *sha256* is of the plaintext."""

    attempt: bytes
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an object is made of: the key that its parts' keys are derived from, where they stand, the parts in order."""

    key: bytes = field(repr=False)
    place: str
    parts: Sequence[Part]

    def packed(self) -> bytes:
        """As it is sealed."""
        place = self.place.encode()
        head = self.key + bytes([len(place)]) + place
        return head + b"".join(part.attempt + part.size.to_bytes(4, "big") + part.sha256 for part in self.parts)

    @staticmethod
    def unpacked(raw: bytes) -> "Manifest":
        """What `packed` made."""
        start = 33 + raw[32]
        parts = [
            Part(raw[at : at + 16], int.from_bytes(raw[at + 16 : at + 20], "big"), raw[at + 20 : at + 52])
            for at in range(start, len(raw), 52)
        ]
        return Manifest(raw[:32], raw[33:start].decode(), parts)


@dataclass(frozen=True, slots=True)
class Object:
    """
    One version of an object, without its bytes.

    *id* is the keyed hash of its key: what logs and tables call it. *checksum* is the SHA-256 of its bytes in hex; of one
    that was uploaded by parts that of the parts' hashes one after the other, `-` and their number.
    """

    id: str
    key: str
    version: int
    size: int
    content_type: str
    checksum: str
    created_at: datetime
    created_by: str
    deleted: bool = False

    def as_text(self) -> bytes:
        """As it is sealed: JSON."""
        document = {
            "key": self.key,
            "size": self.size,
            "content_type": self.content_type,
            "checksum": self.checksum,
            "created_at": rfc3339(self.created_at),
            "created_by": self.created_by,
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    @staticmethod
    def of_text(raw: bytes, *, id: str, version: int, deleted: bool = False) -> "Object":  # noqa: A002  the field's name
        """What `as_text` made."""
        known: dict[str, Any] = json.loads(raw)
        known["created_at"] = parse_rfc3339(known["created_at"])
        return Object(id=id, version=version, deleted=deleted, **known)


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload under way; its parts stand beside it. *key_bytes* is what its parts' keys are derived from."""

    id: str
    key: str
    content_type: str
    key_bytes: bytes = field(repr=False)
    status: Literal["open", "completed", "aborted"]
    created_at: datetime
    expires_at: datetime
    completed_version: int | None = None


def shown(item: Object) -> dict[str, Any]:
    """What an event may say of an object: nothing that its key or bytes would tell."""
    return {"version": item.version, "size": item.size, "deleted": item.deleted}
