"""Bytes that nothing needs any more: versions whose days are over, and what uploads left behind."""

from datetime import datetime

from platforma.keys.objects.ports import Bucket, ObjectStore, Rubbish


def sweep_objects(*, store: ObjectStore, bucket: Bucket, now: datetime) -> int:
    """
    Remove what is due, bytes first; how much was. Killed anywhere it is done again, to the same end.

    Nothing of it is opened. Of a completed upload what its object needs stays, until that is replaced: only a version's own
    rubbish takes the bytes of one.

    Raises:
        Unavailable: the table or the bucket is gone; what was removed stays so.
    """
    swept = 0
    for rubbish in store.due(now):
        if not _is_needed(rubbish, store):
            bucket.delete(list(bucket.names(rubbish.place)))
        store.forget(rubbish)
        swept += 1
    return swept


def _is_needed(rubbish: Rubbish, store: ObjectStore) -> bool:
    if rubbish.kind != "upload":
        return False
    row = store.upload(rubbish.tenant_id, rubbish.id)
    return row is not None and row.status == "completed"
