from dataclasses import replace
from datetime import timedelta

import pytest

from platforma.apikeys import get_key, revoke_key, rotate_key
from platforma.kernel.errors import Conflict, PreconditionFailed, Unprocessable


@pytest.fixture
def rotate(world):
    return lambda key, **more: rotate_key(
        world.tenant_id, key.id, created_by=world.user_id, secrets=world.secrets, **{**world.use(), **more}
    )


def test_old_and_new_work_within_the_grace_and_name_each_other(world, rotate):
    old = world.issue()

    new = rotate(old.key, grace_period_seconds=60)

    assert world.verify(old.text).successor_id == new.key.id
    assert world.verify(new.text).predecessor_id == old.key.id
    world.passes(seconds=60)
    assert world.check(old.text).code == "expired"
    assert world.check(new.text).code == "valid"


def test_a_grace_of_nothing_ends_the_old_key_at_once(world, rotate):
    old = world.issue()

    rotate(old.key, grace_period_seconds=0)

    assert world.check(old.text).code == "expired"


def test_the_successor_inherits_all_but_the_secret(world, rotate):
    old = world.issue(expires_in=3600, ip_range=("192.0.2.0/24",), scopes=("orders:read", "invoices:read"))
    world.passes(seconds=10)

    new = rotate(old.key).key

    fresh = {name: getattr(new, name) for name in ("id", "prefix", "secret", "created_at", "predecessor_id")}
    assert replace(old.key, **fresh) == new
    assert new.secret.hash != old.key.secret.hash


def test_no_rotation_makes_a_life_longer(world, rotate):
    old = world.issue(expires_in=60)

    new = rotate(old.key, grace_period_seconds=86400)

    assert new.key.expires_at == old.key.expires_at
    assert get_key(world.tenant_id, old.key.id, keys=world.keys).expires_at == old.key.expires_at


def test_until_used_the_old_key_ends_when_the_new_one_is_seen_working(world, rotate):
    old = world.issue()
    new = rotate(old.key, until_used=True, grace_period_seconds=3600)
    assert world.check(old.text).code == "valid"

    world.verify(new.text)

    assert world.check(old.text).code == "expired"
    ended = world.events[-1]
    assert (ended.action, ended.resource, ended.principal_id) == ("settings.api_keys.end", old.key.id, new.key.id)
    assert ended.tenant_id == world.tenant_id


def test_a_refused_use_of_the_new_key_does_not_end_the_old_one(world, rotate):
    old = world.issue(ip_range=("192.0.2.0/24",))
    new = rotate(old.key, until_used=True)

    world.check(new.text, "203.0.113.1")
    world.check(new.text, permits=lambda _: "denied")

    assert world.check(old.text).code == "valid"


def test_a_predecessors_end_is_told_once(world, rotate):
    new = rotate(world.issue().key, until_used=True)

    for _ in range(3):
        world.verify(new.text)

    assert [event.action for event in world.events].count("settings.api_keys.end") == 1


def test_a_key_is_rotated_once(world, rotate):
    old = world.issue()
    rotate(old.key)

    with pytest.raises(Conflict):
        rotate(old.key)


def test_of_two_rotations_in_the_same_moment_one_is_done(world, rotate):
    old = world.issue()

    class Racing:
        def __init__(self, keys):
            self.keys = keys

        def get(self, *names):
            found = self.keys.get(*names)
            rotate(old.key)
            return found

        def __getattr__(self, name):
            return getattr(self.keys, name)

    with pytest.raises(PreconditionFailed):
        rotate(old.key, keys=Racing(world.keys))


def test_a_dead_key_is_not_rotated(world, rotate):
    revoked, expired = world.issue(), world.issue(expires_in=60)
    revoke_key(world.tenant_id, revoked.key.id, **world.use())
    world.passes(seconds=60)

    for key in (revoked.key, expired.key):
        with pytest.raises(Conflict):
            rotate(key)


@pytest.mark.parametrize("seconds", [-1, 30 * 86400 + 1])
def test_a_grace_has_bounds(world, rotate, seconds):
    with pytest.raises(Unprocessable):
        rotate(world.issue().key, grace_period_seconds=seconds)


def test_the_grace_counts_from_the_rotation(world, rotate):
    old = world.issue()
    world.passes(days=1)

    rotate(old.key, grace_period_seconds=60)

    assert get_key(world.tenant_id, old.key.id, keys=world.keys).expires_at == world.now + timedelta(seconds=60)
