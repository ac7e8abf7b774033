"""Tiles and checkpoints: the same whatever the steps in which the log grew, and after any break."""

import base64
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platforma.audit import note, tree
from platforma.audit.proof import Published
from platforma.audit.tiles import Tile, TiledTree, parse_path, tiles_between
from platforma.kernel.errors import NotFound, Unprocessable
from tests.unit.audit.world import ORIGIN, TENANT, Killed, World


def leaves_of(size):
    return [tree.leaf_hash(str(n).encode()) for n in range(size)]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=4), st.data())
def test_tiles_of_every_step_prove_every_leaf(steps, data):
    stored, size = {}, 0
    leaves = leaves_of(sum(steps))
    for step in steps:
        old = TiledTree(size, stored.get)
        stored |= {str(tile): body for tile, body in tiles_between(old, size + step, leaves[size : size + step]).items()}
        size += step
        index = data.draw(st.integers(0, size - 1))
        node = TiledTree(size, stored.get).node
        root = tree.root_of(tree.extended((), 0, leaves[:size]))
        assert tree.subtree(0, size, node) == root
        tree.verify_inclusion(leaves[index], index, size, tree.inclusion(index, size, node), root)


def test_three_levels_of_tiles_hold_together():
    size = 256 * 256 + 300
    leaves = leaves_of(size)
    stored = {str(tile): body for tile, body in tiles_between(TiledTree(0, {}.get), size, leaves).items()}

    assert tree.subtree(0, size, TiledTree(size, stored.get).node) == tree.root_of(tree.extended((), 0, leaves))
    assert {"tile/0/256", "tile/0/257.p/44", "tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1"} <= stored.keys()


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(63, 1234067), "tile/63/x001/x234/067"),
        (Tile(1, 5, 7), "tile/1/005.p/7"),
        (Tile(None, 999, 255), "tile/entries/999.p/255"),
    ],
)
def test_paths_are_written_as_c2sp_has_them(tile, path):
    assert str(tile) == path
    assert parse_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        *("tile/0/0", "tile/0/x000/001", "tile/00/001", "tile/64/001", "tile/0/001.p/0", "tile/0/001.p/256", "tile/0/001/"),
        *(
            "tile/0/001.p/300",
            "tile/0/../001",
            "tile/0/001\n",
            "tile/entries/1",
            "segments/000",
            "tile/-1/000",
            "tile/0/x001",
        ),
    ],
)
def test_other_paths_name_no_tile(path):
    assert parse_path(path) is None


def a_published_world(events=5):
    world = World(batch=2)
    for number in range(events):
        world.record(number)
    world.attendant().ring([TENANT])
    return world


def test_a_checkpoint_covers_what_was_entered_and_proves_each_event():
    world = a_published_world()
    published = Published(world.store, world.bucket)

    checkpoint = note.verify(published.checkpoint(TENANT), [note.parse_key(world.key())])

    assert (checkpoint.origin, checkpoint.size) == (ORIGIN, 5)
    for sequence, line in enumerate(world.lines()):
        proof = published.inclusion(TENANT, sequence)
        assert proof["entry"].encode() == line
        assert proof["tree_size"] == 5


def test_an_event_behind_the_checkpoint_has_no_proof_yet_and_gets_one_within_the_minute():
    world = a_published_world()
    world.record(9)
    world.attendant().ring([TENANT])
    published = Published(world.store, world.bucket)
    assert published.inclusion(TENANT, 5) is None

    world.later(seconds=46)
    world.attendant().sweep()

    assert published.inclusion(TENANT, 5)["tree_size"] == 6


def test_growth_between_any_two_checkpoints_is_proved():
    world = a_published_world()
    for number in range(6, 9):
        world.record(number)
        world.later(seconds=61)
        world.attendant().ring([TENANT])
    published = Published(world.store, world.bucket)

    for old in (5, 6, 7):
        proof = published.consistency(TENANT, old)
        one, two = (note.parse_checkpoint(note.text_of(proof[f"{end}_checkpoint"].encode())) for end in ("from", "to"))
        tree.verify_consistency(one.size, two.size, [base64.b64decode(h) for h in proof["hashes"]], one.root, two.root)
    for old, new in ((0, 5), (4, 8), (8, 5), (5, 99)):
        with pytest.raises(Unprocessable):
            published.consistency(TENANT, old, new)


def test_bundles_of_entries_are_those_of_the_segments():
    world = a_published_world()
    published = Published(world.store, world.bucket)

    bundle = published.tile(TENANT, "tile/entries/000.p/5")

    lines = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        lines.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    assert lines == world.lines()
    for path in ("tile/entries/000.p/6", "tile/entries/000", "tile/0/001", "tile/0/000.p/4", "checkpoints/1"):
        with pytest.raises(NotFound):
            published.tile(TENANT, path)


def test_killed_after_any_write_the_next_to_publish_ends_with_the_same():
    whole = a_published_world(events=7)
    writes = len(whole.writes)
    for after in range(writes):
        world = World(batch=2)
        for number in range(7):
            world.record(number)
        world.dies_after = after
        with contextlib.suppress(Killed):
            world.attendant().ring([TENANT])
        world.dies_after = None
        world.later(seconds=61)
        world.attendant().sweep()
        world.check()
        assert Published(world.store, world.bucket).inclusion(TENANT, 6)["tree_size"] == 7


def test_a_silent_log_says_every_ten_minutes_that_it_is_alive():
    world = a_published_world()
    before = world.store.head(TENANT).size
    for _ in range(31):
        world.later(minutes=1)
        world.attendant().sweep()

    beats = [line for line in world.lines()[before:] if b'"action":"audit.heartbeat"' in line]

    assert len(beats) == 3
