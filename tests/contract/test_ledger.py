"""One suite over where it is kept what was said of requests: in memory, and in DynamoDB (moto)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from platforma.adapters.dynamodb.audit import Outbox
from platforma.adapters.dynamodb.audit_ledger import DynamoDBLedger
from platforma.adapters.dynamodb.audit_log import DynamoDBLogStore
from platforma.adapters.memory.audit import MemoryLogStore, MemoryOutbox
from platforma.adapters.memory.audit_ledger import MemoryLedger
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.audit.completeness import Due, Ledger, Noted, Tally, minute_of
from platforma.audit.model import STRANGERS, Row, log_of
from platforma.audit.ports import LogStore
from platforma.audit.spreading import log_added
from platforma.kernel.clock import system_clock
from platforma.kernel.events import Attempt, Event
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.envelope import Envelope
from tests.contract.on_moto import tables_on_moto

NOON = minute_of(datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC))
NEXT = minute_of(datetime(2026, 11, 24, 12, 1, 0, tzinfo=UTC))
SAID = [Noted("r-1", False), Noted("r-2", True, "ten_a", "evt_1", "ten_a")]


@dataclass
class Place:
    """An implementation, and where events are recorded and entered for it."""

    ledger: Ledger
    store: LogStore
    outbox: Outbox | MemoryOutbox

    def record(self, tenant_id: str, principal_type: str = "user") -> Event:
        attempt = Attempt(
            request_id="r",
            action="settings.users.list",
            clock=system_clock,
            tenant_id=tenant_id,
            principal_type=principal_type,
        )
        event = attempt.event("success")
        self.outbox.enter(event)
        return event

    def waiting(self, event: Event) -> Row:
        (row,) = (row for row in self.store.pending(log_of(event), limit=10).rows if row.id == event.id)
        return row

    def exists(self, event: Event) -> bool:
        return set(self.ledger.existing([(event.tenant_id, event.id)])) == {(event.tenant_id, event.id)}


@pytest.fixture(params=["memory", "dynamodb"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    envelope = Envelope(MemoryDataKeys("ten_a", "ten_b", PLATFORM))
    if request.param == "memory":
        store = MemoryLogStore()
        yield Place(MemoryLedger(store), store, MemoryOutbox(store, envelope))
        return
    with tables_on_moto("audit") as tables:
        yield Place(DynamoDBLedger(tables), DynamoDBLogStore(tables), Outbox(tables, envelope))


def test_what_was_said_is_kept_by_minute_and_once(place: Place):
    for _ in range(2):
        place.ledger.note(NOON, SAID)

    assert sorted(place.ledger.noted(NOON), key=repr) == sorted(SAID, key=repr)
    assert list(place.ledger.noted(NEXT)) == []


def test_a_minute_is_due_once_it_lies_before_the_time_asked(place: Place):
    place.ledger.note(NOON, SAID)

    assert [due.minute for due in place.ledger.due(NEXT)] == [NOON]
    assert place.ledger.due(NOON) == []


def test_what_is_settled_is_due_no_more(place: Place):
    place.ledger.note(NOON, SAID)
    (due,) = place.ledger.due(NEXT)

    place.ledger.settle(due, {"ten_a": Tally(2, 1, 1, ["r-1"])})

    assert place.ledger.due(NEXT) == []
    assert list(place.ledger.tallies("ten_a", NOON, NOON)) == [Tally(2, 1, 1, ["r-1"])]
    assert list(place.ledger.tallies("ten_b", NOON, NOON)) == []
    assert list(place.ledger.tallies("ten_a", NEXT, NEXT)) == []


def test_what_is_said_while_it_is_settled_keeps_it_due(place: Place):
    place.ledger.note(NOON, SAID[:1])
    (due,) = place.ledger.due(NEXT)
    place.ledger.note(NOON, SAID[1:])

    place.ledger.settle(due, {})

    assert [due.minute for due in place.ledger.due(NEXT)] == [NOON]


def test_settling_what_is_not_due_leaves_nothing_due(place: Place):
    place.ledger.settle(Due(NOON, "gone"), {"ten_a": Tally()})

    assert place.ledger.due(NEXT) == []


def test_events_exist_in_their_own_tenant(place: Place):
    event = place.record("ten_a")

    asked = [("ten_a", event.id), ("ten_b", event.id), ("ten_a", "evt_2")]
    assert set(place.ledger.existing(asked)) == {("ten_a", event.id)}


def test_of_no_events_none_exist(place: Place):
    assert not place.ledger.existing([])


def test_an_event_exists_as_long_as_it_waits_or_is_entered(place: Place):
    event = place.record("ten_a")
    row = place.waiting(event)

    assert place.exists(event)
    place.store.index("ten_a", [replace(row, sequence=0)])
    assert place.exists(event)
    place.store.drop("ten_a", [row.position])
    assert place.exists(event)


def test_an_event_that_was_taken_away_before_it_was_entered_is_not_there_for_all_its_claim(place: Place):
    gone, kept = place.record("ten_a"), place.record("ten_a")

    place.store.drop("ten_a", [place.waiting(gone).position])

    assert not place.exists(gone)
    assert place.exists(kept)


def test_an_event_exists_in_any_log_of_its_tenant(place: Place):
    event = place.record(PLATFORM, "anonymous")
    row = place.waiting(event)

    assert place.exists(event)
    place.store.index(STRANGERS, [replace(row, sequence=0)])
    place.store.drop(STRANGERS, [row.position])
    assert place.exists(event)


def test_an_event_exists_in_a_further_log_until_it_is_taken_away_there(place: Place):
    now = system_clock()
    head = place.store.lease("ten_a", origin="x", owner="y", now=now, until=now + timedelta(seconds=30))
    assert head is not None
    assert place.outbox.add_log(head, 2, log_added("ten_a.2", 200, system_clock))
    events = [place.record("ten_a") for _ in range(30)]
    second = [event for event in events if log_of(event, 2) == "ten_a.2"]
    waiting = {row.id: row for row in place.store.pending("ten_a.2", limit=50).rows}
    entered, gone, *_ = (waiting[event.id] for event in second)

    place.store.index("ten_a.2", [replace(entered, sequence=0)])
    place.store.drop("ten_a.2", [entered.position, gone.position])

    asked = {("ten_a", event.id) for event in events}
    assert asked - set(place.ledger.existing(asked)) == {("ten_a", gone.id)}


def test_more_events_than_one_read_takes_are_all_looked_for(place: Place):
    events = [place.record("ten_a") for _ in range(105)]

    asked = [("ten_a", event.id) for event in events]
    assert set(place.ledger.existing(asked)) == set(asked)


def test_more_than_an_item_holds_is_kept_as_well(place: Place):
    many = [Noted(f"r-{at}", False) for at in range(4500)]

    place.ledger.note(NOON, many)

    assert set(place.ledger.noted(NOON)) == set(many)
