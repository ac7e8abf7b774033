"""A tenant that is too busy for one log: when it gets another, and that all of them are read as one."""

import json
from collections import Counter

import pytest

from platforma.adapters.memory.audit import MemoryOutbox
from platforma.audit import attend, spreading
from platforma.audit.__main__ import main
from platforma.audit.model import LOG_ADDED_ACTION, STRANGERS, log_of
from platforma.audit.opened_entry import open_entries
from platforma.audit.person_keys import PersonKeys
from platforma.audit.proof import Published
from platforma.audit.query import parse_query
from platforma.audit.search import locate_event, search
from platforma.audit.spreading import log_added
from platforma.kernel.errors import Unavailable
from platforma.kernel.events import Attempt
from platforma.kernel.tenancy import PLATFORM
from tests.unit.audit.test_exports import Exporting
from tests.unit.audit.test_streams import Streaming
from tests.unit.audit.world import TENANT, Killed, World, event_id, user_id

SECOND = f"{TENANT}.2"


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch):
    """Six events a minute are too many for one log here."""
    monkeypatch.setattr(attend, "ADDED_ABOVE", 0.1)


def busy(world: World, first: int = 1, count: int = 12) -> World:
    """A minute of so many events, of which the last are entered."""
    world.record(first)
    world.attendant().ring([TENANT])
    world.later(seconds=61)
    for number in range(first + 1, first + count):
        world.record(number)
    world.attendant().ring([TENANT])
    return world


def spread(world: World, first: int = 100, count: int = 30, **said) -> World:
    """A tenant of two logs, and events in both."""
    busy(world)
    for number in range(first, first + count):
        world.later(seconds=1)
        world.record(number, **said)
    return world


def entries(world: World) -> list[dict]:
    return [json.loads(line) for log_id in world.store.logs_of(TENANT) for line in world.lines(log_id)]


def add(world: World, head, count: int = 2) -> bool:
    return world.outbox.add_log(head, count, log_added(f"{TENANT}.{count}", 200.0, world.clock))


def test_the_bound_is_well_below_what_a_partition_bears():
    assert spreading.ADDED_ABOVE < spreading.BORNE * 2 / 3


def test_above_the_rate_there_is_another_log_and_its_first_entry_says_why():
    world = busy(World())

    assert world.store.logs_of(TENANT) == [TENANT, SECOND]
    world.attendant().sweep()
    [first] = [json.loads(line) for line in world.lines(SECOND)]
    assert (first["action"], first["resource"], first["reason"]) == (LOG_ADDED_ACTION, SECOND, "0 events a second")
    assert world.store.head(SECOND).checkpoint_size == 1


def test_the_function_tells_that_a_log_was_added():
    world = World()
    world.record(1)
    world.attendant().ring([TENANT])
    world.later(seconds=61)
    for number in range(2, 12):
        world.record(number)

    [done] = world.attendant().ring([TENANT])

    assert done.added == SECOND


def test_below_the_rate_there_is_none():
    world = busy(World(), count=4)

    assert world.store.logs_of(TENANT) == [TENANT]


def test_events_that_waited_long_and_are_entered_at_once_are_not_many():
    world = World(batch=50)
    world.record(1)
    world.attendant().ring([TENANT])
    for number in range(2, 32):
        world.later(seconds=61)
        world.record(number)

    world.attendant().ring([TENANT])

    assert world.store.logs_of(TENANT) == [TENANT]


def test_each_log_more_needs_another_minute_and_there_is_an_end(monkeypatch):
    monkeypatch.setattr(attend, "MOST", 3)
    world = World(batch=50)
    for turn in range(4):
        busy(world, first=1 + 100 * turn, count=60)
        world.later(minutes=2)

    assert world.store.logs_of(TENANT) == [TENANT, SECOND, f"{TENANT}.3"]


def test_the_platform_has_the_two_logs_it_has():
    world = World()
    attempt = Attempt("r", "settings.users.read", world.clock, tenant_id=PLATFORM, principal_type="user", id=event_id(1))
    stranger = Attempt("r", "x", world.clock, tenant_id=PLATFORM, principal_type="anonymous", id=event_id(1))

    assert {log_of(attempt.event("success"), logs) for logs in range(1, 17)} == {PLATFORM}
    assert {log_of(stranger.event("denied"), logs) for logs in range(1, 17)} == {STRANGERS}


def test_an_events_id_alone_draws_its_log_and_all_are_drawn_alike():
    world = World()
    events = [world.event(number) for number in range(2000)]

    drawn = Counter(log_of(event, 4) for event in events)

    assert [log_of(event, 4) for event in events] == [log_of(event, 4) for event in events]
    assert set(drawn) == {TENANT, SECOND, f"{TENANT}.3", f"{TENANT}.4"}
    assert min(drawn.values()) > 400


def test_who_has_not_heard_of_it_writes_into_the_first_and_nothing_enters_twice():
    world = busy(World())
    numbers = range(100, 130)
    for number in numbers:
        world.recorded[world.event(number).id] = event = world.event(number)
        MemoryOutbox(world.store, world.envelope, logs=1).enter(event)
    world.attendant().sweep()
    for number in numbers:
        world.outbox.enter(world.event(number))

    world.later(seconds=46)
    world.attendant().sweep()

    ids = [entry["id"] for entry in entries(world) if entry["action"] != LOG_ADDED_ACTION]
    assert sorted(ids) == sorted(world.recorded)
    assert [json.loads(line)["action"] for line in world.lines(SECOND)] == [LOG_ADDED_ACTION]


def test_whose_lease_was_taken_adds_no_log():
    world = World()
    world.record(1)
    head = world.relay().head
    world.relay()

    assert not add(world, head)
    assert world.store.logs_of(TENANT) == [TENANT]
    assert not world.store.pending(SECOND, limit=1).rows


def test_of_two_who_add_a_log_one_does():
    world = World()
    world.record(1)
    head = world.relay().head

    assert [add(world, head), add(world, head)] == [True, False]
    assert world.store.spread(TENANT) == 2


@pytest.mark.parametrize("after", range(14))
def test_killed_anywhere_a_log_is_added_once_and_nothing_is_lost(after):
    world = World()
    world.record(1)
    world.attendant().ring([TENANT])
    world.later(seconds=61)
    for number in range(2, 12):
        world.record(number)
    world.dies_after = 20 * after
    try:
        world.attendant().ring([TENANT])
    except Killed:
        pass
    finally:
        world.dies_after = None

    for _ in range(3):
        world.later(seconds=46)
        world.attendant().sweep()

    ids = [entry["id"] for entry in entries(world) if not entry["action"].startswith("audit.")]
    assert sorted(ids) == sorted(world.recorded)
    assert len(world.store.logs_of(TENANT)) == world.store.spread(TENANT) == 2
    assert [entry["resource"] for entry in entries(world) if entry["action"] == LOG_ADDED_ACTION] == [SECOND]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_search_goes_through_both_in_one_order_page_by_page(order):
    world = spread(World())
    world.attendant().ring([TENANT])  # what is in the other one waits

    found: list[dict] = []
    after = None
    while True:
        asked = {"limit": "7", "order": order, "action": "settings.users.*"}
        page = search(parse_query(TENANT, asked, after=after), store=world.store, envelope=world.envelope)
        found += page.events
        if (after := page.after) is None:
            break

    times = [(event["timestamp"], event["id"]) for event in found]
    assert times == sorted(times, reverse=order == "desc")
    assert [event["id"] for event in found].count(found[0]["id"]) == 1
    assert {event["id"] for event in found} == set(world.recorded)
    assert len(found) == len(world.recorded)


def test_every_event_of_both_is_found_by_its_id_and_proved():
    world = spread(World())
    world.later(minutes=2)
    world.attendant().sweep()
    published = Published(world.store, world.bucket)

    logs = set()
    for event in world.recorded.values():
        log_id, found = locate_event(TENANT, event.id, store=world.store, envelope=world.envelope)
        proof = published.inclusion(log_id, found["sequence"])
        assert proof is not None
        assert proof["log_id"] == log_id
        logs.add(log_id)

    assert logs == {TENANT, SECOND}
    assert [log["id"] for log in published.logs(TENANT, "audit.example")] == [TENANT, SECOND]


def test_a_log_that_has_been_silent_says_so_by_itself():
    world = spread(World())
    world.attendant().sweep()
    world.later(minutes=11)
    world.attendant().sweep()
    world.attendant().sweep()

    beats = {entry["resource"] for entry in entries(world) if entry["action"] == "audit.heartbeat"}

    assert beats == {TENANT, SECOND}


def test_an_erasure_reaches_both_logs():
    world = spread(World(), changes={"after": {"email": "ada@example.test"}})
    world.attendant().sweep()
    before = [line for log_id in (TENANT, SECOND) for line in world.lines(log_id)]

    world.erase(user_id(1))

    assert [line for log_id in (TENANT, SECOND) for line in world.lines(log_id)] == before
    persons = PersonKeys(world.person_keys, world.envelope, world.clock)
    told = [one.document() for one in open_entries(TENANT, before, persons)]
    assert not any(one.get("ip_address") for one in told if one["user_id"] == user_id(1))
    assert any(one.get("ip_address") for one in told if one["user_id"] == user_id(2))
    found = search(parse_query(TENANT, {"user_id": user_id(1)}), store=world.store, envelope=world.envelope)
    assert found.events
    assert not any(event.get("ip_address") for event in found.events)


def test_an_erasure_that_finds_a_log_more_once_it_holds_them_begins_again(monkeypatch):
    world = spread(World())
    world.attendant().sweep()
    known = [[TENANT]]
    every = world.store.logs_of
    monkeypatch.setattr(world.store, "logs_of", lambda tenant_id: known.pop() if known else every(tenant_id))

    with pytest.raises(Unavailable, match="added"):
        world.erase(user_id(1))

    assert world.person_keys.find(TENANT, [user_id(1)])[user_id(1)] is not None
    world.erase(user_id(1))
    assert world.person_keys.find(TENANT, [user_id(1)])[user_id(1)] is None


def test_while_an_erasure_holds_the_logs_nobody_adds_one(monkeypatch):
    world = World()
    world.record(1)
    head = world.relay().head
    erase, added = world.person_keys.erase, []
    monkeypatch.setattr(world.person_keys, "erase", lambda *key: (added.append(add(world, head)), erase(*key)))

    world.erase(user_id(1))

    assert added == [False]


def test_a_tenant_that_gets_a_log_while_it_is_settled_is_not_settled(monkeypatch):
    world = World()
    world.record(1)
    world.relay()
    every = world.store.logs_of
    known = [[TENANT]]
    monkeypatch.setattr(world.store, "logs_of", lambda tenant_id: known.pop() if known else every(tenant_id))
    add(world, world.store.head(TENANT))

    assert world.attendant().settle(TENANT) is None
    assert [head.log_id for head in world.attendant().settle(TENANT)] == [TENANT, SECOND]


def test_an_export_of_both_verifies_offline(tmp_path, capsys):
    world = Exporting()
    spread(world)
    world.later(minutes=2)
    world.attendant().sweep()
    export = world.made()
    keys = ["--key", world.key(TENANT), "--key", world.key(SECOND)]
    folder = world.folder(export, tmp_path / "export")

    assert export.sizes[TENANT]
    assert export.sizes[SECOND] > 10
    assert export.events == len(world.recorded) + 1
    assert main(["verify", str(folder), *keys]) == 0
    assert main(["verify", str(world.export(tmp_path / "bucket")), *keys]) == 0
    told = capsys.readouterr().out
    assert f"{SECOND}: " in told


def test_a_stream_has_both_each_in_its_order_and_none_waits_for_the_others_end():
    world = Streaming()
    world.record(0)
    world.relay()
    world.made()
    add(world, world.store.head(TENANT))
    for number in range(1, 500):
        world.record(number)
    world.attendant().sweep()

    world.push()

    logs = [headers["platforma-log"] for _, headers, _ in world.receiver.messages]
    assert logs[:4] == [TENANT, SECOND, TENANT, SECOND]
    by_log = {log_id: [json.loads(line)["id"] for line in world.lines(log_id)] for log_id in (TENANT, SECOND)}
    taken = [event["id"] for event in world.receiver.taken]
    for ids in by_log.values():
        assert [one for one in taken if one in set(ids)] == [one for one in ids if one in set(taken)]
    assert set(world.recorded) - set(taken) == {event_id(0)}
