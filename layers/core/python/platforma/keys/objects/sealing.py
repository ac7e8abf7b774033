"""What stands in the table of objects and uploads, sealed under the tenant's key and bound to its one place there."""

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime

from platforma.keys.envelope import Envelope
from platforma.keys.objects.model import Manifest, Object, Part, Upload
from platforma.keys.objects.ports import Head, UploadRow

PURPOSE = "object"


def sealed_head(tenant_id: str, item: Object, manifest: str, envelope: Envelope) -> Head:
    """*item* as it is stored; *manifest* is the id of its manifest."""
    sealed = envelope.seal(tenant_id, PURPOSE, _head(item.id, item.version, manifest), item.as_text())
    return Head(item.id, item.version, item.deleted, sealed, manifest)


def opened_heads(tenant_id: str, heads: list[Head], envelope: Envelope) -> list[Object]:
    """
    The objects that *heads* are, for few calls to the keeper of keys.

    Raises:
        DoesNotOpen: one was moved, or damaged.
    """
    boxes = [(_head(head.id, head.version, head.manifest), head.sealed) for head in heads]
    opened = envelope.open_all(tenant_id, PURPOSE, boxes) if boxes else []
    return [
        Object.of_text(raw, id=head.id, version=head.version, deleted=head.deleted)
        for head, raw in zip(heads, opened, strict=True)
    ]


def sealed_manifest(tenant_id: str, manifest_id: str, manifest: Manifest, envelope: Envelope) -> bytes:
    """*manifest* as it is stored."""
    return envelope.seal(tenant_id, PURPOSE, f"manifest/{manifest_id}", manifest.packed())


def opened_manifest(tenant_id: str, manifest_id: str, sealed: bytes, envelope: Envelope) -> Manifest:
    """
    What `sealed_manifest` made.

    Raises:
        DoesNotOpen: it is another object's, or damaged.
    """
    return Manifest.unpacked(envelope.open(tenant_id, PURPOSE, f"manifest/{manifest_id}", sealed))


def sealed_upload(tenant_id: str, upload: Upload, envelope: Envelope) -> UploadRow:
    """*upload* as it is stored."""
    document = {
        "key": upload.key,
        "content_type": upload.content_type,
        "key_bytes": b64encode(upload.key_bytes).decode(),
        "created_at": upload.created_at.timestamp(),
    }
    sealed = envelope.seal(tenant_id, PURPOSE, f"upload/{upload.id}", json.dumps(document).encode())
    return UploadRow(upload.id, upload.status, sealed, int(upload.expires_at.timestamp()), None)


def opened_upload(tenant_id: str, row: UploadRow, envelope: Envelope) -> Upload:
    """What `sealed_upload` made, with the status that stands now."""
    known = json.loads(envelope.open(tenant_id, PURPOSE, f"upload/{row.id}", row.sealed))
    return Upload(
        id=row.id,
        key=known["key"],
        content_type=known["content_type"],
        key_bytes=b64decode(known["key_bytes"]),
        status=row.status,  # type: ignore[arg-type]  # tables hold texts, and no other than these
        created_at=datetime.fromtimestamp(known["created_at"], UTC),
        expires_at=datetime.fromtimestamp(row.expires, UTC),
        completed_version=row.completed_version,
    )


def sealed_part(tenant_id: str, upload_id: str, number: int, part: Part, envelope: Envelope) -> bytes:
    """What is known of a part, as it is stored."""
    raw = part.attempt + part.size.to_bytes(4, "big") + part.sha256
    return envelope.seal(tenant_id, PURPOSE, f"part/{upload_id}/{number}", raw)


def opened_parts(tenant_id: str, upload_id: str, parts: dict[int, bytes], envelope: Envelope) -> dict[int, Part]:
    """What `sealed_part` made, by number."""
    boxes = [(f"part/{upload_id}/{number}", sealed) for number, sealed in parts.items()]
    opened = envelope.open_all(tenant_id, PURPOSE, boxes) if boxes else []
    return {
        number: Part(raw[:16], int.from_bytes(raw[16:20], "big"), raw[20:52])
        for number, raw in zip(parts, opened, strict=True)
    }


def place_of(tenant_id: str, container: str) -> str:
    """Where in the bucket an object's parts stand: under the tenant's name, so that a policy can tell tenants apart."""
    return f"{tenant_id}/{container}/"


def _head(object_id: str, version: int, manifest: str) -> str:
    return f"head/{object_id}/{version}/{manifest}"
