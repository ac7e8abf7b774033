"""
Verification of a log against what others saw of it: checkpoints that were kept elsewhere, and cosignatures of witnesses.

Whoever owns a log's key can sign another past. It then has no cosignature of a witness that saw the first one, and does not
agree with what such a witness, or anybody, kept: the log was forked, or cut back.
"""

from collections.abc import Mapping

from platforma.audit import note, tree
from platforma.audit.cosignature import CosignatureName, WitnessKey, labels_of, witnessed
from platforma.audit.errors import LogBroken
from platforma.audit.verification import Fault, LogReport, Quorum, Trusted
from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import Malformed

_KEPT = "checkpoint that was kept"


class CosignedLog:
    """
    One log whose entries were read. *roots* are those of its own checkpoints that hold, by size; *newest* is the time of the
    newest entry by the sizes that segments end at; *node* tells the tree's hashes.
    """

    def __init__(
        self, found: LogReport, trusted: Trusted, roots: Mapping[int, bytes], newest: Mapping[int, str], node: tree.Node
    ) -> None:
        self._found, self._trusted, self._roots, self._newest, self._node = found, trusted, roots, newest, node
        self._cosigned: dict[int, set[WitnessKey]] = {}

    def agrees_with_kept(self) -> None:
        """Each checkpoint of this log that was kept elsewhere is one of these very entries."""
        for kept in self._trusted.seen:
            try:
                origin = note.parse_checkpoint(note.text_of(kept)).origin
                if not origin.endswith(f"/audit/{self._found.log_id}"):
                    continue
                checkpoint = self._trusted.kept(kept)
            except LogBroken as error:
                self._wrong(_KEPT, error.detail)
                continue
            if self._agrees(_KEPT, checkpoint):
                self._count(_KEPT, checkpoint.size, kept)

    def agrees_with(self, name: str, stated: CosignatureName, body: bytes) -> None:
        """The cosignature of this name is of a checkpoint that is there; it counts if its witness is one asked for."""
        self._found.cosignatures += 1
        try:
            origin = note.parse_checkpoint(note.text_of(body)).origin
            checkpoint = note.verify(body, self._trusted.for_origin(origin))
            labels = labels_of(body)
        except LogBroken as error:
            self._wrong(name, error.detail)
            return
        if not origin.endswith(f"/audit/{self._found.log_id}") or checkpoint.size != stated.size:
            self._wrong(name, f"Is of the checkpoint of {origin} at size {checkpoint.size}.")
        elif stated.witness not in labels:
            self._wrong(name, "Is by another witness.")
        elif self._agrees(name, checkpoint):
            if checkpoint.size not in self._roots:
                self._wrong(name, "The checkpoint that was cosigned is missing.")
            self._count(name, checkpoint.size, body)

    def has_quorum(self) -> None:
        """As many witnesses as are asked for cosigned the newest checkpoint, or one that is not much older."""
        quorum = self._trusted.quorum
        if quorum is None:
            return
        found, asked = self._found, f"{quorum.needed} of the {len(quorum.witnesses)} witnesses"
        sizes = [size for size, by in self._cosigned.items() if len(by) >= quorum.needed and size in self._roots]
        found.witnessed = max(sizes, default=0)
        if not sizes:
            self._wrong(found.log_id, f"No checkpoint is cosigned by {asked}.")
        elif found.witnessed < found.covered and not self._is_recent(found.witnessed, quorum):
            what = f"Of {found.entries} entries only {found.witnessed} are under a checkpoint cosigned by {asked}."
            self._wrong(found.log_id, what)

    def _is_recent(self, size: int, quorum: Quorum) -> bool:
        try:
            older = parse_rfc3339(self._found.newest) - parse_rfc3339(self._newest.get(size, ""))
        except Malformed:
            return False
        return bool(quorum.within) and older <= quorum.within

    def _agrees(self, where: str, checkpoint: note.Checkpoint) -> bool:
        """Whether a checkpoint that its log signed some time is one of this very log."""
        if checkpoint.size > self._found.entries:
            what = f"The log was cut back: entries {self._found.entries} to {checkpoint.size - 1} are missing."
        elif checkpoint.size and tree.subtree(0, checkpoint.size, self._node) != checkpoint.root:
            what = f"The log was forked: its first {checkpoint.size} entries were others when it was signed."
        else:
            return True
        self._wrong(where, what)
        return False

    def _count(self, where: str, size: int, signed: bytes) -> None:
        if self._trusted.quorum is not None:
            try:
                self._cosigned.setdefault(size, set()).update(witnessed(signed, self._trusted.quorum.witnesses))
            except LogBroken as error:
                self._wrong(where, error.detail)

    def _wrong(self, where: str, what: str) -> None:
        self._found.faults.append(Fault(where, what))
