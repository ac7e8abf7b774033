"""
Large objects by parts, in any order, each as often as need be, within a day; then one write makes them the object.

A part is a stored object of its own. The last sending of a part that was answered is the one that counts, and completing
names each by its hash: what is made is what the caller means, or nothing.
"""

import hashlib
import os
from collections.abc import Sequence
from typing import Protocol

from platforma.kernel.errors import FieldError, NotFound, TooLarge, Unprocessable
from platforma.kernel.events import Attempt
from platforma.kernel.ids import is_id, new_id
from platforma.keys.envelope import Envelope
from platforma.keys.model import KEY_SIZE
from platforma.keys.objects.chunks import new_attempt, seal_part
from platforma.keys.objects.errors import PartMismatch, UploadEnded
from platforma.keys.objects.model import MAX_BYTES, MAX_PARTS, PART_BYTES, UPLOAD_LIFETIME, Manifest, Object, Part, Upload
from platforma.keys.objects.names import Names
from platforma.keys.objects.ports import Bucket, ObjectStore, Rubbish
from platforma.keys.objects.put import make_newest, standing
from platforma.keys.objects.read import read_object
from platforma.keys.objects.sealing import opened_parts, opened_upload, place_of, sealed_part, sealed_upload


class Named(Protocol):
    """A part as the completing caller names it."""

    n: int
    sha256: str


def start_upload(
    tenant_id: str, key: str, content_type: str, *, store: ObjectStore, envelope: Envelope, attempt: Attempt
) -> Upload:
    """A new upload, open for a day. Nothing is looked up of the object: what it replaces is said at the end."""
    now = attempt.clock().replace(microsecond=0)
    upload = Upload(new_id("upl"), key, content_type, os.urandom(KEY_SIZE), "open", now, now + UPLOAD_LIFETIME)
    rubbish = Rubbish(upload.expires_at, tenant_id, "upload", upload.id, place_of(tenant_id, upload.id))
    event = attempt.event("success", resource=upload.id, resource_type="upload")
    store.start(tenant_id, sealed_upload(tenant_id, upload, envelope), rubbish, event)
    return upload


def put_part(
    tenant_id: str,
    upload_id: str,
    number: int,
    body: bytes,
    *,
    store: ObjectStore,
    bucket: Bucket,
    envelope: Envelope,
    attempt: Attempt,
) -> Part:
    """
    The part as it is stored now, in an earlier sending's place.

    Raises:
        NotFound: there is no such upload.
        UploadEnded: it is open no more.
        TooLarge, Unprocessable: over 4 MiB; a number that is none.
    """
    if not 1 <= number <= MAX_PARTS:
        raise Unprocessable("Parts are numbered 1 to 2048.", errors=[FieldError("/n", "1 to 2048.")])
    if len(body) > PART_BYTES:
        raise TooLarge(f"A part has {PART_BYTES} bytes at most.")
    upload = _open(tenant_id, upload_id, store, envelope, attempt)
    part = Part(new_attempt(), len(body), hashlib.sha256(body).digest())
    name = place_of(tenant_id, upload_id) + part.attempt.hex()
    bucket.put(tenant_id, name, seal_part(upload.key_bytes, part.attempt, body))
    sealed = sealed_part(tenant_id, upload_id, number, part, envelope)
    changes = {"after": {"part": number, "size": part.size}}
    event = attempt.event("success", resource=upload_id, resource_type="upload", changes=changes)
    store.put_part(tenant_id, upload_id, number, sealed, event)
    return part


def complete_upload(
    tenant_id: str,
    upload_id: str,
    named: Sequence[Named],
    *,
    if_match: int | None,
    store: ObjectStore,
    names: Names,
    envelope: Envelope,
    attempt: Attempt,
) -> Object:
    """
    The object that the named parts are, in the order of their numbers; of an upload that is complete, what it made.

    Raises:
        NotFound: there is no such upload.
        UploadEnded: it was aborted, or its day is over.
        PartMismatch, Unprocessable: a part was not sent, has another hash, or is named twice; over 5 GiB.
        PreconditionFailed: another version of the object stands.
    """
    row = store.upload(tenant_id, upload_id)
    if row is not None and row.status == "completed":
        upload = opened_upload(tenant_id, row, envelope)
        version = upload.completed_version
        return read_object(tenant_id, upload.key, version=version, store=store, names=names, envelope=envelope)[0]
    upload = _open(tenant_id, upload_id, store, envelope, attempt)
    parts = _meant(named, opened_parts(tenant_id, upload_id, store.parts(tenant_id, upload_id), envelope))
    object_id = names.id_of(tenant_id, upload.key)
    before = standing(store.head(tenant_id, object_id), if_match)
    hashes = hashlib.sha256(b"".join(part.sha256 for part in parts)).hexdigest()
    item = Object(
        id=object_id,
        key=upload.key,
        version=before.version + 1 if before else 1,
        size=sum(part.size for part in parts),
        content_type=upload.content_type,
        checksum=f"{hashes}-{len(parts)}",
        created_at=attempt.clock(),
        created_by=attempt.principal_id or "",
    )
    manifest = Manifest(upload.key_bytes, place_of(tenant_id, upload_id), parts)
    return make_newest(
        tenant_id,
        item,
        upload_id,
        manifest,
        before=before,
        store=store,
        envelope=envelope,
        attempt=attempt,
        upload=upload_id,
    )


def abort_upload(tenant_id: str, upload_id: str, *, store: ObjectStore, attempt: Attempt) -> None:
    """
    End the upload; its bytes go when its day is over.

    Raises:
        NotFound: there is no such upload.
        UploadEnded: it has ended.
    """
    if not is_id(upload_id, "upl") or store.upload(tenant_id, upload_id) is None:
        raise NotFound
    store.abort(tenant_id, upload_id, attempt.event("success", resource=upload_id, resource_type="upload"))


def _open(tenant_id: str, upload_id: str, store: ObjectStore, envelope: Envelope, attempt: Attempt) -> Upload:
    row = store.upload(tenant_id, upload_id) if is_id(upload_id, "upl") else None
    if row is None:
        raise NotFound
    upload = opened_upload(tenant_id, row, envelope)
    if upload.status != "open" or attempt.clock() >= upload.expires_at:
        raise UploadEnded
    return upload


def _meant(named: Sequence[Named], sent: dict[int, Part]) -> list[Part]:
    """The parts that are named, each held to its hash."""
    ordered = sorted(named, key=lambda each: each.n)
    if len({each.n for each in ordered}) != len(ordered):
        raise Unprocessable("A part is named twice.", errors=[FieldError("/parts", "Name each once.")])
    faults = [
        FieldError(f"/parts/{place}", "Not sent, or with another hash.")
        for place, each in enumerate(named)
        if each.n not in sent or sent[each.n].sha256.hex() != each.sha256
    ]
    if faults:
        raise PartMismatch(errors=faults[:20])
    parts = [sent[each.n] for each in ordered]
    if sum(part.size for part in parts) > MAX_BYTES:
        raise TooLarge("An object has 5 GiB at most.")
    return parts
