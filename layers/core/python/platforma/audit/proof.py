"""Proofs that an event is in the log and that the log only grew, and what they are checked against."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from platforma.audit import note, segment, tree
from platforma.audit.errors import LogBroken
from platforma.audit.model import Head
from platforma.audit.ports import Bucket, CheckpointSigner, LogStore
from platforma.audit.publish import checkpoint_key
from platforma.audit.relay import BATCH
from platforma.audit.tiles import WIDTH, TiledTree, parse_path, reader
from platforma.kernel.errors import FieldError, NotFound, Unprocessable


@dataclass(frozen=True, slots=True)
class Published:
    """What readers of a published log need."""

    store: LogStore
    bucket: Bucket

    def head(self, log_id: str) -> Head:
        """
        The log's state.

        Raises:
            NotFound: there is no such log, or nothing of it is published.
        """
        head = self.store.head(log_id)
        if head is None or head.checkpoint_size == 0:
            raise NotFound
        return head

    def checkpoint(self, log_id: str) -> bytes:
        """
        The newest signed checkpoint, with the lines of the witnesses that cosigned it so far.

        Raises:
            NotFound: there is none.
        """
        size = self.head(log_id).checkpoint_size
        signed = self._note(log_id, size)
        cosigned = (self.bucket.get(name) for name in self.bucket.names(f"{log_id}/cosignatures/{size:020d}/"))
        return signed + b"".join(note_.removeprefix(signed) for note_ in cosigned if note_)

    def logs(self, tenant_id: str, host: str) -> list[dict[str, Any]]:
        """The tenant's logs, with the size of each as far as a checkpoint covers it."""
        heads = {log_id: self.store.head(log_id) for log_id in self.store.logs_of(tenant_id)}
        return [
            {
                "id": log_id,
                "origin": head.origin if head else f"{host}/audit/{log_id}",
                "size": head.checkpoint_size if head else 0,
            }
            for log_id, head in heads.items()
        ]

    def keys(self, log_id: str, signer: CheckpointSigner) -> list[str]:
        """
        The verifier keys of the log's checkpoints, the current one first.

        Raises:
            NotFound: there is no such log.
            Unavailable: the signer does not answer.
        """
        return [str(key) for key in note.keys_of(self.head(log_id).origin, signer)]

    def signed(self, log_id: str, size: int) -> bytes:
        """
        The signed checkpoint of this size.

        Raises:
            LogBroken: there should be one, and is none.
        """
        return self._note(log_id, size)

    def tree(self, log_id: str, size: int) -> TiledTree:
        """The log's tree as it was at *size*, read from its tiles."""
        return TiledTree(size, reader(self.bucket, log_id))

    def tile(self, log_id: str, path: str) -> bytes:
        """
        A tile, or a bundle of entries, by its path from `tile/` on.

        Raises:
            NotFound: no checkpoint has such a tile.
        """
        tile = parse_path(path)
        if tile is None:
            raise NotFound
        if tile.level is not None:
            body = self.bucket.get(f"{log_id}/{tile}")
            if body is None:
                raise NotFound
            return body
        start, end = tile.number * WIDTH, tile.number * WIDTH + tile.width
        if end > self.head(log_id).checkpoint_size:
            raise NotFound
        entries = read_entries(self.bucket, log_id, start, end)
        return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)

    def inclusion(self, log_id: str, sequence: int) -> dict[str, Any] | None:
        """The proof that the entry at *sequence* is in the log; None until a checkpoint covers it."""
        head = self.store.head(log_id)
        if head is None or head.checkpoint_size <= sequence:
            return None
        size = head.checkpoint_size
        path = tree.inclusion(sequence, size, TiledTree(size, reader(self.bucket, log_id)).node)
        [entry] = read_entries(self.bucket, log_id, sequence, sequence + 1)
        signed = self._note(log_id, size)
        root = note.parse_checkpoint(note.text_of(signed)).root
        tree.verify_inclusion(tree.leaf_hash(entry), sequence, size, path, root)
        return {
            "log_id": log_id,
            "leaf_index": sequence,
            "tree_size": size,
            "leaf_hash": _text(tree.leaf_hash(entry)),
            "hashes": [_text(hash_) for hash_ in path],
            "entry": entry.decode(),
            "checkpoint": signed.decode(),
        }

    def consistency(self, log_id: str, old: int, new: int | None = None) -> dict[str, Any]:
        """
        The proof that the log at *new* (its newest checkpoint) begins with the log at *old*.

        Raises:
            NotFound: there is no such log.
            Unprocessable: the log has no checkpoint of one of these sizes, or they are in the wrong order.
        """
        newest = self.head(log_id).checkpoint_size
        new = newest if new is None else new
        faults = []
        if not 0 < old <= new:
            faults.append(FieldError("/from", "Must be a size from 1 to that of the other checkpoint."))
        elif self.bucket.get(checkpoint_key(log_id, old)) is None:
            faults.append(FieldError("/from", "There is no checkpoint of this size."))
        if new > newest or (new != newest and self.bucket.get(checkpoint_key(log_id, new)) is None):
            faults.append(FieldError("/to", "There is no checkpoint of this size."))
        if faults:
            raise Unprocessable(errors=faults)
        path = tree.consistency(old, new, TiledTree(new, reader(self.bucket, log_id)).node)
        return {
            "log_id": log_id,
            "from": old,
            "to": new,
            "hashes": [_text(hash_) for hash_ in path],
            "from_checkpoint": self._note(log_id, old).decode(),
            "to_checkpoint": self._note(log_id, new).decode(),
        }

    def _note(self, log_id: str, size: int) -> bytes:
        found = self.bucket.get(checkpoint_key(log_id, size))
        if found is None:
            raise LogBroken("A checkpoint is gone.", log_id=log_id, size=size)
        return found


def read_entries(bucket: Bucket, log_id: str, start: int, end: int) -> list[bytes]:
    """
    The entries from *start* to *end*, excluded, as they lie in the bucket.

    Raises:
        LogBroken: they are not all there.
    """
    entries = [entry for at, entry in _entries_from(bucket, log_id, start, end) if start <= at < end]
    if len(entries) != end - start:
        raise LogBroken("Entries are missing.", log_id=log_id, start=start, end=end)
    return entries


def _entries_from(bucket: Bucket, log_id: str, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    folder = segment.folder(log_id)
    for key in bucket.names(folder, after=f"{folder}{max(0, start - BATCH):020d}"):
        name = segment.parse_name(key)
        if name is None or name.first >= end:
            return
        if name.first + name.entries > start:
            yield from enumerate(segment.unpack(bucket.get(key) or b"", key), name.first)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
