"""RFC 6962 trees: the CT reference vectors, and proofs against a slow tree that is the RFC's text."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platforma.audit import tree
from platforma.audit.errors import LogBroken

# Source: certificate-transparency, cpp/merkletree/merkle_tree_test.cc.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def slow_root(leaves):
    """MTH of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + slow_root(leaves[:k]) + slow_root(leaves[k:])).digest()


def node_of(leaves):
    return lambda level, index: slow_root(leaves[index << level : (index + 1) << level])


def some_leaves(size):
    return [tree.leaf_hash(str(n).encode()) for n in range(size)]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference(size):
    frontier = tree.extended((), 0, [tree.leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES[:size]])

    assert tree.root_of(frontier).hex() == (ROOTS[size - 1] if size else tree.EMPTY.hex())


@given(st.integers(0, 70), st.integers(0, 70))
def test_appending_in_parts_gives_the_same_tree(one, two):
    leaves = some_leaves(one + two)

    frontier = tree.extended(tree.extended((), 0, leaves[:one]), one, leaves[one:])

    assert tree.root_of(frontier) == slow_root(leaves)
    assert len(frontier) == (one + two).bit_count()


@given(st.integers(1, 70), st.data())
def test_every_leaf_is_proved_and_nothing_else_is(size, data):
    leaves = some_leaves(size)
    index = data.draw(st.integers(0, size - 1))
    root = slow_root(leaves)
    path = tree.inclusion(index, size, node_of(leaves))

    tree.verify_inclusion(leaves[index], index, size, path, root)

    wrong = [
        (tree.leaf_hash(b"other"), index, size, path),
        (leaves[index], index + 1, size, path),
        (leaves[index], index, size, [*path, root]),
        *([(leaves[index], index, size, path[:-1])] if path else []),
    ]
    for leaf, at, of, by in wrong:
        with pytest.raises(LogBroken):
            tree.verify_inclusion(leaf, at, of, by, root)


@given(st.integers(0, 70), st.data())
def test_growth_is_proved_and_change_is_not(new, data):
    old = data.draw(st.integers(0, new))
    leaves = some_leaves(new)
    old_root, new_root = slow_root(leaves[:old]), slow_root(leaves)
    path = tree.consistency(old, new, node_of(leaves))

    tree.verify_consistency(old, new, path, old_root, new_root)

    for case in [(old, new, path, tree.leaf_hash(b"x"), new_root), (old, new, [*path, new_root], old_root, new_root)]:
        with pytest.raises(LogBroken):
            tree.verify_consistency(*case)
    if 0 < old < new:
        with pytest.raises(LogBroken):
            tree.verify_consistency(old, new, path, old_root, tree.leaf_hash(b"x"))
