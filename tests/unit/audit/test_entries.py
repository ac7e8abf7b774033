"""Entries: what is a person's is sealed under that person's key, committed to, and gone when the key is gone."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta

import pytest
import rfc8785
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platforma.audit.canonical import canonical, plain
from platforma.audit.entry import boxes_of, longest_line, open_box, surely_fits
from platforma.audit.erase import Place, rewrite_index
from platforma.audit.errors import EventTooLarge, LogBroken
from platforma.audit.model import MAX_ENTRY
from platforma.audit.person_keys import PersonKeys
from platforma.audit.personal import divide, unite
from platforma.audit.query import parse_query
from platforma.audit.relay import relay
from platforma.audit.sealing import _record, seal_event
from platforma.audit.search import search
from platforma.kernel.errors import Unavailable
from tests.unit.audit.world import ORIGIN, TENANT, World, user_id

CHANGES = {"before": {"email": "a@example.test", "roles": []}, "after": {"email": "b@example.test", "a/b~c": {"phone": "1"}}}


def an_entry(world, **said):
    world.record(1, **said)
    world.relay()
    return json.loads(world.lines()[0])


def keys_by_name(world, names):
    return PersonKeys(world.person_keys, world.envelope, world.clock).by_name(TENANT, names)


def opened(world, entry):
    return [open_box(entry, box, keys_by_name(world, [box["key"]])[box["key"]].key) for box in boxes_of(entry)]


def test_an_entry_is_canonical_and_tells_nothing_that_is_a_persons():
    world = World()

    entry = an_entry(world, resource=user_id(9), resource_type="user", changes=CHANGES, user_agent="Mozilla/5.0")

    line = world.lines()[0]
    assert line == rfc8785.dumps(entry)
    for personal in (b"192.0.2", b"Mozilla", b"example.test"):
        assert personal not in line
    for field in ("id", "request_id", "action", "timestamp", "received_at", "result", "user_id", "resource"):
        assert field in entry


def test_each_persons_values_are_under_their_own_key():
    world = World()

    entry = an_entry(world, resource=user_id(9), resource_type="user", changes=CHANGES)

    own, changed = boxes_of(entry)
    assert own["key"] == user_id(1)
    assert changed["key"] == user_id(9)
    assert set(own["commitments"]) == {"ip_address", "user_agent"}
    assert opened(world, entry)[1]["changes/after/email"] == "b@example.test"


def test_a_commitment_is_the_hash_of_salt_and_value():
    world = World()
    entry = an_entry(world)
    box = base64.b64decode(entry["sealed"]["box"])
    binding = f"platforma audit box 1\0{TENANT}\0{entry['id']}\0".encode()
    key = hmac.digest(keys_by_name(world, [user_id(1)])[user_id(1)].key, binding, "sha256")
    inside = json.loads(AESGCM(key).decrypt(box[1:13], box[13:], binding + user_id(1).encode()))

    salt, value = inside["ip_address"]
    assert len(base64.b64decode(salt)) == 16
    stated = entry["sealed"]["commitments"]["ip_address"]
    assert stated == hashlib.sha256(base64.b64decode(salt) + json.dumps(value).encode()).hexdigest()


def test_unknown_persons_share_a_key_a_day():
    world = World()

    entry = an_entry(world, user_id=None)

    assert entry["sealed"]["key"] == "unknown-2026-11-24"


def test_of_an_erased_person_nothing_is_left_and_the_log_is_the_same():
    world = World()
    entry = an_entry(world)
    before = world.lines()

    world.person_keys.erase(TENANT, user_id(1))

    assert keys_by_name(world, [user_id(1)]) == {}
    assert world.lines() == before
    with pytest.raises(LogBroken):
        open_box(entry, entry["sealed"], bytes(32))


def test_erasure_takes_a_person_out_of_index_and_log_and_nobody_else():
    world = World()
    world.record(1, resource=user_id(2), resource_type="user", changes=CHANGES)
    world.record(2, resource="cls_eu01")
    world.record(3, resource=user_id(2), resource_type="user", changes=CHANGES)
    world.relay()
    before = world.lines()

    assert world.erase(user_id(2)) == 3

    assert world.lines() == before
    world.check()
    found = search(parse_query(TENANT, {"order": "asc"}), store=world.store, envelope=world.envelope).events
    assert [event.get("ip_address") for event in found] == ["192.0.2.1", None, "192.0.2.3"]
    assert "email" not in found[0]["changes"]["after"]
    world.record(5)
    world.relay()
    assert json.loads(world.lines()[3])["sealed"]["key"] == "unknown-2026-11-24"


def test_who_was_only_asked_about_is_erased_too():
    world = World()
    asked = {"principal": {"type": "user", "id": user_id(2), "attributes": {"level": 3}}, "action": "a:read"}
    world.record(1, decision=asked, resource="cls_eu01")
    world.relay()

    assert world.erase(user_id(2)) == 1

    (found,) = search(parse_query(TENANT, {}), store=world.store, envelope=world.envelope).events
    assert "attributes" not in found["decision"]["principal"]
    assert found["ip_address"] == "192.0.2.1"


def test_what_waited_while_a_person_was_erased_is_indexed_without_them():
    world = World()
    world.record(1, resource=user_id(2), resource_type="user", changes=CHANGES)
    world.person_keys.erase(TENANT, user_id(2))

    world.relay()

    (found,) = search(parse_query(TENANT, {}), store=world.store, envelope=world.envelope).events
    assert "email" not in found["changes"]["after"]
    assert found["ip_address"] == "192.0.2.1"


def test_the_rewriting_stops_when_its_time_is_up_and_goes_on_where_it_stopped():
    world = World()
    world.record(1, resource=user_id(2), resource_type="user", changes=CHANGES)
    world.relay()
    by = world.relay_with()
    rewritten = lambda place, until: rewrite_index(TENANT, user_id(2), by=by, place=place, until=until)

    assert rewritten(Place(), world.now) == (0, Place())
    assert rewritten(Place(1), world.now + timedelta(seconds=1)) == (1, None)
    assert rewritten(Place(2), world.now + timedelta(seconds=1)) == (0, None)


def test_an_erasure_fences_off_the_relay_that_read_the_key_before():
    world = World()
    world.record(1)
    world.record(4)
    commit = world.store.commit

    def late(head, intent):
        world.store.commit = commit
        world.later(seconds=31)
        world.erase(user_id(1))
        return commit(head, intent)

    world.store.commit = late
    assert world.relay().busy
    world.relay()

    world.check()


def test_what_a_relay_began_and_left_is_entered_before_the_key_goes():
    world = World()
    world.record(1)
    release = world.store.release

    def and_another_begins(head, owner, **told):
        nothing_rang = release(head, owner, **told)
        world.store.release = release
        world.record(4)
        assert world.relay_that_dies(after=1)
        left = world.store.head(TENANT)
        assert left is not None
        assert left.intent is not None
        world.later(seconds=31)
        return nothing_rang

    world.store.release = and_another_begins
    world.erase(user_id(1))
    world.relay()

    world.check()
    assert [json.loads(line)["sealed"]["key"] for line in world.lines()] == [user_id(1)] * 2


def test_no_key_is_made_again_for_who_was_erased():
    world = World()
    world.person_keys.erase(TENANT, user_id(1))

    entry = an_entry(world)

    assert entry["sealed"]["key"] == "unknown-2026-11-24"
    assert keys_by_name(world, [user_id(1)]) == {}


def test_a_box_does_not_open_in_another_entry():
    world = World()
    world.record(1)
    world.record(4)
    world.relay()
    one, two = (json.loads(line) for line in world.lines())
    key = keys_by_name(world, [user_id(1)])[user_id(1)].key

    assert open_box(one, one["sealed"], key)
    with pytest.raises(LogBroken):
        open_box(two, one["sealed"], key)


def test_what_is_too_large_to_be_entered_is_refused_before_and_all_else_is_entered():
    world = World()
    low, high = 0, 40_000
    while high - low > 1:
        size = (low + high) // 2
        try:
            world.record(size, user_agent="\x1f" * 10, changes={"after": {"note": "n" * size}})
            low = size
        except EventTooLarge:
            high = size
    world.relay()

    assert not world.store.aside
    world.check()
    assert MAX_ENTRY - 100 < max(map(len, world.lines())) <= MAX_ENTRY


def test_an_event_that_does_not_open_is_set_aside_and_holds_up_nobody():
    world = World()
    for number in range(5):
        world.record(number)
    waiting = world.store._pending[TENANT]
    position = sorted(waiting)[1]
    waiting[position] = replace(waiting[position], body=waiting[position].body.replace(b'"success"', b'"denied"'))
    bad = world.recorded.pop(waiting[position].id)

    done = world.relay()

    assert done.set_aside == [bad.id]
    assert done.entered == 4
    world.check()


def test_an_event_that_vanishes_from_under_an_intent_is_an_alarm():
    world = World()
    world.record(1)
    world.record(2)
    world.relay_that_dies(world_writes_until_commit())
    assert world.store.head(TENANT).intent is not None
    world.store._pending[TENANT].popitem()
    world.later(seconds=31)

    with pytest.raises(LogBroken):
        world.relay()
    assert not world.lines()


def world_writes_until_commit():
    world = World()
    world.record(1)
    world.record(2)
    world.writes.clear()
    world.relay()
    return world.writes.index("commit")


def test_an_event_without_a_canonical_form_is_set_aside_and_holds_up_nobody():
    world = World()
    bad = world.event(7)
    row = seal_event(bad, world.envelope)
    body = row.body.replace(b'"resource":null', b'"resource":123456789012345678901')
    secret = world.envelope.open(TENANT, "audit", _record(row.id, row.body), row.sealed)
    sealed = world.envelope.seal(TENANT, "audit", _record(row.id, body), secret)
    world.store.put_back(TENANT, replace(row, body=body, sealed=sealed))
    world.record(8)

    done = world.relay()

    assert done.set_aside == [bad.id]
    world.check()


def test_a_segment_that_stands_in_the_way_stops_the_log():
    world = World()
    world.record(1)
    world.bucket.put(f"{TENANT}/segments/{0:020d}-1.jsonl.gz", b"fake", retain_until=world.now.replace(year=2029))

    with pytest.raises(LogBroken):
        world.relay()

    assert world.store.pending(TENANT, limit=5).rows


def test_where_a_dependency_fails_the_lease_is_given_back():
    world = World()
    world.record(1)
    put = world.bucket.put

    def fails(*_, **__):
        raise Unavailable

    world.bucket.put = fails
    with pytest.raises(Unavailable):
        world.relay()
    world.bucket.put = put
    world.relay()

    world.check()


def test_segments_are_locked_for_two_calendar_years_and_a_day():
    world = World()
    world.now = world.now.replace(year=2028, month=2, day=29)
    world.record(1)
    world.relay()

    [kept] = world.bucket.objects.values()
    assert kept.retain_until.isoformat() == "2030-03-02T10:00:00+00:00"


def test_old_events_are_locked_from_now_on_even_so():
    world = World()
    world.record(1)
    world.later(days=1000)
    relay(TENANT, origin=ORIGIN, by=world.relay_with())

    [kept] = world.bucket.objects.values()
    assert kept.retain_until > world.now


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_the_quick_way_to_the_canonical_form_is_the_slow_one(value):
    said = plain(value)

    assert canonical(said) == rfc8785.dumps(said)


FIELDS = st.dictionaries(st.text(max_size=20), st.text(max_size=60).map(plain) | st.integers(0, 9), max_size=4)


@settings(suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(st.sampled_from([user_id(n) for n in range(3)] + ["unknown-2026-11-24"]), FIELDS), st.text(max_size=200)
)
def test_what_surely_fits_does(values, text):
    """The room left by the quick measure is more than the line ever takes."""
    values = {person: {plain(name): value for name, value in found.items()} for person, found in values.items()}
    body = {"id": "evt_1", "tenant_id": TENANT, "reason": plain(text)}
    secret = canonical({"seed": "", "values": values})
    fields = sum(map(len, values.values()))
    told = len(canonical(body)) + 3 * len(secret) + 512 * (1 + len(values) + fields)

    assert longest_line(body, values) <= told
    assert surely_fits(canonical(body), secret, values) is (told <= MAX_ENTRY)


@given(JSON)
def test_whatever_a_caller_says_has_a_canonical_form(value):
    said = plain(value)

    assert json.loads(canonical(said)) == said
    assert plain(said) == said


def test_an_address_that_nobody_known_has_is_a_person_s():
    """Who was asked about by an address that is no user's stands in no clear line."""
    world = World()
    event = world.event(1)
    document = {**plain(event.as_json()), "decision": {"principal": {"type": "user", "id": "eve@acme.test"}}}

    clear, values = divide(document, event)

    assert clear["decision"]["principal"] == {"type": "user"}
    assert "eve@acme.test" in {value for found in values.values() for value in found.values()}


@given(st.dictionaries(st.sampled_from(["email", "name", "a/b", "~x", "ip_address", "k"]), JSON, max_size=4))
def test_what_is_divided_is_united_again(changes):
    world = World()
    event = world.event(1, changes={"after": plain(changes)}, resource=user_id(2), resource_type="user")
    document = plain(event.as_json())

    clear, values = divide(document, event)

    assert unite(clear, {path: value for found in values.values() for path, value in found.items()}) == document
