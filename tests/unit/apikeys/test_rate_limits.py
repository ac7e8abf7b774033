from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platforma.apikeys import Holder, RateLimit, change_key, delete_limit, get_limit, set_limit, tenant_holder
from platforma.apikeys.rate_limit import BLOCKS
from platforma.kernel.errors import NotFound, PreconditionFailed, Unavailable, Unprocessable
from platforma.kernel.ids import new_id
from tests.unit.apikeys.world import World

MINUTE = 60


def limited(world, *, owner=None, tenant=None):
    holders = {
        "owner": (Holder(world.tenant_id, "user", world.user_id), owner),
        "tenant": (tenant_holder(world.tenant_id), tenant),
    }
    for holder, limit in holders.values():
        if limit is not None:
            settings = {"limit_settings": world.limit_settings, "attempt": world.attempt("settings.rate_limits.set")}
            set_limit(holder, RateLimit(limit, MINUTE), if_match=None, **settings)


def admitted(limiter, key, world, times, cost=1):
    return sum(limiter.charge(key, cost, world.now).allowed for _ in range(times))


def test_the_keys_of_one_owner_share_the_owners_limit(world):
    limited(world, owner=10)
    first, second = world.issue().key, world.issue().key

    assert admitted(world.limiter, first, world, 7) + admitted(world.limiter, second, world, 7) == 10


def test_the_keys_of_all_owners_share_the_tenants_limit(world):
    limited(world, tenant=10)
    first = world.issue().key
    world.user_id = new_id("usr")
    second = world.issue().key

    assert admitted(world.limiter, first, world, 7) + admitted(world.limiter, second, world, 7) == 10


def test_another_tenants_keys_are_not_charged(world):
    limited(world, tenant=1)
    admitted(world.limiter, world.issue().key, world, 1)
    other = World(secrets=world.secrets, limits=world.limits, limit_settings=world.limit_settings)

    assert world.limiter.charge(other.issue().key, 1, world.now) is None


def test_where_no_limit_is_set_nothing_is_written(world):
    key = world.issue().key

    assert world.limiter.charge(key, 1, world.now) is None
    assert world.limits.writes == 0


@pytest.mark.parametrize("tight", ["key", "owner", "tenant"])
def test_what_one_limit_refuses_is_charged_to_none(world, tight):
    """Each of the three refuses in turn, after two; the others then still have all that was not admitted."""
    sizes = {"key": 100, "owner": 100, "tenant": 100, tight: 2}
    limited(world, owner=sizes["owner"], tenant=sizes["tenant"])
    key = world.issue(rate_limit=RateLimit(sizes["key"], MINUTE)).key

    assert admitted(world.limiter, key, world, 50) == 2

    refused = world.limiter.charge(key, 1, world.now)
    assert (refused.allowed, refused.of) == (False, tight)
    limited(world, owner=100, tenant=100)  # the same again where it was 100; the tight one is loosened
    loosened = change_key(
        world.tenant_id, key.id, {"rate_limit": RateLimit(100, MINUTE)}, narrows=lambda *_: True, **world.use()
    )
    assert admitted(world.limiter, loosened, world, 200) == 98


def test_a_shared_limit_that_cannot_be_counted_admits_nothing_and_charges_nothing(world):
    limited(world, owner=10, tenant=10)
    issued = world.issue()

    class TenantsGone:
        def lease(self, holder, *names, **more):
            if holder.type == "tenant":
                raise Unavailable
            return world.limits.lease(holder, *names, **more)

    instance = world.instance(TenantsGone())
    for _ in range(20):
        with pytest.raises(Unavailable):
            world.check(issued.text, limiter=instance)

    assert world.limits.writes == 1  # one unit is leased, and was given back each time


def test_settings_that_cannot_be_read_admit_nothing(world):
    issued = world.issue()

    class Gone:
        moved = 0

        def get(self, _holder):
            raise Unavailable

    world.limit_settings = Gone()

    with pytest.raises(Unavailable):
        world.check(issued.text, limiter=world.instance())


def test_a_cost_of_nothing_looks_and_charges_no_shared_limit(world):
    limited(world, owner=10)
    key = world.issue().key
    world.limiter.charge(key, 4, world.now)

    looks = [world.limiter.charge(key, 0, world.now) for _ in range(3)]

    assert {(look.allowed, look.remaining) for look in looks} == {(True, 6)}


def test_a_shared_window_opens_with_its_first_charge_and_ends_after_its_period(world):
    limited(world, owner=2)
    key = world.issue().key
    admitted(world.limiter, key, world, 2)
    world.passes(seconds=59.999)
    assert not world.limiter.charge(key, 1, world.now).allowed

    world.passes(seconds=0.001)

    assert admitted(world.limiter, key, world, 5) == 2


def test_a_lease_is_of_its_own_window_alone(world):
    limited(world, owner=BLOCKS * 10)
    key = world.issue().key
    world.limiter.charge(key, 1, world.now)
    world.passes(seconds=MINUTE)
    others = world.instance()
    assert admitted(others, key, world, BLOCKS * 20) == BLOCKS * 10

    assert not world.limiter.charge(key, 1, world.now).allowed


def test_an_instance_that_dies_with_its_lease_admits_nothing_more(world):
    limited(world, owner=BLOCKS * 10)
    key = world.issue().key
    world.limiter.charge(key, 1, world.now)  # leases ten, grants one, and is lost

    assert admitted(world.instance(), key, world, BLOCKS * 20) == BLOCKS * 10 - 10


def test_a_block_is_leased_by_one_write(world):
    limited(world, owner=BLOCKS * 100)
    key = world.issue().key

    admitted(world.limiter, key, world, 1000)

    assert world.limits.writes == 10


def test_a_refusal_is_told_again_without_asking(world):
    limited(world, owner=1)
    key = world.issue().key
    asked = []

    class Counting:
        def lease(self, *names, **more):
            asked.append(names)
            return world.limits.lease(*names, **more)

    instance = world.instance(Counting())
    admitted(instance, key, world, 100)

    assert len(asked) == 2


def test_a_lowered_limit_holds_at_once_and_counts_what_was_charged(world):
    limited(world, owner=100)
    key = world.issue().key
    admitted(world.limiter, key, world, 10)

    limited(world, owner=5)

    assert admitted(world.limiter, key, world, 10) == 0


def test_while_nothing_moves_settings_are_read_once(world):
    limited(world, owner=10)
    key = world.issue().key
    world.limit_settings.reads = 0

    admitted(world.limiter, key, world, 9)

    assert world.limit_settings.reads == 2


@given(
    limit=st.integers(1, 400),
    instances=st.integers(1, 5),
    steps=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 20)), max_size=120),
)
def test_no_window_admits_more_than_its_limit(limit, instances, steps):
    """Instances charge in any order, at any time, any cost; now and then one is lost, and another in its place is empty."""
    world = World()
    limited(world, owner=limit)
    key = world.issue().key
    running = [world.instance() for _ in range(instances)]
    admitted_by_window: dict[object, int] = {}

    for who, cost, seconds in steps:
        world.passes(seconds=seconds if seconds > 12 else 0)
        if seconds == 12:
            running[who % instances] = world.instance()
        charge = running[who % instances].charge(key, cost, world.now)
        if charge.allowed:
            admitted_by_window[charge.resets_at] = admitted_by_window.get(charge.resets_at, 0) + cost
        assert charge.resets_at - timedelta(seconds=MINUTE) <= world.now < charge.resets_at

    assert all(sum_ <= limit for sum_ in admitted_by_window.values())


@pytest.mark.parametrize("limit", [7, 150, 1000])
def test_twenty_racers_never_admit_more_than_the_limit(world, limit):
    limited(world, owner=limit, tenant=limit + 3)
    key = world.issue(rate_limit=RateLimit(limit + 5, MINUTE)).key
    instances = [world.instance() for _ in range(4)]

    with ThreadPoolExecutor(20) as pool:
        counts = list(pool.map(lambda number: admitted(instances[number % 4], key, world, limit // 10 + 1), range(20)))

    assert sum(counts) <= limit
    assert sum(counts) >= limit - 4 * (limit // BLOCKS)


def test_of_a_limit_the_version_must_match(world):
    limited(world, owner=10)
    holder = Holder(world.tenant_id, "user", world.user_id)
    more = {"limit_settings": world.limit_settings, "attempt": world.attempt()}

    for stale in (0, 2):
        with pytest.raises(PreconditionFailed):
            set_limit(holder, RateLimit(1, 1), if_match=stale, **more)
        with pytest.raises(PreconditionFailed):
            delete_limit(holder, if_match=stale, **more)

    assert set_limit(holder, RateLimit(1, 1), if_match=1, **more).version == 2


def test_a_limit_that_was_taken_away_limits_nothing(world):
    limited(world, owner=1)
    key = world.issue().key
    admitted(world.limiter, key, world, 1)
    more = {"limit_settings": world.limit_settings, "attempt": world.attempt()}

    delete_limit(Holder(world.tenant_id, "user", world.user_id), if_match=None, **more)

    assert world.limiter.charge(key, 1, world.now) is None
    with pytest.raises(NotFound):
        get_limit(Holder(world.tenant_id, "user", world.user_id), limit_settings=world.limit_settings)


@pytest.mark.parametrize(
    "limit", [RateLimit(0, 60), RateLimit(1, 0), RateLimit(10**9 + 1, 60), RateLimit(1, 31 * 86400 + 1)]
)
def test_a_limit_has_bounds(world, limit):
    more = {"limit_settings": world.limit_settings, "attempt": world.attempt()}

    with pytest.raises(Unprocessable):
        set_limit(tenant_holder(world.tenant_id), limit, if_match=None, **more)
