"""Relays beside each other, in every order that Hypothesis thinks of: leases that run out under their holders included."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.turns import Turns
from tests.unit.audit.world import World


class Between:
    """A port whose every method is an access at which others may come between, before and after."""

    def __init__(self, port, turns):
        self._port, self._turns = port, turns

    def __getattr__(self, name):
        method = getattr(self._port, name)

        def called(*args, **kwargs):
            self._turns[0].access()
            answer = method(*args, **kwargs)
            self._turns[0].access()
            return answer

        return called


def race(relays, bursts):
    """Relays that move in bursts, every lease running out in between: whoever is not moving has become a zombie."""
    world = World(batch=2)
    turns = []
    plain = (world.store, world.bucket, world.person_keys)
    world.store, world.bucket, world.person_keys = (Between(port, turns) for port in plain)
    for number in range(3):
        world.record_with(plain[0], number)
    turns.append(Turns([world.relay] * relays))
    for port in plain:
        port.after_write = turns[0].access
    numbers = itertools.count(10)

    def between():
        world.later(seconds=31)
        world.record_with(plain[0], next(numbers))

    turns[0].run(bursts, between)
    world.store, world.bucket, world.person_keys = plain
    world.later(seconds=31)
    world.relay()
    assert turns[0].failures == []
    world.check()


@pytest.mark.parametrize("moves", range(0, 75, 3))
def test_a_relay_that_sleeps_anywhere_while_another_works_does_no_harm_when_it_wakes(moves):
    for offset in range(3):
        race(2, [(0, moves + offset), (1, 999)])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 60)), max_size=8))
def test_relays_beside_each_other_leave_one_whole_log(bursts):
    race(3, bursts)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3)), min_size=20, max_size=60))
def test_relays_in_step_leave_one_whole_log(bursts):
    race(2, bursts)
