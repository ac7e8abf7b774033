"""Failed sign-ins are counted by account, all of them and once, wherever in the log they stand."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from platforma.audit.failed_sign_ins import FailedSignIns, count_failed_sign_ins
from platforma.audit.index import FAILED_SIGN_INS, SIGN_IN
from platforma.audit.ports import Path, Span
from platforma.audit.sealing import open_rows
from tests.unit.audit.world import TENANT, World, user_id

ADA, EVE = user_id(1), user_id(2)
DAY = timedelta(days=1)


def failed(world: World, first: int, count: int, user: str) -> None:
    for number in range(first, first + count):
        world.record(number, action=SIGN_IN, result="denied", user_id=user)


def counted(world: World, since: timedelta = DAY, patience: float = 1) -> FailedSignIns:
    until = world.now + timedelta(seconds=patience)
    return count_failed_sign_ins(TENANT, store=world.store, since=world.now - since, until=until, clock=world.clock)


def upgraded(world: World) -> None:
    """As if no relay had known of the path until now."""
    log = world.store._logs[TENANT]
    log.head = replace(log.head, sign_ins_since=None)
    world.store._hot.pop((TENANT, FAILED_SIGN_INS), None)


def test_they_are_counted_by_account_whether_they_wait_or_were_entered():
    world = World()
    failed(world, 1, 2, ADA)
    world.record(10, action=SIGN_IN, user_id=ADA)
    world.relay()
    failed(world, 20, 3, EVE)

    assert counted(world) == FailedSignIns({ADA: 2, EVE: 3}, whole=True)


def test_what_was_entered_and_still_waits_counts_once():
    world = World()
    failed(world, 1, 2, ADA)
    waiting = world.store.pending(TENANT, limit=9).rows
    world.relay()
    for row in waiting:
        world.store.put_back(TENANT, row)

    assert counted(world).by_account == {ADA: 2}


def test_those_of_before_the_day_are_not_counted():
    world = World()
    failed(world, 1, 2, ADA)
    world.relay()
    world.later(hours=25)
    failed(world, 10, 1, ADA)
    world.relay()

    assert counted(world).by_account == {ADA: 1}


def test_a_busy_tenants_are_read_by_their_own_path_alone(monkeypatch: pytest.MonkeyPatch):
    world = World()
    world.record(1)
    world.relay()
    world.later(days=2)
    failed(world, 10, 2, ADA)
    for number in range(20, 40):
        world.record(number)
    world.relay()
    read: list[tuple[Path, int]] = []
    hot = world.store.hot

    def noted(log_id, path, span, **asked):
        page = hot(log_id, path, span, **asked)
        read.append((path, len(page.rows)))
        return page

    monkeypatch.setattr(world.store, "hot", noted)

    assert counted(world).by_account == {ADA: 2}
    assert read == [(FAILED_SIGN_INS, 2)]


def test_those_whose_relay_knew_no_path_for_them_are_found_among_all_events():
    world = World()
    failed(world, 1, 2, ADA)
    world.relay()
    upgraded(world)
    before = counted(world)
    world.later(hours=1)
    failed(world, 10, 3, EVE)
    world.relay()

    assert before.by_account == {ADA: 2}
    assert counted(world) == FailedSignIns({ADA: 2, EVE: 3}, whole=True)


def test_those_of_further_logs_are_counted_too():
    world = World()
    head = world.store.lease(TENANT, origin="o", owner="a", now=world.now, until=world.now + timedelta(seconds=1))
    world.outbox.add_log(head, 2, world.event(1, action="audit.logs.add", resource=f"{TENANT}.2"))
    world.later(seconds=2)
    failed(world, 10, 12, ADA)
    for log_id in world.store.logs_of(TENANT):
        world.relay(log_id)

    assert counted(world).by_account == {ADA: 12}
    assert all(world.store._hot[log_id, FAILED_SIGN_INS] for log_id in world.store.logs_of(TENANT))


def test_where_time_runs_out_the_count_does_not_pass_for_whole():
    world = World()
    failed(world, 1, 2, ADA)

    assert counted(world, patience=-1) == FailedSignIns({}, whole=False)


def test_an_erased_persons_address_is_gone_from_there_as_well():
    world = World()
    failed(world, 1, 2, ADA)
    world.relay()
    read = lambda: world.store.hot(TENANT, FAILED_SIGN_INS, Span("0", "~"), ascending=True, limit=9).rows
    told = lambda: [json.dumps(one.values) for one in open_rows(TENANT, read(), world.envelope)]
    before = told()

    world.erase(ADA)

    assert all("192.0.2." in one for one in before)
    assert len(told()) == 2 and not any("192.0.2." in one for one in told())
