"""What `Limits` and `LimitSettings` promise, of each implementation."""

from datetime import timedelta

import pytest

from platforma.apikeys import Holder, RateLimit, SharedLimit
from platforma.kernel.errors import (
    Unavailable,
)
from platforma.kernel.ids import new_id
from tests.contract.apikeys.places import LIMIT, moved, race, won
from tests.unit.apikeys.world import NOW


def test_racing_charges_are_granted_to_the_limit_and_no_further(places):
    key_id = new_id("key")

    charges = won(race(lambda _: places.limits.charge(key_id, LIMIT, 1, NOW)))

    assert sorted(charge.remaining for charge in charges if charge.allowed) == list(range(7))


def test_a_charge_is_made_whole_or_not_at_all(places):
    key_id = new_id("key")

    granted = [places.limits.charge(key_id, LIMIT, cost, NOW) for cost in (8, 5, 3, 2, 1)]

    assert [(charge.allowed, charge.remaining) for charge in granted] == [
        (False, 7),
        (True, 2),
        (False, 2),
        (True, 0),
        (False, 0),
    ]


def test_looking_charges_nothing(places):
    key_id = new_id("key")

    looks = [places.limits.charge(key_id, LIMIT, cost, NOW) for cost in (0, 2, 0, 0)]

    assert [look.remaining for look in looks] == [7, 5, 5, 5]


def test_a_window_opens_with_its_first_charge_and_ends_after_its_period(places):
    key_id = new_id("key")
    places.limits.charge(key_id, LIMIT, 7, NOW)

    late = places.limits.charge(key_id, LIMIT, 1, NOW + timedelta(milliseconds=59999))
    anew = places.limits.charge(key_id, LIMIT, 1, NOW + timedelta(seconds=60))

    assert (late.allowed, late.resets_at) == (False, NOW + timedelta(seconds=60))
    assert (anew.allowed, anew.remaining, anew.resets_at) == (True, 6, NOW + timedelta(seconds=120))


def test_a_lower_limit_counts_what_was_charged_before(places):
    key_id = new_id("key")
    places.limits.charge(key_id, LIMIT, 5, NOW)

    assert not places.limits.charge(key_id, RateLimit(5, 60), 1, NOW).allowed


def test_racing_leases_are_granted_to_the_limit_and_no_further(places):
    holder = Holder(new_id("ten"), "user", new_id("usr"))

    leases = won(race(lambda _: places.limits.lease(holder, RateLimit(50, 60), least=1, block=7, now=NOW)))

    assert sum(lease.granted for lease in leases) == 50
    assert {lease.opened for lease in leases} == {NOW}


def test_a_lease_is_what_is_left_where_that_is_enough(places):
    holder = Holder(new_id("ten"), "tenant", new_id("ten"))

    taken = [places.limits.lease(holder, LIMIT, least=least, block=5, now=NOW)[1:] for least in (1, 3, 2, 1)]

    assert taken == [(5, 5), (5, 0), (7, 2), (7, 0)]


def test_a_lease_of_nothing_looks(places):
    holder = Holder(new_id("ten"), "user", new_id("usr"))
    places.limits.lease(holder, LIMIT, least=1, block=5, now=NOW)

    assert places.limits.lease(holder, LIMIT, least=0, block=0, now=NOW) == (NOW, 5, 0)


def test_holders_of_one_id_have_counters_apart(places):
    same = new_id("usr")
    holders = [Holder(tenant, kind, same) for tenant in ("ten_1", "ten_2") for kind in ("user", "oauth_client")]

    assert [places.limits.lease(holder, LIMIT, least=7, block=7, now=NOW).granted for holder in holders] == [7] * 4


def test_a_limit_is_kept_replaced_and_taken_away(world, settings):
    holder = Holder(world.tenant_id, "user", world.user_id)
    assert settings.get(holder) is None
    first, second = SharedLimit(holder, LIMIT), SharedLimit(holder, RateLimit(1, 1), 2)

    settings.put(None, first, world.attempt().event("success"))
    settings.put(first, second, world.attempt().event("success"))
    assert settings.get(holder) == second
    settings.delete(second, world.attempt().event("success"))

    assert settings.get(holder) is None


def test_of_racing_limits_one_is_set(world, settings):
    holder = Holder(world.tenant_id, "user", world.user_id)

    def put(number):
        limit = SharedLimit(holder, RateLimit(number + 1, 60))
        settings.put(None, limit, world.attempt().event("success"))
        return limit

    assert won(race(put)) == [settings.get(holder)]


def test_a_limit_moves_its_tenants_rules(world, settings):
    holder = Holder(world.tenant_id, "user", world.user_id)
    before = moved(world, settings)

    settings.put(None, SharedLimit(holder, LIMIT), world.attempt().event("success"))
    settings.delete(SharedLimit(holder, LIMIT), world.attempt().event("success"))

    assert moved(world, settings) == before + 2


@pytest.mark.parametrize("places", ["dynamodb"], indirect=True)
def test_a_table_that_does_not_answer_is_unavailable(places, table):
    table.delete_table(TableName="credential")

    for ask in (lambda: places.keys.find(new_id("key")), lambda: places.limits.charge("key", LIMIT, 1, NOW)):
        with pytest.raises(Unavailable):
            ask()
