"""One suite over where it is kept what was said of requests: in memory, and in DynamoDB (moto)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from platforma.adapters.dynamodb.audit import ClaimItem
from platforma.adapters.dynamodb.audit_ledger import DynamoDBLedger
from platforma.adapters.memory.audit_ledger import MemoryLedger
from platforma.audit.completeness import Due, Ledger, Noted, Tally, minute_of
from tests.contract.on_moto import tables_on_moto

NOON = minute_of(datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC))
NEXT = minute_of(datetime(2026, 11, 24, 12, 1, 0, tzinfo=UTC))
SAID = [Noted("r-1", False), Noted("r-2", True, "ten_a", "evt_1", "ten_a")]


@dataclass
class Place:
    """An implementation, and what makes an event exist for it."""

    ledger: Ledger
    record: Callable[[str, str], None]


@pytest.fixture(params=["memory", "dynamodb"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "memory":
        kept = MemoryLedger()
        yield Place(kept, lambda tenant_id, event_id: kept.recorded.add((tenant_id, event_id)))
        return
    with tables_on_moto("audit") as tables:

        def record(tenant_id: str, event_id: str) -> None:
            ClaimItem(f"{tenant_id}#CLAIM#{event_id}", "CLAIM", position="p", digest=b"d").save()

        yield Place(DynamoDBLedger(tables), record)


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
    place.record("ten_a", "evt_1")

    asked = [("ten_a", "evt_1"), ("ten_b", "evt_1"), ("ten_a", "evt_2")]
    assert set(place.ledger.existing(asked)) == {("ten_a", "evt_1")}


def test_more_than_an_item_holds_is_kept_as_well(place: Place):
    many = [Noted(f"r-{at}", False) for at in range(4500)]

    place.ledger.note(NOON, many)

    assert set(place.ledger.noted(NOON)) == set(many)
