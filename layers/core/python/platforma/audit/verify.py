"""
Verification of logs as they lie in a bucket or in a copy of one, with nothing trusted but public keys.

For each log: segments follow one another without gap or overlap and hold what their names say; every entry is JSON with its
own index, of this tenant, with an id that no other has; every checkpoint is signed and has the root of the entries before
it; every tile holds the hashes that the entries have; every cosignature is of a checkpoint that is there; nothing else lies
there; and, where the store tells, every object is one version, locked long enough. What lies behind the last checkpoint is
not covered yet, and counted; when the log was silent, or entries had no checkpoint for long, is told. Where a quorum of
witnesses is asked for, their cosignatures are verified, and a log that its owner forked or cut back since they saw it is
named so.
"""

import json
from collections.abc import Collection, Iterable

from platforma.audit import note, segment, tree
from platforma.audit.cosignature import parse_name
from platforma.audit.errors import LogBroken
from platforma.audit.model import MAX_ENTRY, tenant_of
from platforma.audit.retention import YEARS, retain_until
from platforma.audit.segment_text import text_of
from platforma.audit.tiles import WIDTH, Tile, levels_above, parse_path, tiles_of
from platforma.audit.verification import Fault, LogReport, Report, Source, Stored, Trusted
from platforma.audit.verify_cosigned import CosignedLog
from platforma.audit.verify_times import Received, is_silence, without_checkpoint
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import Malformed

__all__ = ["Fault", "LogReport", "Report", "Source", "Stored", "Trusted", "verify"]

_HASH = 32
_decoded = json.JSONDecoder().raw_decode  # which takes nothing for an entry that has spaces around it


def verify(source: Source, trusted: Trusted, *, years: int = YEARS, only: Collection[str] = ()) -> Report:
    """Verify all logs in *source*, or those named in *only*."""
    names: dict[str, list[str]] = {}
    for name in source.names():
        names.setdefault(name.partition("/")[0], []).append(name)
    report = Report(faults=list(source.faults()))
    report.faults += [Fault(log_id, "There is no such log.") for log_id in only if log_id not in names]
    for log_id in sorted(names):
        if not only or log_id in only:
            report.logs.append(_Log(log_id, sorted(names[log_id]), source, trusted, years).verified())
    if not report.logs:
        report.faults.append(Fault("", "There is no log here."))
    return report


class _Log:
    def __init__(self, log_id: str, names: list[str], source: Source, trusted: Trusted, years: int) -> None:
        self._names = names
        self._source = source
        self._trusted = trusted
        self._years = years
        self._found = LogReport(log_id)
        self._log_id, self._tenant_id = log_id, tenant_of(log_id)
        self._leaves = bytearray()
        self._levels: list[list[bytes]] = []
        self._ids: set[str] = set()
        self._newest_by_size: dict[int, str] = {}
        self._received: list[Received] = []

    def verified(self) -> LogReport:
        segments = [(name, found) for name in self._names if (found := segment.parse_name(name))]
        tiles = {name: tile for name in self._names if (tile := parse_path(name.partition("/")[2]))}
        notes = [name for name in self._names if name.startswith(f"{self._log_id}/checkpoints/")]
        cosignatures = {name: cosigned for name in self._names if (cosigned := parse_name(name))}
        known = {name for name, _ in segments} | tiles.keys() | set(notes) | cosignatures.keys()
        for name in self._names:
            if name not in known:
                self._wrong(name, "No object of a log has such a name.")
        for name, found in segments:
            self._segment(name, found)
        self._levels = levels_above([bytes(self._leaves[at : at + _HASH]) for at in range(0, len(self._leaves), _HASH)])
        roots = self._checkpoints(notes)
        self._found.uncovered = without_checkpoint(self._received, sorted(roots))
        self._tiles(tiles, sorted(roots))
        witnessed = CosignedLog(self._found, self._trusted, roots, self._newest_by_size, self._node)
        witnessed.agrees_with_kept()
        for name, cosigned in cosignatures.items():
            stored = self._source.read(name)
            witnessed.agrees_with(name, cosigned, stored.body)
            self._locked(name, stored, self._newest_by_size.get(cosigned.size, ""))
        witnessed.has_quorum()
        return self._found

    def _wrong(self, where: str, what: str) -> None:
        self._found.faults.append(Fault(where, what))

    def _segment(self, name: str, stated: segment.SegmentName) -> None:
        stored = self._source.read(name)
        text, fault = text_of(stored.body)
        if fault:
            self._wrong(name, fault)
        at = self._found.entries
        if stated.first != at:
            what = (
                f"Entries {at} to {stated.first - 1} are missing."
                if stated.first > at
                else f"Entry {stated.first} is here again."
            )
            self._wrong(name, what)
            self._leaves.extend(bytes(_HASH * max(0, stated.first - at)))
        lines = text.removesuffix(b"\n").split(b"\n") if text else []
        if len(lines) != stated.entries or not text.endswith(b"\n"):
            self._wrong(name, f"Holds {len(lines)} entries instead of {stated.entries}.")
        self._leaves.extend(b"".join(map(tree.leaf_hash, lines)))
        received = [self._entry(name, index, line) for index, line in enumerate(lines, stated.first)]
        newest = max(received, default="")
        self._found.entries = len(self._leaves) // _HASH
        self._received.append(Received(self._found.entries, min(received, default=""), newest))
        self._newest_by_size[self._found.entries] = self._found.newest
        self._locked(name, stored, newest)

    def _entry(self, name: str, index: int, line: bytes) -> str:
        """Check one entry; its `received_at`."""
        try:
            text = line.decode()
            entry, end = _decoded(text)
            identity, received = entry["id"], str(entry["received_at"])
            sequence, tenant_id = entry["sequence"], entry["tenant_id"]
            before = len(self._ids)
            self._ids.add(identity)
        except (ValueError, KeyError, TypeError):
            entry, end, text, received = None, 0, "", ""
        if entry is None or end != len(text):
            self._wrong(f"{name} entry {index}", "Is not an entry: no JSON, or a field is missing.")
            return ""
        if sequence != index or tenant_id != self._tenant_id:
            self._wrong(f"{name} entry {index}", f"Says it is entry {sequence} of {tenant_id}.")
        if len(line) > MAX_ENTRY:
            self._wrong(f"{name} entry {index}", "Is larger than an entry may be.")
        if len(self._ids) == before:
            self._wrong(f"{name} entry {index}", f"Event {identity} is in the log twice.")
        found = self._found
        if received > found.newest or received < found.oldest:
            self._heard(received)
        return received

    def _heard(self, received: str) -> None:
        found = self._found
        found.oldest = min(found.oldest or received, received)
        if received > found.newest:
            if found.newest and is_silence(found.newest, received):
                found.silences.append((found.newest, received))
            found.newest = received

    def _checkpoints(self, names: Iterable[str]) -> dict[int, bytes]:
        """Roots by size, as signed, of the checkpoints that hold."""
        read: dict[int, tuple[str, note.Checkpoint]] = {}
        for name in names:
            stored = self._source.read(name)
            try:
                origin = note.parse_checkpoint(note.text_of(stored.body)).origin
                checkpoint = note.verify(stored.body, self._trusted.for_origin(origin))
            except LogBroken as error:
                self._wrong(name, error.detail)
                continue
            if not origin.endswith(f"/audit/{self._log_id}"):
                self._wrong(name, f"Is the checkpoint of {origin}.")
            elif name.rpartition("/")[2] != f"{checkpoint.size:020d}":
                self._wrong(name, f"Is the checkpoint of size {checkpoint.size}.")
            elif checkpoint.size > self._found.entries:
                self._wrong(name, f"Entries {self._found.entries} to {checkpoint.size - 1} are missing.")
            else:
                read[checkpoint.size] = (name, checkpoint)
                self._locked(name, stored, self._newest_by_size.get(checkpoint.size, ""))
        if len({checkpoint.origin for _, checkpoint in read.values()}) > 1:
            self._wrong(self._log_id, "Checkpoints have different origins.")
        return self._roots_that_hold(read)

    def _roots_that_hold(self, read: dict[int, tuple[str, note.Checkpoint]]) -> dict[int, bytes]:
        held = {}
        for size in sorted(read):
            name, checkpoint = read[size]
            root = tree.subtree(0, size, self._node) if size else tree.EMPTY
            if root == checkpoint.root:
                held[size] = checkpoint.root
                self._found.covered = size
            else:
                self._wrong(name, "The entries have another root than was signed.")
        self._found.checkpoints = len(held)
        if not held:
            self._wrong(self._log_id, "No checkpoint holds.")
        return held

    def _node(self, level: int, index: int) -> bytes:
        below, inner = divmod(level, 8)
        start = index << inner
        return tree.root_of(tree.extended((), 0, self._levels[below][start : start + (1 << inner)]))

    def _tiles(self, names: dict[str, Tile], sizes: list[int]) -> None:
        for name, tile in names.items():
            self._tile(name, tile)
        for expected in tiles_of(sizes):
            if f"{self._log_id}/{expected}" not in names:
                self._wrong(f"{self._log_id}/{expected}", "The tile is missing.")
        self._found.tiles = len(names)

    def _tile(self, name: str, tile: Tile) -> None:
        if tile.level is None:
            self._wrong(name, "No object of a log has such a name.")
            return
        stored = self._source.read(name)
        hashes = self._levels[tile.level] if tile.level < len(self._levels) else []
        wanted = hashes[tile.number * WIDTH : tile.number * WIDTH + tile.width]
        held = [stored.body[at : at + _HASH] for at in range(0, len(stored.body), _HASH)]
        if len(held) != tile.width:
            self._wrong(name, f"Holds {len(held)} hashes instead of {tile.width}.")
        for at, (is_there, should_be) in enumerate(zip(held, wanted, strict=False)):
            if is_there != should_be:
                first = (tile.number * WIDTH + at) << 8 * tile.level
                what = f"entry {first}" if tile.level == 0 else f"entries from {first} on"
                self._wrong(name, f"Byte {at * _HASH}: the hash of {what} is another.")
                break
        if len(wanted) < tile.width:
            self._wrong(name, "Has hashes of entries that are not there.")
        self._locked(name, stored, self._found.oldest)

    def _locked(self, name: str, stored: Stored, newest: str) -> None:
        if not stored.locks:
            return
        try:
            until = retain_until(parse_rfc3339(newest), self._years)
        except Malformed:
            return
        if not stored.compliance or stored.until is None:
            self._wrong(name, "Is not locked in COMPLIANCE mode.")
        elif stored.until < until:
            self._wrong(name, f"Is locked until {rfc3339(stored.until)}, not until {rfc3339(until)}.")
