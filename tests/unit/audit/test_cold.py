"""Old events: what left the index is found in the log, as one answer with what is hot and what waits."""

import importlib
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platforma.audit import segment
from platforma.audit.cold import Cold
from platforma.audit.errors import LogBroken
from platforma.audit.model import HOT_DAYS, SLOT, position_of
from platforma.audit.person_keys import PersonKeys
from platforma.audit.query import Query, parse_query
from platforma.audit.search import get_event, search
from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import NotFound
from tests.unit.audit.test_search import ACTIONS, ADDRESSES, RESOURCES, RESULTS, expected
from tests.unit.audit.world import OTHER, TENANT, Killed, World, event_id, user_id

search_module = importlib.import_module("platforma.audit.search")
GAPS = [0, 1, 60_000, 86_400_000, 40 * 86_400_000]
"""Milliseconds between events: none, one, a minute, a day, forty days."""


def cold_of(world: World) -> Cold:
    return Cold(world.store, world.bucket, PersonKeys(world.person_keys, world.envelope, world.clock), world.clock)


def sweep(world: World) -> int:
    """What the table's TTL does: rows of the index go 90 days after they came; how many went."""
    gone = 0
    for rows in world.store._hot.values():
        for position, row in list(rows.items()):
            if parse_rfc3339(row.received_at) + timedelta(days=HOT_DAYS) <= world.now:
                del rows[position]
                gone += 1
    return gone


def asked(world: World, query: Query, cold: Cold | None = None):
    return search(query, store=world.store, envelope=world.envelope, cold=cold or cold_of(world), clock=world.clock)


def all_pages(world: World, query: Query) -> list[str]:
    found, after = [], None
    while True:
        page = asked(world, replace(query, after=after))
        found += [event["id"] for event in page.events]
        if (after := page.after) is None:
            return found


def an_old_world(days: int = 100) -> World:
    """Five events, entered, of which the index knows nothing any more."""
    world = World()
    for number in range(5):
        world.record(number, resource=f"cls_{number}")
        world.later(minutes=7)
    world.relay()
    world.later(days=days)
    assert sweep(world) > 0
    return world


ROW = st.one_of(
    st.none(),
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 4), st.sampled_from(RESULTS), st.sampled_from(GAPS)),
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(["infrastructure.*", "*", "settings.users.update"]),
        "resource": st.sampled_from(["cls_eu01", "cls#eu02", "cls"]),
        "user_id": st.integers(0, 3).map(user_id),
        "result": st.sampled_from(RESULTS),
        "ip_address": st.sampled_from(["192.0.2.0/24", "192.0.2.7", "2001:db8::/32"]),
        "request_id": st.integers(0, 5).map(lambda n: f"req-{n}"),
        "q": st.sampled_from(["cls_eu01", "192.0.2", "agent", "zzz"]),
        "from": st.sampled_from(["2026-11-24T10:00:00.001Z", "2026-12-30T10:00:00Z"]),
        "to": st.sampled_from(["2026-11-25T10:00:00Z", "2027-01-10T10:00:00Z"]),
        "order": st.sampled_from(["asc", "desc"]),
        "limit": st.sampled_from(["1", "2", "200"]),
    },
)


@settings(deadline=None, max_examples=120)
@given(st.lists(ROW, max_size=12), FILTERS, st.booleans())
def test_waiting_hot_and_old_events_are_one_answer_in_order_page_by_page(rows, filters, swept):
    world = World(batch=3)
    for number, row in enumerate(rows):
        if row is None:
            world.relay()
            continue
        action, resource, address, result, gap = row
        world.record(
            number, action=ACTIONS[action], resource=RESOURCES[resource], ip_address=ADDRESSES[address], result=result
        )
        world.later(milliseconds=gap)
    if swept:
        sweep(world)
    query = parse_query(TENANT, filters)

    assert all_pages(world, query) == expected(world, query)


def test_without_the_log_old_events_would_be_lost():
    world = an_old_world()

    assert search(Query(TENANT), store=world.store, envelope=world.envelope).events == ()
    assert len(asked(world, Query(TENANT)).events) == 5


def test_an_old_event_is_told_whole_and_found_by_its_id():
    world = an_old_world()
    event = world.recorded[event_id(3)].as_json()

    (found,) = asked(world, Query(TENANT, resource="cls_3")).events
    again = get_event(TENANT, event_id(3), store=world.store, envelope=world.envelope, cold=cold_of(world))

    assert {**event, "sequence": 3} == found == again


def test_what_is_new_is_answered_without_a_look_at_the_log():
    world = an_old_world()
    for number in range(10, 14):
        world.record(number)
    world.relay()

    class Untouched:
        def get(self, _key: str):
            raise AssertionError("The bucket is read although newer events are enough.")

    cold = replace(cold_of(world), bucket=Untouched())

    assert len(asked(world, Query(TENANT, limit=2), cold).events) == 2


def test_an_erased_persons_values_are_gone_from_old_events_too_and_the_events_stand():
    world = an_old_world()
    person = user_id(1)
    world.erase(person)

    events = {event["id"]: event for event in asked(world, Query(TENANT)).events}

    theirs = [event for event in events.values() if event["user_id"] == person]
    assert (len(events), len(theirs)) == (5, 2)
    assert not any(event.get("ip_address") for event in theirs)
    assert all(event["ip_address"] for event in events.values() if event["user_id"] != person)
    assert asked(world, Query(TENANT, text="192.0.2.1")).events == ()


@pytest.mark.parametrize("ascending", [True, False])
def test_when_time_is_up_a_short_page_says_where_to_go_on(monkeypatch, ascending):
    world = an_old_world()
    looks = []
    plain = world.bucket.get

    def slow(key: str):
        looks.append(key)
        world.later(seconds=20)
        return plain(key)

    monkeypatch.setattr(world.bucket, "get", slow)
    query = Query(TENANT, resource="cls_4" if ascending else "cls_0", ascending=ascending)
    first = asked(world, query)

    assert (first.events, len(looks)) == ((), 1)
    assert first.after is not None
    assert all_pages(world, query) == [event_id(4 if ascending else 0)]
    assert len(looks) <= 1 + 5, "each slot is read once"


def test_a_writer_whose_clock_is_days_behind_is_found_where_it_says():
    world = World()
    late = replace(world.event(1), timestamp="2026-11-18T03:04:05.000Z")
    world.outbox.enter(late)
    world.record(2)
    world.relay()
    world.later(days=100)
    sweep(world)

    day = Query(TENANT, since=datetime.fromisoformat("2026-11-18T00:00Z"), until=datetime.fromisoformat("2026-11-19T00:00Z"))
    assert [event["id"] for event in asked(world, day).events] == [late.id]


def test_another_tenants_log_is_never_read():
    world = an_old_world()
    keys = []
    plain = world.bucket.get

    def watched(key: str):
        keys.append(key)
        return plain(key)

    cold = replace(cold_of(world), bucket=type("Watched", (), {"get": staticmethod(watched)})())

    assert asked(world, Query(OTHER), cold).events == ()
    with pytest.raises(NotFound):
        get_event(OTHER, event_id(1), store=world.store, envelope=world.envelope, cold=cold)
    assert keys == []


@pytest.mark.parametrize("field", ["resource", "request_id", "user_id"])
@pytest.mark.parametrize("text", ['"', "' OR 1=1 --", '","user_id":"', "\\", "\u2028", "%", "cls_*"])
def test_nothing_that_is_asked_for_is_taken_for_anything_but_a_value(field, text):
    world = an_old_world()
    world.record(7, resource=text)
    world.relay()
    world.later(days=100)
    sweep(world)

    found = asked(world, Query(TENANT, **{field: text})).events

    assert [event["id"] for event in found] == ([event_id(7)] if field == "resource" else [])


def test_a_segment_that_is_gone_or_changed_is_told_and_not_passed_over():
    world = an_old_world()
    (name,) = world.bucket.names(segment.folder(TENANT), after=f"{segment.folder(TENANT)}{3:020d}")
    del world.bucket.objects[name]

    with pytest.raises(LogBroken):
        all_pages(world, Query(TENANT))


@pytest.mark.parametrize("writes", range(40))
def test_killed_after_any_write_every_event_is_charted(writes):
    world = World()
    for number in range(7):
        world.record(number)
        world.later(minutes=4)
    try:
        world.dies_after = writes
        world.relay()
    except Killed:
        pass
    world.dies_after = None
    world.later(minutes=1)
    world.relay()

    charted = {
        (slot, at)
        for slot, segments in world.store.charted(TENANT, "0", "~", ascending=True)
        for name in segments
        for at in range(name.first, name.first + name.entries)
    }
    hot = world.store.entered(TENANT, [position_of(one.timestamp, one.id) for one in world.recorded.values()])
    assert {(position[:SLOT], row.sequence) for position, row in hot.items()} <= charted
    world.check()
