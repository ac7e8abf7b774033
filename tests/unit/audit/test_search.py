"""Search: every filter against the obvious answer, over events of which some wait and some were entered."""

import importlib
import ipaddress
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platforma.audit.external import external_events
from platforma.audit.query import Query, parse_query
from platforma.audit.search import get_event, search
from platforma.kernel.errors import NotFound, Unprocessable
from platforma.kernel.ids import from_bytes
from tests.unit.audit.world import OTHER, TENANT, World, event_id, user_id

search_module = importlib.import_module("platforma.audit.search")  # the package has a function of that name
ACTIONS = ["infrastructure.clusters.create", "infrastructure.clusters.read", "settings.users.update", "infra.x.read"]
RESOURCES = ["cls_eu01", "cls#eu02", None]
ADDRESSES = ["192.0.2.7", "198.51.100.3", "2001:db8::1", "::ffff:192.0.2.9", None]
RESULTS = ["success", "denied", "failure", "error"]


def a_world(seed_rows):
    """Events as the rows say; a row of None lets the relay enter what waits."""
    world = World(batch=3)
    for number, row in enumerate(seed_rows):
        if row is None:
            world.relay()
            continue
        action, resource, address, result, wait = row
        world.record(
            number, action=ACTIONS[action], resource=RESOURCES[resource], ip_address=ADDRESSES[address], result=result
        )
        world.later(milliseconds=wait)
    return world


def expected(world, query):
    """The obvious answer."""
    found = []
    for event in world.recorded.values():
        said = event.as_json()
        at = event.timestamp
        address = event.ip_address and ipaddress.ip_address(event.ip_address)
        address = getattr(address, "ipv4_mapped", None) or address
        pattern = query.action or "*"
        if (
            (query.user_id in (None, event.user_id))
            and (query.resource in (None, event.resource))
            and (query.result in (None, event.result))
            and (query.request_id in (None, event.request_id))
            and (event.action.startswith(pattern[:-1]) if pattern.endswith("*") else event.action == pattern)
            and (query.network is None or (address is not None and address in query.network))
            and (query.since is None or at >= search_module.rfc3339(query.since))
            and (query.until is None or at < search_module.rfc3339(query.until))
            and (query.text is None or query.text.lower() in json.dumps(said).lower())
        ):
            found.append((at, event.id))
    return [identity for _, identity in sorted(found, reverse=not query.ascending)]


def all_pages(world, query):
    found, after, pages = [], None, 0
    while True:
        page = search(replace(query, after=after), store=world.store, envelope=world.envelope)
        assert len(page.events) <= query.limit
        found += [event["id"] for event in page.events]
        pages += 1
        if page.after is None:
            return found
        after = page.after


ROW = st.one_of(
    st.none(),
    st.tuples(
        st.integers(0, 3), st.integers(0, 2), st.integers(0, 4), st.sampled_from(RESULTS), st.sampled_from([0, 1, 50])
    ),
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(["infrastructure.*", "infra.*", "*", "settings.users.update", "nothing.at.all"]),
        "resource": st.sampled_from(["cls_eu01", "cls#eu02", "cls"]),
        "user_id": st.integers(0, 3).map(user_id),
        "result": st.sampled_from(RESULTS),
        "ip_address": st.sampled_from(["192.0.2.0/24", "192.0.2.7", "2001:db8::/32", "0.0.0.0/0"]),
        "request_id": st.integers(0, 5).map(lambda n: f"req-{n}"),
        "q": st.sampled_from(["cls_eu01", "CLUSTERS", "192.0.2", "agent", "zzz"]),
        "from": st.sampled_from(["2026-11-24T10:00:00.002Z", "2026-11-24T10:00:00Z"]),
        "to": st.sampled_from(["2026-11-24T10:00:00.051Z", "2026-11-24T11:00:00+01:00"]),
        "order": st.sampled_from(["asc", "desc"]),
        "limit": st.sampled_from(["1", "2", "3", "200"]),
    },
)


@settings(deadline=None, max_examples=150)
@given(st.lists(ROW, max_size=14), FILTERS)
def test_what_is_found_is_what_was_recorded_in_order_page_by_page(rows, filters):
    world = a_world(rows)
    query = parse_query(TENANT, filters)

    assert all_pages(world, query) == expected(world, query)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_an_event_that_is_being_moved_is_found_once(order, monkeypatch):
    """The relay runs between each two reads of the search."""
    monkeypatch.setattr(search_module, "_PAGE", 2)
    world = World(batch=1)
    for number in range(9):
        world.record(number)
        world.later(milliseconds=1)
    rounds = iter(range(100))
    plain = world.store.hot

    def hot(*args, **kwargs):
        world.batch = 3
        if next(rounds) < 3:
            world.relay()
        return plain(*args, **kwargs)

    monkeypatch.setattr(world.store, "hot", hot)
    query = parse_query(TENANT, {"order": order, "limit": "200"})

    found = search(query, store=world.store, envelope=world.envelope)

    assert [event["id"] for event in found.events] == expected(world, query)


def test_a_search_for_what_is_rare_gives_up_in_time_and_goes_on(monkeypatch):
    monkeypatch.setattr(search_module, "_LOOK_AT", 40)
    world = World(batch=50)
    for number in range(150):
        world.record(number, result="denied" if number == 5 else "success")
        world.later(milliseconds=1)
    world.relay()

    first = search(parse_query(TENANT, {"result": "denied"}), store=world.store, envelope=world.envelope)

    assert (first.events, bool(first.after)) == ((), True)
    assert all_pages(world, parse_query(TENANT, {"result": "denied"})) == [event_id(5)]


def test_another_tenants_events_are_not_there():
    world = World()
    mine = world.record(1)
    theirs = world.record(2, tenant_id=OTHER)

    assert all_pages(world, Query(TENANT)) == [mine.id]
    with pytest.raises(NotFound):
        get_event(TENANT, theirs.id, store=world.store, envelope=world.envelope)


@pytest.mark.parametrize("entered", [False, True])
def test_an_event_is_got_as_it_was_recorded(entered):
    world = World()
    changes = {"before": {"email": "a@example.test"}, "after": {"email": "b@example.test", "roles": ["viewer"]}}
    event = world.record(1, resource=user_id(9), resource_type="user", changes=changes)
    if entered:
        world.relay()

    found = get_event(TENANT, event.id, store=world.store, envelope=world.envelope)

    assert found.pop("sequence", None) == (0 if entered else None)
    assert found == event.as_json()


def test_an_event_is_got_after_its_claim_is_gone():
    world = World()
    world.now = world.now.replace(  # when the test's ids were made
        year=2024, month=11, day=15, hour=8, minute=57
    )
    event = world.record(1)
    world.relay()
    world.store._claims.clear()

    assert get_event(TENANT, event.id, store=world.store, envelope=world.envelope)["id"] == event.id


def test_an_event_is_got_after_its_claim_is_gone_among_more_events_than_one_look_takes(monkeypatch):
    monkeypatch.setattr(search_module, "_LOOK_AT", 20)
    world = World()
    world.now = datetime(2024, 11, 15, 8, 27, tzinfo=UTC)
    for number in range(30):
        world.record(number)
    world.now = datetime(2024, 11, 15, 8, 57, tzinfo=UTC)
    event = world.record(30)
    world.relay()
    world.store._claims.clear()

    assert get_event(TENANT, event.id, store=world.store, envelope=world.envelope)["id"] == event.id


def test_another_services_event_is_got_without_looking_through_others(monkeypatch):
    world = World()
    said = {"id": "theirs-1", "timestamp": "2026-11-24T09:59:58.123Z", "action": "billing.invoices.pay", "result": "success"}
    writer = {"writer_type": "client", "writer_id": "cli_1", "control_domains": (), "now": world.now}
    (event,) = external_events(said, tenant_id=TENANT, **writer)
    world.outbox.enter(event)
    world.relay()
    monkeypatch.setattr(world.store, "hot", None)

    assert get_event(TENANT, event.id, store=world.store, envelope=world.envelope)["id"] == event.id


def test_there_is_no_event_of_an_id_from_after_all_calendars():
    late = from_bytes("evt", b"\xff" * 6 + b"\x70\0\x80" + bytes(7))

    with pytest.raises(NotFound):
        get_event(TENANT, late, store=World().store, envelope=World().envelope)


@pytest.mark.parametrize("identity", ["", "evt_", "key_01j0000000e008000000000000", event_id(5), "evt_#HEAD"])
def test_there_is_nothing_under_other_ids(identity):
    with pytest.raises(NotFound):
        get_event(TENANT, identity, store=World().store, envelope=World().envelope)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[
            ("from", "yesterday"),
            ("to", "2026-11-24"),
            ("limit", "0"),
            ("limit", "201"),
            ("limit", "\u0661"),
            ("limit", "1e2"),
        ],
        *[
            ("order", "up"),
            ("result", "ok"),
            ("ip_address", "300.1.1.1"),
            ("ip_address", "1.2.3.4/33"),
            ("q", ""),
            ("q", "x" * 257),
        ],
        *[("action", "infra*"), ("action", "*.read"), ("action", "a b"), ("user_id", ""), ("who", "x"), ("action", "")],
    ],
)
def test_a_parameter_that_says_nothing_is_named(name, value):
    with pytest.raises(Unprocessable) as refused:
        parse_query(TENANT, {name: value})

    assert [fault["pointer"] for fault in refused.value.errors] == [f"/{name}"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("principal_type", "oauth_client"),
        ("principal_id", "cli_1"),
        ("principal_id", "cli_*"),
        ("source", "ext*"),
        ("resource_type", "cluster"),
        ("reason", "no_*"),
        ("client_request_id", "theirs-7"),
        ("user_agent", "curl/*"),
        ("user_agent", "*"),
    ],
)
def test_an_event_is_found_by_any_other_field_or_by_its_beginning(name: str, value: str):
    event = {
        "principal_type": "oauth_client",
        "principal_id": "cli_1",
        "source": "external",
        "resource_type": "cluster",
        "reason": "no_quota",
        "client_request_id": "theirs-7",
        "user_agent": "curl/8.1",
    }
    query = parse_query(TENANT, {name: value})

    assert query.admits_clear(event)
    assert query.admits(event)
    other = {**event, name: "something else"} if value != "*" else {**event, name: None}
    assert not (query.admits_clear(other) and query.admits(other))


@pytest.mark.parametrize("network", ["::ffff:192.0.2.0/120", "::ffff:192.0.2.7", "192.0.2.0/24"])
def test_a_network_of_mapped_addresses_is_the_one_that_they_stand_for(network: str):
    query = parse_query(TENANT, {"ip_address": network})

    assert query.admits({"ip_address": "192.0.2.7"})
    assert query.admits({"ip_address": "::ffff:192.0.2.7"})
    assert not query.admits({"ip_address": "192.0.3.7"})
    assert not query.admits({"ip_address": "2001:db8::7"})


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("2026-11-24T10:00:00.863Z", "2026-11-24T10:00:00.863Z"),
        ("2026-11-24T10:00:00.8635Z", "2026-11-24T10:00:00.864Z"),
        ("2026-11-24T10:00:59.999001Z", "2026-11-24T10:01:00.000Z"),
        ("9999-12-31T23:59:59.9999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_time_between_two_milliseconds_leaves_out_what_was_before_it_and_nothing_else(text: str, since: str):
    assert parse_query(TENANT, {"from": text}).span().low == since
    assert parse_query(TENANT, {"to": text}).span().high == since


@pytest.mark.parametrize("after", ["", "x", "2026-11-24T10:00:00.000Z", "2026-11-24T10:00:00.000Z#evt_" + "a" * 25])
def test_a_position_that_is_none_is_refused(after):
    with pytest.raises(Unprocessable):
        parse_query(TENANT, {}, after=after)
