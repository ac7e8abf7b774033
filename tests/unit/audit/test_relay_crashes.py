"""A relay is killed after every single write, once and twice over: the log must come out the same."""

import itertools

import pytest

from tests.unit.audit.world import TENANT, World

LEASE_OVER = {"seconds": 31}


def a_world(events: int = 4) -> World:
    world = World(batch=3)
    for number in range(events):
        world.record(number, changes={"after": {"email": f"{number}@example.test"}}, resource_type="user", resource=None)
    world.writes.clear()
    return world


def writes_of_a_whole_run() -> int:
    world = a_world()
    world.relay()
    world.check()
    return len(world.writes)


WRITES = writes_of_a_whole_run()


@pytest.mark.parametrize("after", range(WRITES))
def test_killed_after_any_write_the_next_relay_ends_with_the_same_log(after):
    world = a_world()

    assert world.relay_that_dies(after)
    world.later(**LEASE_OVER)
    world.record(90)
    world.relay()

    world.check()


def test_killed_after_any_two_writes_in_turn_the_log_is_whole():
    for first, second in itertools.product(range(WRITES), range(0, WRITES, 2)):
        world = a_world()
        world.relay_that_dies(first)
        world.later(**LEASE_OVER)
        world.relay_that_dies(second)
        world.later(**LEASE_OVER)
        world.relay()
        world.check()


@pytest.mark.parametrize("after", range(WRITES))
def test_a_committed_intent_settles_every_byte_whoever_finishes_it(after):
    world = a_world()
    world.relay_that_dies(after)
    before = {key: kept.body for key, kept in world.bucket.objects.items()}
    intent = world.store.head(TENANT).intent

    world.later(**LEASE_OVER)
    world.relay()

    for key, body in before.items():
        assert world.bucket.objects[key].body == body
    if intent is not None:
        assert world.lines()[intent.first : intent.size]
    world.check()


def test_a_row_that_comes_back_does_not_enter_twice():
    world = a_world()
    rows = world.store.pending(TENANT, limit=10).rows
    world.relay()

    for row in rows:
        world.store.put_back(TENANT, row)
    world.record(50)
    world.relay()

    world.check()


def test_an_event_written_twice_enters_once():
    world = World()
    event = world.record(1)
    world.outbox.enter(event)
    world.relay()
    world.outbox.enter(event)
    world.relay()

    world.check()
    assert len(world.lines()) == 1
