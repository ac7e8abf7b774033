"""What `Keys` promises, of each implementation."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest

from platforma.adapters.memory.apikeys import MemoryKeys
from platforma.apikeys import bound_by, revoke_key
from platforma.kernel.errors import (
    AlreadyUsed,
    Conflict,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
)
from platforma.kernel.ids import new_id
from tests.contract.apikeys.places import LIMIT, race, rotate, won
from tests.unit.apikeys.world import NOW, World


def test_what_is_added_is_found_and_read(world):
    parent = world.issue().key
    key = world.issue(
        expires_in=60,
        ip_range=("10.0.0.0/8", "2001:db8::/32"),
        rate_limit=LIMIT,
        scopes=("orders:read", "invoices.*"),
        bound=replace(bound_by(parent), token_id="jti"),
    ).key

    assert world.keys.find(key.id) == key
    assert world.keys.get(world.tenant_id, key.id) == key


def test_what_is_not_there_is_not_found(world):
    key = world.issue().key

    assert world.keys.find(new_id("key")) is None
    for tenant_id, key_id in ((world.tenant_id, new_id("key")), (new_id("ten"), key.id)):
        with pytest.raises(NotFound):
            world.keys.get(tenant_id, key_id)


def test_an_id_is_taken_once(world):
    key = world.issue().key

    with pytest.raises(Conflict):
        world.keys.add(key, world.attempt().event("success"))


def test_pages_hold_every_key_of_the_tenant_once_and_no_others(world):
    mine = sorted(world.issue().key.id for _ in range(7))
    world.tenant_id, first = new_id("ten"), world.tenant_id
    world.issue()

    pages, after = [], None
    while True:
        page, after = world.keys.page(first, limit=3, after=after)
        pages.append([key.id for key in page])
        if after is None:
            break

    assert pages == [mine[:3], mine[3:6], mine[6:]]


def test_a_page_that_ends_with_the_last_key_has_no_next(world):
    world.issue()

    assert world.keys.page(world.tenant_id, limit=1)[1] is None


def test_an_owners_pages_hold_the_owners_keys_alone(world):
    first = world.user_id
    mine = sorted(world.issue().key.id for _ in range(3))
    world.user_id = new_id("usr")
    world.issue()

    page, after = world.keys.page(world.tenant_id, limit=2, owner_id=first)
    rest, end = world.keys.page(world.tenant_id, limit=2, after=after, owner_id=first)

    assert [key.id for key in (*page, *rest)] == mine
    assert end is None


def test_a_change_is_kept_whole_and_removes_what_is_gone(world):
    before = world.issue(ip_range=("10.0.0.0/8",), rate_limit=LIMIT, expires_in=60).key
    after = replace(before, ip_range=(), rate_limit=None, expires_at=None, name="new", enabled=False, version=2)

    world.keys.change(before, after, world.attempt().event("success"))

    assert world.keys.find(before.id) == after


def test_of_racing_changes_one_is_made(world):
    before = world.issue().key

    def change(number):
        after = replace(before, name=f"name {number}", version=2)
        world.keys.change(before, after, world.attempt().event("success"))
        return after

    results = race(change)

    assert won(results) == [world.keys.find(before.id)]
    assert {type(result) for result in results} == {type(before), PreconditionFailed}


def test_a_change_whose_event_is_refused_is_not_made(world):
    before = world.issue().key
    event = world.attempt().event("success")
    world.keys.change(before, replace(before, name="new", version=2), event)
    current = world.keys.find(before.id)

    with pytest.raises(AlreadyUsed):
        world.keys.change(current, replace(current, name="newer", version=3), event)

    if not isinstance(world.keys, MemoryKeys):  # memory has no way back
        assert world.keys.find(before.id) == current


def test_the_attempt_of_what_was_written_is_entered(world):
    attempt = world.attempt()
    key = world.issue().key

    world.keys.change(key, replace(key, name="new", version=2), attempt.event("success"))

    assert attempt.entered


def test_of_racing_rotations_one_is_done(world):
    key = world.issue().key

    results = race(lambda _: rotate(world, key.id))

    (winner,) = won(results)
    assert world.keys.find(key.id).successor_id == winner.key.id
    assert len(world.keys.page(world.tenant_id, limit=50)[0]) == 2


def test_a_renewed_ticket_is_no_change_of_the_key(world):
    key = world.issue().key
    renewed = replace(key.secret, ticket="new", ticket_expires=5)

    world.keys.renew_ticket(key, renewed)

    kept = world.keys.get(world.tenant_id, key.id)
    assert kept == replace(key, secret=renewed)


@pytest.mark.parametrize("end", [{"revoked_at": NOW}, {"enabled": False}])
def test_no_racing_check_brings_back_the_ticket_of_a_key_that_was_ended(world, end):
    key = world.issue().key
    ended = replace(key, **end, secret=replace(key.secret, ticket="", ticket_expires=0), version=2)
    world.keys.change(key, ended, world.attempt().event("success"))

    with pytest.raises(Conflict):
        world.keys.renew_ticket(key, key.secret)

    assert world.keys.find(key.id).secret.ticket == ""


@pytest.mark.parametrize("ticket", ["good", "over"])
def test_once_a_revocation_has_answered_no_check_that_begins_later_accepts(world, ticket):
    """Checks run before, while and after; where the ticket is over, each hashes and writes another one."""
    issued = world.issue()
    if ticket == "over":
        world.passes(hours=2)
    accepted_once, answered, seen = Event(), Event(), []

    def check(_number):
        late = 0
        while late < 3:
            begun_after = answered.is_set()
            try:
                accepted = world.verify(issued.text).id == issued.key.id
            except Unauthenticated:
                accepted = False
            accepted_once.set()
            late += begun_after
            seen.append((begun_after, accepted))

    with ThreadPoolExecutor(8) as pool:
        checks = [pool.submit(check, number) for number in range(8)]
        accepted_once.wait(10)
        revoke_key(world.tenant_id, issued.key.id, **world.use())
        answered.set()
        for one in checks:
            one.result(30)

    assert (False, True) in seen and (True, False) in seen
    assert (True, True) not in seen
    assert world.keys.find(issued.key.id).secret.ticket == ""


def test_a_use_is_noted_once_a_minute(world):
    key = world.issue().key

    for seconds, address in ((0, "192.0.2.1"), (59, "192.0.2.2"), (60, "192.0.2.3")):
        world.keys.note_use(key, used_at=NOW + timedelta(seconds=seconds), ip_address=address)

    kept = world.keys.get(world.tenant_id, key.id)
    assert (kept.last_used_at, kept.last_used_ip) == (NOW + timedelta(seconds=60), "192.0.2.3")


def test_a_change_keeps_the_last_use(world):
    key = world.issue().key
    world.keys.note_use(key, used_at=NOW, ip_address="192.0.2.1")

    world.keys.change(key, replace(key, name="new", version=2), world.attempt().event("success"))

    kept = world.keys.get(world.tenant_id, key.id)
    assert (kept.last_used_at, kept.last_used_ip) == (NOW, "192.0.2.1")


def test_a_check_is_given_no_address(world):
    key = world.issue().key
    world.keys.note_use(key, used_at=NOW, ip_address="192.0.2.1")

    assert world.keys.find(key.id).last_used_ip is None


def test_a_predecessor_ends_once_and_not_later_than_it_would(world):
    old = world.issue(expires_in=60)
    new = rotate(world, old.key.id, until_used=True).key

    world.keys.end_predecessor(new, NOW + timedelta(seconds=30), world.attempt().event("success"))
    world.keys.end_predecessor(new, NOW + timedelta(seconds=40), world.attempt().event("success"))

    assert world.keys.find(old.key.id).expires_at == NOW + timedelta(seconds=30)
    assert not world.keys.find(new.id).ends_predecessor


def test_a_revoked_predecessor_is_left_as_it_is(world):
    old = world.issue()
    new = rotate(world, old.key.id, until_used=True).key
    revoked = revoke_key(world.tenant_id, old.key.id, **world.use())

    world.keys.end_predecessor(new, NOW, world.attempt().event("success"))

    assert world.keys.find(old.key.id) == revoked
    assert not world.keys.find(new.id).ends_predecessor


@pytest.mark.parametrize("places", ["dynamodb"], indirect=True)
def test_an_address_is_sealed_in_the_table(world, places, table):
    key = world.issue().key
    world.keys.note_use(key, used_at=NOW, ip_address="192.0.2.123")

    items = table.scan(TableName="credential")["Items"]

    assert b"192.0.2.123" not in repr(items).encode()


@pytest.mark.parametrize("places", ["dynamodb"], indirect=True)
def test_without_vault_the_time_of_use_is_noted_alone(world, places):
    key = world.issue().key
    places.data_keys.gone = True

    world.keys.note_use(key, used_at=NOW, ip_address="192.0.2.1")

    assert world.keys.find(key.id).last_used_at == NOW


@pytest.mark.parametrize("places", ["dynamodb"], indirect=True)
def test_what_is_over_is_swept_and_what_is_not_stays(world, places, table):
    lasting, ending = world.issue().key, world.issue(expires_in=60).key
    revoke_key(world.tenant_id, lasting.id, **world.use())

    items = table.scan(TableName="credential")["Items"]

    swept = [int(item["expires"]["N"]) for item in items if "EVENT" not in item["sk"]["S"]]
    assert sorted(set(swept)) == [int((NOW + timedelta(days=90, seconds=more)).timestamp()) for more in (0, 60)]
    assert len(swept) == 6
    assert ending.expires_at == NOW + timedelta(seconds=60)


def test_of_a_key_that_is_forgotten_nothing_is_left(world: World):
    key = world.issue().key
    other = world.issue().key

    for _ in range(2):
        world.keys.forget(key)

    assert world.keys.find(key.id) is None
    assert [each.id for each in world.keys.page(world.tenant_id, limit=10)[0]] == [other.id]
    assert [each.id for each in world.keys.page(world.tenant_id, limit=10, owner_id=key.owner_id)[0]] == [other.id]
