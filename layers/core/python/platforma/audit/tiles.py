"""
The tree's hashes as tiles of 256 (C2SP tlog-tiles): `tile/<L>/<N>`, `.p/<W>` for one that is not full yet.

A tile of level L holds hashes of complete subtrees of 2^(8L) leaves. In the bucket lie the tiles of every checkpoint; the
bundles of entries (`tile/entries/<N>`) are made of the segments when they are asked for.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from platforma.audit import tree
from platforma.audit.errors import LogBroken
from platforma.audit.ports import Bucket

WIDTH = 256
_HASH = 32
_HELD = 128
"""Tiles kept of a tree, each some 40 KB with what was computed of it: proofs are mostly asked for in order."""
_PATH = re.compile(r"\Atile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?\Z")


class Tile(NamedTuple):
    """Which hashes: *width* of them from the 256 * *number*-th of *level* on. *level* is None for a bundle of entries."""

    level: int | None
    number: int
    width: int = WIDTH

    def __str__(self) -> str:
        groups = [f"{self.number % 1000:03d}"]
        rest = self.number // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03d}")
            rest //= 1000
        level = "entries" if self.level is None else self.level
        return f"tile/{level}/{'/'.join(groups)}" + (f".p/{self.width}" if self.width < WIDTH else "")


def parse_path(path: str) -> Tile | None:
    """The tile that *path* names, if it is written as it must be."""
    if not (match := _PATH.match(path)):
        return None
    digits = match[2].replace("x", "").replace("/", "")
    tile = Tile(None if match[1] == "entries" else int(match[1]), int(digits), int(match[3] or WIDTH))
    return tile if str(tile) == path else None


class TiledTree:
    """
    The tree of *size* leaves, read from its tiles; *read* gives a tile's bytes by path.

    Of the tiles that were used last, it keeps the hashes of every complete subtree: a proof takes one of each height.
    """

    def __init__(self, size: int, read: Callable[[str], bytes | None]) -> None:
        self.size = size
        self._read = read
        self._held: dict[Tile, list[list[bytes]]] = {}

    def node(self, level: int, index: int) -> bytes:
        """
        The hash of the *index*-th complete subtree of 2^*level* leaves.

        Raises:
            LogBroken: the tile that tells it is not there, or of the wrong size.
        """
        tile_level, inner = divmod(level, 8)
        number, at = divmod(index << inner, WIDTH)
        return self._heights(tile_level, number)[inner][at >> inner]

    def hashes(self, level: int, index: int) -> list[bytes]:
        """The hashes of one tile as this tree has it."""
        return self._heights(level, index)[0]

    def _heights(self, level: int, index: int) -> list[list[bytes]]:
        """The hashes of one tile, then those of the complete subtrees of 2, 4, ... 128 of them."""
        tile = Tile(level, index, min(WIDTH, (self.size >> 8 * level) - index * WIDTH))
        heights = self._held.pop(tile, None)
        if heights is None:
            body = self._read(str(tile))
            if body is None or len(body) != tile.width * _HASH:
                raise LogBroken("A tile is missing or of the wrong size.", tile=str(tile))
            heights = [[body[at : at + _HASH] for at in range(0, len(body), _HASH)]]
            for _ in range(7):
                below = heights[-1]
                heights.append([tree.node_hash(*below[at : at + 2]) for at in range(0, len(below) - 1, 2)])
            while len(self._held) >= _HELD:
                del self._held[next(iter(self._held))]
        self._held[tile] = heights
        return heights


def tree_of(hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    """The frontier of the subtree above these hashes."""
    return tree.extended((), 0, hashes)


def tiles_between(old: TiledTree, size: int, leaves: Sequence[bytes]) -> dict[Tile, bytes]:
    """The tiles that the tree of *size* has and *old* has not; *leaves* are the hashes in between."""
    made: dict[Tile, bytes] = {}
    level, fresh = 0, list(leaves)
    while fresh:
        had, has = old.size >> 8 * level, size >> 8 * level
        first, partial = divmod(had, WIDTH)
        known = [*(old.hashes(level, first) if partial else []), *fresh]
        above = []
        for at in range(0, len(known), WIDTH):
            hashes = known[at : at + WIDTH]
            made[Tile(level, first + at // WIDTH, len(hashes))] = b"".join(hashes)
            if len(hashes) == WIDTH:
                above.append(tree.root_of(tree_of(hashes)))
        if first * WIDTH + len(known) != has:
            raise LogBroken("Leaves are missing between two checkpoints.", level=level)
        level, fresh = level + 1, above
    return made


def levels_above(leaves: list[bytes]) -> list[list[bytes]]:
    """The hashes that tiles of each level hold; of the topmost, fewer than a tile."""
    levels = [leaves]
    while len(below := levels[-1]) >= WIDTH:
        whole = range(0, len(below) // WIDTH * WIDTH, WIDTH)
        levels.append([tree.root_of(tree.extended((), 0, below[at : at + WIDTH])) for at in whole])
    return levels


def tiles_of(sizes: Iterable[int]) -> set[Tile]:
    """The tiles that checkpoints of these sizes have."""
    tiles: set[Tile] = set()
    before = 0
    for size in sizes:
        for level in range(64):
            has = size >> 8 * level
            if not has:
                break
            had = before >> 8 * level
            tiles |= {Tile(level, number) for number in range(had // WIDTH, has // WIDTH)}
            if has % WIDTH:
                tiles.add(Tile(level, has // WIDTH, has % WIDTH))
        before = size
    return tiles


def reader(bucket: Bucket, log_id: str) -> Callable[[str], bytes | None]:
    """What reads the tiles of a log."""
    return lambda path: bucket.get(f"{log_id}/{path}")
