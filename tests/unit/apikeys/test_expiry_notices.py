from datetime import timedelta

import pytest

from platforma.apikeys import change_key, revoke_key, rotate_key
from platforma.apikeys.expiry_notices import ACTION, announce_expiries
from platforma.kernel.errors import AlreadyUsed, Unavailable
from platforma.keys.errors import NoSuchKey

DAY = 86400


def run(world, notices=None):
    return announce_expiries(notices=notices or world.keys.notices, clock=world.clock, request_id="run")


def told(world):
    return [(event.resource, event.changes["after"]["days"]) for event in world.events if event.action == ACTION]


def test_a_key_is_announced_30_14_and_3_days_ahead_each_once(world):
    key = world.issue(expires_in=60 * DAY).key

    when = []
    for day in range(62):
        if run(world) + run(world):
            when.append(day)
        world.passes(days=1)

    assert when == [30, 46, 57]
    assert told(world) == [(key.id, 30), (key.id, 14), (key.id, 3)]


def test_the_event_is_the_tenants_and_says_when_the_key_ends(world):
    key = world.issue(expires_in=31 * DAY).key
    world.passes(days=1)
    run(world)

    event = world.events[-1]
    assert (event.tenant_id, event.resource, event.principal_type, event.source) == (
        world.tenant_id, key.id, "system", "schedule",
    )  # fmt: skip
    assert event.changes["after"]["expires_at"] == key.as_json(world.now)["expires_at"]


def test_a_notice_that_is_due_at_issue_is_not_told(world):
    key = world.issue(expires_in=10 * DAY).key
    run(world)
    world.passes(days=7)
    run(world)

    assert told(world) == [(key.id, 3)]


def test_after_a_long_silence_the_last_notice_is_told_and_not_all(world):
    key = world.issue(expires_in=60 * DAY).key
    world.passes(days=58)
    run(world)
    run(world)

    assert told(world) == [(key.id, 2)]


@pytest.mark.parametrize("end", ["revoke", "rotate", "lasting", "expired"])
def test_who_has_nothing_to_lose_is_told_nothing(world, end):
    key = world.issue(expires_in=None if end == "lasting" else 31 * DAY).key
    if end == "revoke":
        revoke_key(world.tenant_id, key.id, **world.use())
    if end == "rotate":
        rotate_key(world.tenant_id, key.id, created_by="usr", secrets=world.secrets, **world.use())
    world.passes(days=31 if end == "expired" else 1)
    run(world)

    assert key.id not in [resource for resource, _ in told(world)]
    assert run(world) == 0


def test_a_successor_is_announced_itself(world):
    key = world.issue(expires_in=31 * DAY).key
    new = rotate_key(world.tenant_id, key.id, created_by="usr", secrets=world.secrets, **world.use()).key
    world.passes(days=1)
    run(world)

    assert told(world) == [(new.id, 30)]


def test_an_end_that_was_brought_nearer_is_announced_at_its_own_time(world):
    key = world.issue(expires_in=90 * DAY).key
    sooner = (world.now + timedelta(days=20)).isoformat().replace("+00:00", "Z")
    change_key(world.tenant_id, key.id, {"expires_at": sooner}, narrows=lambda *_: True, **world.use())

    for _ in range(22):
        run(world)
        world.passes(days=1)

    assert told(world) == [(key.id, 14), (key.id, 3)]
    world.passes(days=60)
    assert run(world) == 0


def test_what_could_not_be_told_is_told_by_the_next_run_and_holds_up_no_other(world):
    first, second = world.issue(expires_in=31 * DAY).key, world.issue(expires_in=31 * DAY).key
    world.passes(days=1)

    class Flaky:
        def tell(self, notice, key, event):
            if key.id == first.id:
                raise Unavailable
            world.keys.notices.tell(notice, key, event)

        def __getattr__(self, name):
            return getattr(world.keys.notices, name)

    with pytest.raises(Unavailable):
        run(world, Flaky())
    assert told(world) == [(second.id, 30)]

    assert run(world) == 1
    assert told(world) == [(second.id, 30), (first.id, 30)]


def test_of_two_runs_at_once_one_tells(world):
    world.issue(expires_in=31 * DAY)
    world.passes(days=1)

    class Behind:
        def tell(self, notice, key, event):
            world.keys.notices.tell(notice, key, event)
            with pytest.raises(AlreadyUsed):
                world.keys.notices.tell(notice, key, event)
            raise AlreadyUsed

        def __getattr__(self, name):
            return getattr(world.keys.notices, name)

    assert run(world, Behind()) == 0
    assert len(told(world)) == 1


def test_a_shredded_tenants_keys_are_announced_to_nobody(world):
    world.issue(expires_in=31 * DAY)
    world.passes(days=1)

    class Shredded:
        def tell(self, *_):
            raise NoSuchKey("gone")

        def __getattr__(self, name):
            return getattr(world.keys.notices, name)

    assert run(world, Shredded()) == 0
    assert run(world) == 0
