"""Proofs of many events, mostly neighbours: that each is in its log as a checkpoint has it."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from platforma.audit import tree
from platforma.audit.entry import salts_of
from platforma.audit.exports.entries import Entries
from platforma.audit.exports.found import Found
from platforma.audit.proof import Published
from platforma.audit.sealing import Opened

_NODES = 4096
"""Hashes of a tree that are kept: neighbours' proofs share most of theirs."""


class Proving:
    """Proofs of one part's events; what it read of the logs is kept until the part is written, and no longer."""

    def __init__(self, sizes: Mapping[str, int], published: Published) -> None:
        self._sizes, self._published = sizes, published
        self._logs: dict[str, tuple[Entries, tree.Node]] = {}
        self._text = lru_cache(_NODES)(_text)

    def of(self, found: Sequence[Found]) -> Iterator[dict[str, Any]]:
        """
        Of each its entry as it lies in the log, its audit path to the checkpoint's root, and what opens its commitments.

        Raises:
            LogBroken: an entry or a tile is missing.
        """
        indexes: dict[str, list[int]] = {}
        for log_id, one, _ in found:
            indexes.setdefault(log_id, []).append(_index(one))
        entries = {log_id: self._log(log_id)[0].at(those) for log_id, those in indexes.items()}
        for log_id, one, _ in found:
            index = _index(one)
            yield {
                "id": one.row.id,
                "log_id": log_id,
                "index": index,
                "entry": entries[log_id][index].decode(),
                "hashes": [self._text(hash_) for hash_ in tree.inclusion(index, self._sizes[log_id], self._log(log_id)[1])],
                "salts": salts_of(one.values, one.seed) if one.salts is None else one.salts,
            }

    def _log(self, log_id: str) -> tuple[Entries, tree.Node]:
        if log_id not in self._logs:
            node = lru_cache(_NODES)(self._published.tree(log_id, self._sizes[log_id]).node)
            self._logs[log_id] = Entries(self._published.bucket, log_id), node
        return self._logs[log_id]


def _index(one: Opened) -> int:
    assert one.row.sequence is not None
    return one.row.sequence


def _text(hash_: bytes) -> str:
    return base64.b64encode(hash_).decode()
