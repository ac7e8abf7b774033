"""
Tiles and a signed checkpoint for what was entered since the last one.

Every byte except the signature follows from the log's entries, so any relay may do it again after any interruption. The
checkpoint is written last, because it promises that the tiles are there. What is signed is the root of the tiles in the
bucket.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from platforma.audit import note, segment, tree
from platforma.audit.errors import LogBroken, WrittenBefore
from platforma.audit.model import Head
from platforma.audit.ports import Bucket, CheckpointSigner, LogStore
from platforma.audit.retention import Term, not_past, retain_until
from platforma.audit.tiles import TiledTree, reader, tiles_between
from platforma.kernel.clock import parse_rfc3339

_TERM = Term()
_AT_ONCE = 8
"""Segments read at the same time: one a second may have come since the last checkpoint, and meanwhile events wait."""


def checkpoint_key(log_id: str, size: int) -> str:
    """The name of the checkpoint at this size."""
    return f"{log_id}/checkpoints/{size:020d}"


def publish(
    head: Head, *, store: LogStore, bucket: Bucket, signer: CheckpointSigner, now: datetime, term: Term = _TERM
) -> int:
    """
    Publish the log as *head* (without its open intent) has it; the size that a checkpoint now covers.

    Raises:
        LogBroken: segments or tiles are not what the log's state says.
        Unavailable: a dependency failed; the next call goes on.
    """
    if head.size <= head.checkpoint_size:
        return head.checkpoint_size
    until = not_past(retain_until(parse_rfc3339(head.newest), term.years), now)
    read = reader(bucket, head.log_id)
    leaves = [tree.leaf_hash(line) for line in _entries_since(head, bucket)]
    made = tiles_between(TiledTree(head.checkpoint_size, read), head.size, leaves)
    for tile, body in made.items():
        _put_same(bucket, f"{head.log_id}/{tile}", body, until, term)
    root = tree.subtree(0, head.size, TiledTree(head.size, read).node)
    if root != tree.root_of(head.frontier):
        raise LogBroken("Tiles and the log's state have different roots.", log_id=head.log_id, size=head.size)
    checkpoint = note.Checkpoint(head.origin, head.size, root)
    key = checkpoint_key(head.log_id, head.size)
    try:
        bucket.put(key, note.sign(checkpoint, signer), retain_until=until, legal_hold=term.legal_hold)
    except WrittenBefore:
        stored = note.verify(bucket.get(key) or b"", note.keys_of(head.origin, signer))
        if stored != checkpoint:
            raise LogBroken("Another checkpoint of this size exists.", log_id=head.log_id, size=head.size) from None
    store.checkpointed(head.log_id, head.size, now)
    return head.size


def _entries_since(head: Head, bucket: Bucket) -> list[bytes]:
    """The entries behind the last checkpoint, which ended with a segment."""
    names: list[str] = []
    start, size = segment.folder(head.log_id), head.checkpoint_size
    for key in bucket.names(start, after=f"{start}{size:020d}"):
        name = segment.parse_name(key)
        if name is None or name.first != size:
            raise LogBroken("A segment does not follow the one before it.", key=key)
        if size >= head.size:
            break
        names.append(key)
        size += name.entries
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        read = pool.map(bucket.get, names)
        lines = [line for key, body in zip(names, read, strict=True) for line in segment.unpack(body or b"", key)]
    if len(lines) < head.size - head.checkpoint_size:
        raise LogBroken("Segments are missing.", log_id=head.log_id)
    return lines[: head.size - head.checkpoint_size]


def _put_same(bucket: Bucket, key: str, body: bytes, until: datetime, term: Term) -> None:
    try:
        bucket.put(key, body, retain_until=until, legal_hold=term.legal_hold)
    except WrittenBefore:
        if bucket.get(key) != body:
            raise LogBroken("A tile holds other hashes than the entries have.", key=key) from None
