"""What the relay and search rely on, of the store in memory and of DynamoDB's."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from platforma.adapters.dynamodb.audit import Outbox
from platforma.adapters.dynamodb.audit_log import DynamoDBLogStore
from platforma.adapters.dynamodb.person_keys import DynamoDBPersonKeys
from platforma.adapters.dynamodb.tables import Tables
from platforma.adapters.dynamodb.transaction import Transaction
from platforma.adapters.memory.audit import MemoryBucket, MemoryLogStore, MemoryOutbox, MemoryPersonKeys
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.adapters.s3 import S3Bucket
from platforma.audit.errors import AnotherEvent, WrittenBefore
from platforma.audit.index import FAILED_SIGN_INS, SIGN_IN
from platforma.audit.model import Intent, numbered, position_of
from platforma.audit.person_keys import PersonKeys
from platforma.audit.ports import Path, Span
from platforma.audit.query import parse_query
from platforma.audit.relay import Relay, relay
from platforma.audit.search import get_event, search
from platforma.audit.spreading import log_added
from platforma.kernel.clock import system_clock
from platforma.kernel.errors import Unavailable
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from tests.contract.on_moto import isolate, make_tables

REGION = "eu-central-1"
RACERS = 20
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
UNTIL = NOW + timedelta(seconds=30)
EVER = Span("0", "~")


class Ports:
    def __init__(self, store, outbox, bucket, person_keys, envelope):
        self.store, self.outbox, self.bucket, self.person_keys, self.envelope = store, outbox, bucket, person_keys, envelope

    def relay(self, log_id):
        persons = PersonKeys(self.person_keys, self.envelope)
        return relay(log_id, origin=f"host/audit/{log_id}", by=Relay(self.store, self.bucket, self.envelope, persons))


@pytest.fixture(scope="module")
def aws():
    """Tables and bucket on moto, made once: every test has a tenant of its own."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        isolate(patch)
        make_tables("audit", "key")
        s3 = boto3.client("s3", REGION)
        s3.create_bucket(
            Bucket="log", ObjectLockEnabledForBucket=True, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield Tables({"audit": "audit", "key": "key"}, REGION), s3


@pytest.fixture
def tenant():
    return new_id("ten")


@pytest.fixture(params=["memory", "aws"])
def ports(request, tenant):
    envelope = Envelope(MemoryDataKeys(tenant))
    if request.param == "memory":
        store = MemoryLogStore()
        return Ports(store, MemoryOutbox(store, envelope), MemoryBucket(), MemoryPersonKeys(), envelope)
    tables, s3 = request.getfixturevalue("aws")
    tables.bind()
    bucket = S3Bucket("log", client=s3)
    return Ports(DynamoDBLogStore(tables), Outbox(tables, envelope), bucket, DynamoDBPersonKeys(), envelope)


def attempt(tenant, **said):
    return Attempt(
        request_id=said.pop("request_id", "req"),
        action=said.pop("action", "settings.users.create"),
        clock=system_clock,
        ip_address="192.0.2.7",
        user_agent="agent",
        tenant_id=tenant,
        principal_type="user",
        principal_id="p",
        user_id=said.pop("user_id", None) or new_id("usr"),
    )


def record(ports, tenant, **said):
    event = attempt(tenant, **said).event("success", resource=said.get("resource"))
    ports.outbox.enter(event)
    return event


def lease(ports, log_id, owner, now=NOW):
    return ports.store.lease(log_id, origin="first", owner=owner, now=now, until=now + timedelta(seconds=30))


def intent(positions=("a",), first=0, name="i"):
    return Intent(name, first, positions, ((("usr", "usr"),),), b"r" * 32, (b"f" * 32,), "2026", UNTIL)


def test_an_entered_event_waits_and_its_attempt_knows(ports, tenant):
    one = attempt(tenant)
    event = one.event("success")

    ports.outbox.enter(event)

    assert one.entered
    assert [row.id for row in ports.store.pending(tenant, limit=5).rows] == [event.id]
    assert tenant in list(ports.store.logs())
    assert ports.store.claimed(tenant, event.id) == position_of(event.timestamp, event.id)


def test_the_same_event_again_is_as_good_as_once(ports, tenant):
    event = record(ports, tenant)

    ports.outbox.enter(event)

    assert len(ports.store.pending(tenant, limit=5).rows) == 1


def test_another_event_of_the_same_id_is_refused(ports, tenant):
    event = record(ports, tenant)

    with pytest.raises(AnotherEvent):
        ports.outbox.enter(replace(event, ip_address="198.51.100.1"))


def test_of_racers_for_the_lease_one_has_it(ports, tenant):
    won, barrier = [], threading.Barrier(RACERS)

    def race(owner):
        barrier.wait()
        if lease(ports, tenant, owner):
            won.append(owner)

    threads = [threading.Thread(target=race, args=(f"o{n}",)) for n in range(RACERS)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert len(won) == 1


def test_a_lease_that_is_over_can_be_taken_and_fences_off_its_former_holder(ports, tenant):
    old = lease(ports, tenant, "old")
    new = lease(ports, tenant, "new", NOW + timedelta(seconds=31))

    assert new.fence > old.fence
    assert ports.store.commit(old, intent()) is None
    assert ports.store.commit(new, intent()).intent == intent()


def test_the_origin_is_what_the_first_lease_said(ports, tenant):
    lease(ports, tenant, "one")

    again = ports.store.lease(tenant, origin="other", owner="one", now=NOW, until=UNTIL)

    assert again.origin == "first"


def test_who_holds_the_lease_finds_that_it_was_rung_for(ports, tenant):
    head = lease(ports, tenant, "one")
    assert lease(ports, tenant, "two") is None

    assert not ports.store.release(head, "one")
    assert ports.store.release(lease(ports, tenant, "one"), "one")
    assert lease(ports, tenant, "two") is not None


def test_an_open_intent_is_read_back_whole_and_closed_once_by_its_id(ports, tenant):
    head = lease(ports, tenant, "one")
    ports.store.commit(head, intent())

    assert ports.store.head(tenant).intent == intent()
    assert ports.store.commit(head, intent(name="j")) is None
    assert not ports.store.close(tenant, intent(name="j"))
    assert ports.store.close(tenant, intent())
    assert not ports.store.close(tenant, intent())
    closed = ports.store.head(tenant)
    assert (closed.size, closed.frontier, closed.newest, closed.intent) == (1, (b"f" * 32,), "2026", None)


def added(ports, head, count=2):
    return ports.outbox.add_log(head, count, log_added(numbered(head.log_id, count), 150.0, system_clock))


def test_a_log_is_added_with_its_first_event_and_tenants_events_are_spread(ports, tenant):
    record(ports, tenant)
    head = ports.relay(tenant).head

    assert ports.store.spread(tenant) == 1
    assert added(ports, head)
    assert not added(ports, head)
    assert ports.store.spread(tenant) == 2
    assert ports.store.logs_of(tenant) == [tenant, f"{tenant}.2"]
    [row] = ports.store.pending(f"{tenant}.2", limit=5).rows
    assert json.loads(row.body)["action"] == "audit.logs.add"
    assert ports.store.claimed(tenant, row.id) == row.position
    now = ports.store.head(tenant)
    assert (now.counted_size, now.counted_newest) == (1, now.newest)


def test_logs_are_in_the_order_of_their_numbers(ports, tenant):
    record(ports, tenant)
    head = ports.relay(tenant).head

    assert all(added(ports, head, count) for count in range(2, 12))

    assert ports.store.logs_of(tenant) == [numbered(tenant, number) for number in range(1, 12)]


def test_whose_lease_was_taken_adds_no_log_and_counts_nothing(ports, tenant):
    record(ports, tenant)
    head = ports.relay(tenant).head
    record(ports, tenant)
    ports.relay(tenant)

    ports.store.counted(head)

    assert not added(ports, head)
    assert ports.store.logs_of(tenant) == [tenant]
    assert ports.store.spread(tenant) == 1
    assert not ports.store.pending(f"{tenant}.2", limit=1).rows
    assert ports.store.head(tenant).counted_newest == ""


def test_of_racers_who_add_a_log_one_does(ports, tenant):
    record(ports, tenant)
    head = ports.relay(tenant).head

    with ThreadPoolExecutor(RACERS) as pool:
        won = list(pool.map(lambda _: added(ports, head), range(RACERS)))

    assert won.count(True) == 1
    assert len(ports.store.pending(f"{tenant}.2", limit=5).rows) == 1


def test_the_rate_is_measured_from_where_it_was_counted(ports, tenant):
    record(ports, tenant)
    head = ports.relay(tenant).head

    ports.store.counted(head)

    now = ports.store.head(tenant)
    assert (now.counted_size, now.counted_newest) == (1, head.newest)


def test_a_process_goes_on_with_what_it_learned_and_another_learns_of_more(aws, tenant):
    tables, _ = aws
    tables.bind()
    envelope, store = Envelope(MemoryDataKeys(tenant)), DynamoDBLogStore(tables)
    ticks = [datetime.now(UTC)]
    early = Outbox(tables, envelope, lambda: ticks[0])
    early.enter(attempt(tenant).event("success"))
    persons = PersonKeys(DynamoDBPersonKeys(), envelope)
    head = relay(tenant, origin="o", by=Relay(store, MemoryBucket(), envelope, persons)).head
    assert early.add_log(head, 2, log_added(f"{tenant}.2", 150.0, system_clock))

    def share(outbox):
        for _ in range(20):
            outbox.enter(attempt(tenant).event("success"))
        return {log_id: len(store.pending(log_id, limit=100).rows) for log_id in (tenant, f"{tenant}.2")}

    assert share(early) == {tenant: 20, f"{tenant}.2": 1}
    assert share(Outbox(tables, envelope))[f"{tenant}.2"] > 1
    before = store.pending(f"{tenant}.2", limit=100).rows
    ticks[0] += timedelta(minutes=5)
    share(early)
    assert len(store.pending(f"{tenant}.2", limit=100).rows) > len(before)


@pytest.mark.parametrize(("code", "entered"), [("TransactionCanceledException", 1), ("InternalServerError", 0)])
def test_where_too_many_learn_at_once_one_log_is_known_and_where_the_table_is_gone_nothing_is_entered(
    aws, tenant, monkeypatch, code, entered
):
    tables, _ = aws
    tables.bind()
    outbox = Outbox(tables, Envelope(MemoryDataKeys(tenant)))
    commit = Transaction.commit

    def refusing(transaction, *events):
        if not events:
            raise Unavailable(cause=code)
        commit(transaction, *events)

    monkeypatch.setattr(Transaction, "commit", refusing)
    with nullcontext() if entered else pytest.raises(Unavailable):
        outbox.enter(attempt(tenant).event("success"))

    assert len(DynamoDBLogStore(tables).pending(tenant, limit=5).rows) == entered


def test_the_largest_checkpoint_stands(ports, tenant):
    lease(ports, tenant, "one")

    ports.store.checkpointed(tenant, 5, NOW)
    ports.store.checkpointed(tenant, 3, UNTIL)

    assert (ports.store.head(tenant).checkpoint_size, ports.store.head(tenant).checkpoint_at) == (5, NOW)


@pytest.mark.parametrize("ascending", [True, False])
def test_pages_are_in_order_and_within_their_span(ports, tenant, ascending):
    for _ in range(5):
        record(ports, tenant)
    order = [row.position for row in ports.store.pending(tenant, limit=9).rows]

    page = ports.store.pending(tenant, Span(order[1], order[3]), ascending=ascending, limit=2)

    expected = order[1:4] if ascending else order[1:4][::-1]
    assert [row.position for row in page.rows] == expected[:2]
    assert page.more
    assert order == sorted(order)


def test_indexed_events_are_found_under_every_path_and_dropped_ones_wait_no_longer(ports, tenant):
    event = record(ports, tenant, resource="cls_eu01")
    [row] = ports.store.pending(tenant, limit=1).rows

    ports.store.index(tenant, [replace(row, sequence=7)])
    ports.store.drop(tenant, [row.position])

    assert ports.store.waiting(tenant, [row.position]) == {}
    assert ports.store.entered(tenant, [row.position])[row.position].sequence == 7
    for path in (Path(), Path("user", event.user_id), Path("resource", "cls_eu01"), Path("request", "req")):
        assert [row.sequence for row in ports.store.hot(tenant, path, EVER, ascending=True, limit=1).rows] == [7]


def test_failed_sign_ins_stand_under_a_path_of_their_own(ports, tenant):
    for result in ("success", "denied", "failure", "error"):
        ports.outbox.enter(attempt(tenant, action=SIGN_IN).event(result))
        ports.outbox.enter(attempt(tenant).event(result))
    rows = ports.store.pending(tenant, limit=9).rows

    ports.store.index(tenant, [replace(row, sequence=number) for number, row in enumerate(rows)])

    found = [json.loads(row.body) for row in ports.store.hot(tenant, FAILED_SIGN_INS, EVER, ascending=True, limit=9).rows]
    assert sorted((one["action"], one["result"]) for one in found) == [
        (SIGN_IN, "denied"),
        (SIGN_IN, "error"),
        (SIGN_IN, "failure"),
    ]


def test_a_log_keeps_since_when_failed_sign_ins_are_counted(ports, tenant):
    for hours in (0, 1):
        head = lease(ports, tenant, "a", NOW + timedelta(hours=hours))

    assert head.sign_ins_since == ports.store.head(tenant).sign_ins_since == NOW


def test_what_is_set_aside_waits_no_longer(ports, tenant):
    record(ports, tenant)
    [row] = ports.store.pending(tenant, limit=1).rows

    ports.store.set_aside(tenant, row)

    assert not ports.store.pending(tenant, limit=1).rows


def test_all_who_make_a_persons_key_get_the_same(ports, tenant):
    got, barrier = [], threading.Barrier(RACERS)

    def race(number):
        barrier.wait()
        got.append(ports.person_keys.make(tenant, "usr_x", bytes([number])))

    threads = [threading.Thread(target=race, args=(n,)) for n in range(RACERS)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert len(got) == RACERS
    assert len(set(got)) == 1
    assert ports.person_keys.find(tenant, ["usr_x", "usr_y"]) == {"usr_x": got[0]}


def test_an_erased_key_is_remembered_and_not_made_again(ports, tenant):
    ports.person_keys.make(tenant, "usr_x", b"1")

    ports.person_keys.erase(tenant, "usr_x")

    assert ports.person_keys.find(tenant, ["usr_x"]) == {"usr_x": None}
    assert ports.person_keys.make(tenant, "usr_x", b"2") is None


def test_an_object_is_written_once(ports, tenant):
    until = system_clock() + timedelta(days=731)
    ports.bucket.put(f"{tenant}/1", b"one", retain_until=until)

    with pytest.raises(WrittenBefore):
        ports.bucket.put(f"{tenant}/1", b"two", retain_until=until)

    ports.bucket.put(f"{tenant}/2", b"two", retain_until=until)
    assert ports.bucket.get(f"{tenant}/1") == b"one"
    assert ports.bucket.get(f"{tenant}/3") is None
    assert list(ports.bucket.names(f"{tenant}/", after=f"{tenant}/1")) == [f"{tenant}/2"]


def test_an_event_is_found_at_once_and_the_same_after_it_was_entered(ports, tenant):
    events = [record(ports, tenant, request_id=f"r{n}") for n in range(3)]
    newest_first = [event.id for event in sorted(events, key=lambda e: (e.timestamp, e.id), reverse=True)]
    query = parse_query(tenant, {"limit": "2"})

    waiting = search(query, store=ports.store, envelope=ports.envelope)
    assert ports.relay(tenant).entered == 3
    entered = search(query, store=ports.store, envelope=ports.envelope)
    rest = search(replace(query, after=entered.after), store=ports.store, envelope=ports.envelope)

    assert [event["id"] for event in waiting.events] == newest_first[:2]
    assert [event["id"] for event in entered.events] == newest_first[:2]
    assert [event["id"] for event in rest.events] == newest_first[2:]
    assert rest.after is None
    one = get_event(tenant, newest_first[0], store=ports.store, envelope=ports.envelope)
    assert one["ip_address"] == "192.0.2.7"
    assert one["sequence"] in range(3)
