"""
The Merkle tree over a log's entries (RFC 6962 section 2.1): hashes, roots, and proofs made and verified.

A *frontier* is what appending needs to know of a tree: the roots of its complete subtrees, largest first, one for each bit
set in its size. A *node* function gives the hash of the complete subtree of 2^level leaves that is the index-th of its kind.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

from platforma.audit.errors import LogBroken

Node = Callable[[int, int], bytes]
EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def extended(frontier: Sequence[bytes], size: int, leaves: Iterable[bytes]) -> tuple[bytes, ...]:
    """The frontier of a tree of *size* leaves with these leaf hashes appended."""
    stack = list(frontier)
    for leaf in leaves:
        right, bits = leaf, size
        while bits & 1:
            right = node_hash(stack.pop(), right)
            bits >>= 1
        stack.append(right)
        size += 1
    return tuple(stack)


def root_of(frontier: Sequence[bytes]) -> bytes:
    """The root of the tree with this frontier."""
    if not frontier:
        return EMPTY
    *rest, right = frontier
    for left in reversed(rest):
        right = node_hash(left, right)
    return right


def subtree(start: int, end: int, node: Node) -> bytes:
    """The hash over leaves *start* to *end* (excluded), where *start* is a multiple of the power of two that holds them."""
    width = end - start
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(width)
    return node_hash(subtree(start, middle, node), subtree(middle, end, node))


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """The audit path of leaf *index* in the tree of *size* leaves (RFC 6962 section 2.1.1)."""
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(subtree(middle, end, node))
            end = middle
        else:
            path.append(subtree(start, middle, node))
            start = middle
    return path[::-1]


def consistency(old: int, new: int, node: Node) -> list[bytes]:
    """The proof that the tree of *old* leaves is a beginning of that of *new* (RFC 6962 section 2.1.2)."""
    if old in (0, new):
        return []
    path, start, end, whole = [], 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(subtree(middle, end, node))
            end = middle
        else:
            path.append(subtree(start, middle, node))
            start, whole = middle, False
    if not whole:
        path.append(subtree(start, end, node))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """
    RFC 9162 section 2.1.3.2.

    Raises:
        LogBroken: the leaf is not at *index* of the tree with this root.
    """
    if not 0 <= index < size:
        raise LogBroken("An inclusion proof is for an index outside of the tree.")
    fn, sn, right = index, size - 1, leaf
    for hash_ in path:
        if sn == 0:
            raise LogBroken("An inclusion proof is too long.")
        if fn & 1 or fn == sn:
            right = node_hash(hash_, right)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            right = node_hash(right, hash_)
        fn, sn = fn >> 1, sn >> 1
    if sn or right != root:
        raise LogBroken("An inclusion proof does not lead to the root.")


def verify_consistency(old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """
    RFC 9162 section 2.1.4.2.

    Raises:
        LogBroken: the tree with *old_root* is not a beginning of the one with *new_root*.
    """
    wrong = LogBroken("A consistency proof does not lead from root to root.")
    if not 0 <= old <= new:
        raise wrong
    if old in (0, new):
        if path or (old == new and old_root != new_root) or (old == 0 and old_root != EMPTY):
            raise wrong
        return
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    if not hashes or _roots(hashes, old - 1, new - 1) != (old_root, new_root):
        raise wrong


def _roots(hashes: Sequence[bytes], fn: int, sn: int) -> tuple[bytes, bytes] | None:
    """Old and new root as the proof leads to them; None if it is of the wrong length (steps 4 to 7)."""
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = hashes[0]
    for hash_ in hashes[1:]:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            fr, sr = node_hash(hash_, fr), node_hash(hash_, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, hash_)
        fn, sn = fn >> 1, sn >> 1
    return None if sn else (fr, sr)


def _split(width: int) -> int:
    """The largest power of two smaller than *width*."""
    return 1 << (width - 1).bit_length() - 1
