"""An object from one request: sealed, stored, and then made the newest version together with its event."""

import hashlib
import os
from dataclasses import replace
from typing import Any

from platforma.kernel.errors import PreconditionFailed, TooLarge
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from platforma.keys.model import KEY_SIZE
from platforma.keys.objects.chunks import new_attempt, seal_part
from platforma.keys.objects.model import PART_BYTES, VERSIONS_KEPT, Manifest, Object, Part, shown
from platforma.keys.objects.names import Names
from platforma.keys.objects.ports import Bucket, Head, ObjectStore, Rubbish
from platforma.keys.objects.sealing import place_of, sealed_head, sealed_manifest


def put_object(
    tenant_id: str,
    key: str,
    body: bytes,
    *,
    content_type: str,
    if_match: int | None,
    store: ObjectStore,
    bucket: Bucket,
    names: Names,
    envelope: Envelope,
    attempt: Attempt,
) -> Object:
    """
    The object's new version. *if_match* is the version that must stand, 0 for none, None for any; *key* is a parsed one.

    The bytes are stored first. Should the rest fail they stay behind, sealed under a key that is nowhere.

    Raises:
        TooLarge: over 4 MiB; what is larger is uploaded by parts.
        PreconditionFailed: another version stands.
        Unavailable: the keeper of keys, the table or the bucket is gone; the version before stands.
    """
    if len(body) > PART_BYTES:
        raise TooLarge(f"One request stores {PART_BYTES} bytes at most; upload what is larger by parts.")
    object_id = names.id_of(tenant_id, key)
    before = standing(store.head(tenant_id, object_id), if_match)
    container, sent, digest = new_id("upl"), new_attempt(), hashlib.sha256(body).digest()
    manifest = Manifest(os.urandom(KEY_SIZE), place_of(tenant_id, container), [Part(sent, len(body), digest)])
    bucket.put(tenant_id, manifest.place + sent.hex(), seal_part(manifest.key, sent, body))
    item = Object(
        id=object_id,
        key=key,
        version=before.version + 1 if before else 1,
        size=len(body),
        content_type=content_type,
        checksum=digest.hex(),
        created_at=attempt.clock(),
        created_by=attempt.principal_id or "",
    )
    return make_newest(tenant_id, item, container, manifest, before=before, store=store, envelope=envelope, attempt=attempt)


def standing(head: Head | None, if_match: int | None) -> Head | None:
    """
    *head*, if it is the version that must stand.

    Raises:
        PreconditionFailed: it is not.
    """
    version = 0 if head is None or head.deleted else head.version
    if if_match is not None and if_match != version:
        raise PreconditionFailed
    return head


def make_newest(
    tenant_id: str,
    item: Object,
    container: str,
    manifest: Manifest,
    *,
    before: Head | None,
    store: ObjectStore,
    envelope: Envelope,
    attempt: Attempt,
    upload: str | None = None,
) -> Object:
    """*item*, which is the object now; its event told nothing of its key or its bytes."""
    head = sealed_head(tenant_id, item, container, envelope)
    changes: dict[str, Any] = {"before": {"version": before.version} if before else None, "after": shown(item)}
    store.write(
        tenant_id,
        head,
        sealed_manifest(tenant_id, container, manifest, envelope),
        before=before,
        rubbish=rubbish_of(tenant_id, before, attempt),
        upload=upload,
        event=attempt.event("success", resource=item.id, resource_type="object", changes=changes),
    )
    return replace(item, deleted=False)


def rubbish_of(tenant_id: str, before: Head | None, attempt: Attempt) -> Rubbish | None:
    """What the version that was replaced is from its day on."""
    if before is None or before.deleted:
        return None
    due = attempt.clock() + VERSIONS_KEPT
    return Rubbish(due, tenant_id, "version", f"{before.id}#{before.version}", place_of(tenant_id, before.manifest))
