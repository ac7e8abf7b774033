"""Bells, sweeps, and the events that come from outside."""

import base64
import gzip
import json
from datetime import timedelta
from itertools import pairwise

import pytest

from platforma.audit.access_log import anonymous_event, told_by
from platforma.audit.attend import heartbeat
from platforma.audit.bell import logs_of
from platforma.audit.errors import AnotherEvent, LogBroken
from platforma.audit.external import external_events
from platforma.audit.model import STRANGERS
from platforma.audit.search import get_event
from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import Malformed, Unavailable, Unprocessable
from tests.unit.audit.world import OTHER, TENANT, World, user_id


def record_of(key, name="INSERT"):
    return {"eventName": name, "dynamodb": {"Keys": {"pk": {"S": key}, "sk": {"S": "PENDING#x"}}}}


def test_a_bell_names_each_log_once_in_order():
    keys = (f"{OTHER}#PENDING", f"{TENANT}.2#PENDING", f"{OTHER}#PENDING")

    assert logs_of({"Records": [record_of(key) for key in keys]}) == (OTHER, f"{TENANT}.2")


@pytest.mark.parametrize(
    "record",
    [
        *(record_of(f"{TENANT}#PENDING", "REMOVE"), record_of(f"{TENANT}#LOG"), record_of("x#PENDING"), {}, None, [], "x"),
        *({"eventName": "INSERT"}, {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"N": "1"}}}}),
    ],
)
def test_other_records_ring_for_nothing(record):
    assert logs_of({"Records": [record]}) == ()


def test_what_is_no_batch_of_records_is_no_bell():
    assert logs_of({"source": "schedule"}) is None


def test_a_sweep_enters_what_nobody_rang_for_and_finishes_what_was_left():
    world = World()
    world.record(1)
    world.record(2, tenant_id=OTHER)
    world.relay_that_dies(4)
    world.later(seconds=31)

    world.attendant().sweep()

    world.check(TENANT)
    world.check(OTHER)
    assert world.store.head(OTHER).checkpoint_size == 1


def test_a_log_that_fails_holds_up_no_other_and_is_told():
    world = World()
    world.record(1)
    world.record(2, tenant_id=OTHER)
    world.bucket.put(f"{TENANT}/segments/{0:020d}-1.jsonl.gz", b"x", retain_until=world.now + timedelta(days=1))

    with pytest.raises(LogBroken):
        world.attendant().ring([TENANT, OTHER])

    world.check(OTHER)


def test_all_that_rang_is_entered_before_anything_is_published():
    world = World()
    world.record(1)
    world.record(2, tenant_id=OTHER)

    world.attendant().ring([TENANT, OTHER])

    names = list(world.bucket.objects)
    assert [name.split("/")[1] for name in names[:2]] == ["segments", "segments"]
    assert {name.split("/")[0] for name in names if "/checkpoints/" in name} == {TENANT, OTHER}


def test_a_log_that_fails_is_told_and_what_was_entered_is_published_all_the_same():
    world = World()
    world.record(1)
    world.record(2, tenant_id=OTHER)
    world.bucket.put(f"{OTHER}/segments/{0:020d}-1.jsonl.gz", b"x", retain_until=world.now + timedelta(days=1))

    with pytest.raises(LogBroken):
        world.attendant().ring([TENANT, OTHER])

    assert world.store.head(TENANT).checkpoint_size == 1


def test_where_vault_is_gone_nothing_is_half_done():
    world = World()
    world.record(1)
    attendant = world.attendant()
    plain = world.signer.sign

    def gone(_message):
        raise Unavailable

    world.signer.sign = gone
    with pytest.raises(Unavailable):
        attendant.ring([TENANT])
    world.signer.sign = plain
    world.later(seconds=61)
    attendant.sweep()

    world.check()
    assert world.store.head(TENANT).checkpoint_size == 1


def test_two_who_notice_the_same_silence_make_one_heartbeat():
    world = World()
    world.record(1)
    world.attendant().ring([TENANT])
    head = world.store.head(TENANT)
    world.later(minutes=11)
    first = heartbeat(head, world.now)
    world.later(seconds=1)
    second = heartbeat(head, world.now)

    world.outbox.enter(first)
    with pytest.raises(AnotherEvent):
        world.outbox.enter(second)

    assert first.id == second.id
    assert heartbeat(head, world.now - timedelta(minutes=2)) is None


def sizes(world, seconds, news, sweeps):
    """The moments at which a log got checkpoints, and the log's size then, while time passes by seconds."""
    seen = []
    for second in range(seconds):
        if second in news:
            world.record(second)
            world.attendant().ring([TENANT])
        if second in sweeps:
            world.attendant().sweep()
        head = world.store.head(TENANT)
        if head is not None and head.checkpoint_at is not None and (not seen or seen[-1][1] < head.checkpoint_size):
            seen.append((second, head.checkpoint_size))
        world.later(seconds=1)
    return seen


@pytest.mark.parametrize("swept", [range(7, 1200, 61), range(7, 1200, 70), range(1200, 1200)])
@pytest.mark.parametrize("every", [1, 3, 7])
def test_with_news_checkpoints_are_less_than_a_minute_apart_though_sweeps_are_late_or_none(swept, every):
    moments = [moment for moment, _ in sizes(World(), 1200, range(0, 1200, every), swept)]

    assert max(later - sooner for sooner, later in pairwise(moments)) < 60
    assert len(moments) < 2.5 * 20


@pytest.mark.parametrize("last", [1, 20, 49, 59])
def test_an_event_after_which_none_comes_has_its_checkpoint_by_the_next_sweep(last):
    world = World()

    seen = sizes(world, 130, [0, last], range(5, 130, 60))

    assert seen[-1][1] == 2
    assert seen[-1][0] - last <= 60


def test_a_quiet_log_says_every_ten_minutes_that_it_is_alive_and_that_has_its_checkpoint_at_once():
    world = World()
    world.record(0)

    seen = sizes(world, 3700, [0], range(5, 3700, 60))

    beats = [moment for moment, _ in seen[1:]]
    assert [later - sooner for sooner, later in pairwise(beats)] == [600] * 5
    assert 570 <= beats[0] <= 630
    assert world.store.head(TENANT).size == seen[-1][1] == 7


def test_a_settled_log_has_nothing_waiting_and_a_checkpoint_of_all():
    world = World()
    for number in range(3):
        world.record(number)
    world.attendant().ring([TENANT])
    world.record(4)

    [head] = world.attendant().settle(TENANT)

    assert (head.size, world.store.head(TENANT).checkpoint_size) == (4, 4)
    world.check()


def test_a_log_that_another_relay_has_is_not_settled():
    world = World()
    world.record(1)
    now = world.now
    world.store.lease(TENANT, origin="x", owner="another", now=now, until=now + timedelta(seconds=30))

    assert world.attendant().settle(TENANT) is None


def subscription(*messages, kind="DATA_MESSAGE"):
    document = {"messageType": kind, "logEvents": [{"id": str(at), "message": text} for at, text in enumerate(messages)]}
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()}}


def access(**said):
    line = {
        "extendedRequestId": "r-1",
        "requestTimeEpoch": "1764000000123",
        "httpMethod": "GET",
        "path": "/v1/me",
        "status": "401",
    }
    return json.dumps(line | {"ip": "192.0.2.1", "userAgent": "-", "integrationStatus": "200"} | said)


def test_an_anonymous_request_enters_the_platforms_log_once():
    world = World()
    lines = told_by(subscription(access(), "junk", "{}", access()))
    events = [anonymous_event(line, action="me.read", received_at=world.now) for line in lines]

    for event in events:
        world.outbox.enter(event)
    world.relay(STRANGERS)

    [entry] = [json.loads(line) for line in world.lines(STRANGERS)]
    assert (entry["request_id"], entry["result"], entry["source"]) == ("r-1", "denied", "gateway")
    assert entry["user_agent"] is None
    assert "ip_address" not in entry


@pytest.mark.parametrize("event", [{}, {"awslogs": {"data": "x"}}, {"awslogs": {"data": "eA=="}}, {"awslogs": None}])
def test_what_is_no_subscription_is_refused(event):
    with pytest.raises(Malformed):
        told_by(event)


def test_a_control_message_tells_of_no_request():
    assert told_by(subscription(access(), kind="CONTROL_MESSAGE")) == []


def external(world, *documents):
    return external_events(
        list(documents),
        tenant_id=TENANT,
        writer_type="oauth_client",
        writer_id="cli_x",
        control_domains=("settings", "audit"),
        now=world.now,
    )


def a_document(world, **said):
    return {"id": "order-1", "timestamp": rfc3339(world.now), "action": "orders.invoices.create", "result": "success"} | said


def test_an_external_event_says_what_its_writer_says_and_who_wrote_it():
    world = World()
    [event] = external(world, a_document(world, user_id=user_id(1), resource="inv-1", ip_address="2001:db8::1"))

    world.outbox.enter(event)
    world.outbox.enter(external(world, a_document(world, user_id=user_id(1), resource="inv-1", ip_address="2001:db8::1"))[0])

    said = event.as_json()
    assert (said["source"], said["principal_id"], said["client_request_id"]) == ("external", "cli_x", "order-1")
    with pytest.raises(AnotherEvent):
        world.outbox.enter(external(world, a_document(world, resource="inv-2"))[0])
    with pytest.raises(AnotherEvent):
        world.outbox.enter(external(world, a_document(world, timestamp=rfc3339(world.now - timedelta(days=1))))[0])


def test_an_external_id_used_again_when_its_claim_is_gone_enters_no_event_twice():
    world = World()
    [first] = external(world, a_document(world))
    world.outbox.enter(first)
    world.relay()
    world.later(days=100)
    world.store._claims.clear()  # what the table's TTL does

    [second] = external(world, a_document(world))
    world.outbox.enter(second)
    world.relay()

    assert first.id != second.id
    found = [get_event(TENANT, event.id, store=world.store, envelope=world.envelope) for event in (first, second)]
    assert [event["timestamp"] for event in found] == [first.timestamp, second.timestamp]


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"action": "settings.users.create"}, "/0/action"),
        ({"action": "orders"}, "/0/action"),
        ({"action": 5}, "/0/action"),
        ({"result": "fine"}, "/0/result"),
        ({"timestamp": "2026-11-17T09:59:59Z"}, "/0/timestamp"),
        ({"timestamp": "2026-11-24T10:05:01Z"}, "/0/timestamp"),
        ({"timestamp": 5}, "/0/timestamp"),
        ({"ip_address": "x"}, "/0/ip_address"),
        ({"changes": []}, "/0/changes"),
        ({"id": ""}, "/0/id"),
        ({"user_agent": "x" * 1025}, "/0/user_agent"),
        ({"principal_id": "me"}, "/0/principal_id"),
        ({"received_at": "2026-11-24T10:00:00Z"}, "/0/received_at"),
        ({"sequence": 1}, "/0/sequence"),
    ],
)
def test_an_external_event_that_is_not_valid_is_refused_with_its_place(said, pointer):
    world = World()

    with pytest.raises(Unprocessable) as refused:
        external(world, a_document(world, **said))

    assert [fault["pointer"] for fault in refused.value.errors] == [pointer]


@pytest.mark.parametrize("count", [0, 101])
def test_a_batch_has_one_to_a_hundred_events(count):
    world = World()

    with pytest.raises(Unprocessable):
        external(world, *[a_document(world)] * count)
