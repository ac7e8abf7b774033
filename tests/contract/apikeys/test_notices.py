"""What is promised of notices of a key's end, and of reports that one leaked, of each implementation."""

from dataclasses import replace
from datetime import timedelta

import pytest

from platforma.apikeys import revoke_key
from platforma.apikeys.leaks import LeakResponse
from platforma.kernel.errors import (
    AlreadyUsed,
    PreconditionFailed,
)
from tests.contract.apikeys.places import race, won
from tests.unit.apikeys.world import NOW


def test_a_notice_is_due_at_its_time_and_the_next_one_follows_it(world, places):
    key = world.issue(expires_in=60 * 86400).key
    due = NOW + timedelta(days=30)
    assert list(places.notices.due(due - timedelta(milliseconds=1))) == []
    (notice,) = places.notices.due(due)

    world.now = due
    places.notices.tell(notice, key, world.attempt().event("success"))

    assert (notice.key_id, notice.days) == (key.id, 30)
    assert list(places.notices.due(due)) == []
    assert [later.days for later in places.notices.due(NOW + timedelta(days=46))] == [14]


def test_of_racing_tellers_one_tells(world, places):
    key = world.issue(expires_in=31 * 86400).key
    world.passes(days=2)
    (notice,) = places.notices.due(world.now)

    results = race(lambda _: places.notices.tell(notice, key, world.attempt().event("success")))

    assert [type(result) for result in won(results)] == [type(None)]
    assert {type(result) for result in results} == {type(None), AlreadyUsed}


def test_of_a_key_that_changed_meanwhile_nothing_is_told(world, places):
    key = world.issue(expires_in=31 * 86400).key
    world.passes(days=2)
    (notice,) = places.notices.due(world.now)
    revoke_key(world.tenant_id, key.id, **world.use())

    with pytest.raises(PreconditionFailed):
        places.notices.tell(notice, key, world.attempt().event("success"))

    places.notices.drop(notice)
    assert list(places.notices.due(world.now)) == []


def test_a_new_end_has_its_own_notice(world, places):
    before = world.issue(expires_in=90 * 86400).key
    after = replace(before, expires_at=NOW + timedelta(days=20), version=2)
    world.keys.change(before, after, world.attempt().event("success"))

    assert [(notice.key_id, notice.days) for notice in places.notices.due(NOW + timedelta(days=7))] == [(after.id, 14)]


def test_of_racing_reports_of_one_place_one_is_entered_with_its_revocation(world, places):
    key = world.issue().key
    revoked = replace(key, revoked_at=NOW, version=2)

    results = race(lambda _: places.leaks.report(key, revoked, "place", world.attempt().event("success")))

    assert won(results) == [None]
    assert {type(result) for result in results} <= {type(None), AlreadyUsed, PreconditionFailed}
    assert world.keys.find(key.id).revoked_at == NOW
    with pytest.raises(AlreadyUsed):
        places.leaks.report(revoked, revoked, "place", world.attempt().event("success"))
    places.leaks.report(revoked, revoked, "another", world.attempt().event("success"))


def test_of_racing_responses_one_is_kept(world, places):
    first = places.leaks.response(world.tenant_id)
    assert first == LeakResponse("revoke", 1)

    def respond(_):
        places.leaks.respond(world.tenant_id, first, LeakResponse("notify", 2), world.attempt().event("success"))

    assert won(race(respond)) == [None]
    assert places.leaks.response(world.tenant_id) == LeakResponse("notify", 2)
