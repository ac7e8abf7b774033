"""Objects read: what is known of one, its bytes by range, and lists by prefix."""

from platforma.kernel.errors import NotFound, TooLarge, Unavailable
from platforma.keys.envelope import Envelope
from platforma.keys.errors import DoesNotOpen
from platforma.keys.objects.chunks import CHUNK, open_chunks, stored_range
from platforma.keys.objects.model import PART_BYTES, Manifest, Object
from platforma.keys.objects.names import Names
from platforma.keys.objects.ports import Bucket, Head, ObjectStore
from platforma.keys.objects.sealing import opened_heads, opened_manifest


def read_object(
    tenant_id: str, key: str, *, version: int | None = None, store: ObjectStore, names: Names, envelope: Envelope
) -> tuple[Object, Head]:
    """
    What is known of the object, and where it is stored; of its newest version if none is named.

    Raises:
        NotFound: there is none, or the version is no longer kept.
    """
    head = store.head(tenant_id, names.id_of(tenant_id, key), version)
    if head is None or head.deleted:
        raise NotFound
    (item,) = opened_heads(tenant_id, [head], envelope)
    if item.key != key or version not in (None, item.version):
        raise DoesNotOpen("An object's name or version is not the one that it was sealed with.")
    return item, head


def read_bytes(
    tenant_id: str, head: Head, *, start: int, end: int, store: ObjectStore, bucket: Bucket, envelope: Envelope
) -> bytes:
    """
    The object's bytes from *start* up to *end*, which lie in it; only the chunks that hold them are read.

    Raises:
        TooLarge: more than 4 MiB were asked for.
        DoesNotOpen: what is stored was changed, moved, cut or mixed; no byte of it is given.
        Unavailable: the keeper of keys, the table or the bucket is gone.
    """
    if end - start > PART_BYTES:
        raise TooLarge(f"One request reads {PART_BYTES} bytes at most; read by Range.")
    sealed = store.manifest(tenant_id, head.manifest)
    if sealed is None:
        raise Unavailable("An object's manifest is not there.")
    manifest = opened_manifest(tenant_id, head.manifest, sealed, envelope)
    read, at = bytearray(), 0
    for place, part in enumerate(manifest.parts):
        first, last = max(start, at) - at, min(end, at + part.size) - at
        if first < last:
            read += _range(tenant_id, manifest, place, first, last, bucket)
        at += part.size
    if len(read) != end - start:
        raise DoesNotOpen("An object has not the bytes that it should have.")
    return bytes(read)


def _range(tenant_id: str, manifest: Manifest, place: int, first: int, last: int, bucket: Bucket) -> memoryview:
    part = manifest.parts[place]
    chunk, end = first // CHUNK, (last - 1) // CHUNK
    stored = bucket.get(tenant_id, manifest.place + part.attempt.hex(), *stored_range(part.size, chunk, end))
    opened = open_chunks(manifest.key, part.attempt, part.size, chunk, stored)
    return memoryview(opened)[first - chunk * CHUNK : last - chunk * CHUNK]


def list_objects(
    tenant_id: str,
    *,
    prefix: str,
    limit: int,
    after: str | None,
    store: ObjectStore,
    names: Names,
    envelope: Envelope,
) -> tuple[list[Object], str | None]:
    """
    Objects whose keys begin with *prefix*, in the order of their ids, and where to go on.

    Only the folder that the prefix names is read; of what it holds the rest of the prefix is looked for after opening, so
    that a page may be short, or empty, while there are more.
    """
    heads, after = store.heads(tenant_id, names.folder_of(tenant_id, prefix), limit=limit, after=after)
    items = opened_heads(tenant_id, [head for head in heads if not head.deleted], envelope)
    return [item for item in items if item.key.startswith(prefix)], after
