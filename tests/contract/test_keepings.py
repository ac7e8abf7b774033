"""One suite over where it is kept how long logs are: in memory, and in DynamoDB (moto)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from platforma.adapters.dynamodb.audit import Outbox
from platforma.adapters.dynamodb.keepings import DynamoDBKeepings
from platforma.adapters.memory.keepings import MemoryKeepings
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.audit.keeping import Keeping, Keepings
from platforma.kernel.clock import system_clock
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Attempt, Event
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from tests.contract.on_moto import tables_on_moto

TENANT = new_id("ten")
NOTHING = Keeping(TENANT)
DECIDED = Keeping(TENANT, 7, True, 1, "2026-11-24T12:00:00.000Z", place="")
RACERS = 20


@pytest.fixture(params=["memory", "dynamodb"])
def kept(request: pytest.FixtureRequest) -> Iterator[Keepings]:
    if request.param == "memory":
        yield MemoryKeepings()
        return
    with tables_on_moto("audit") as tables:
        yield DynamoDBKeepings(tables, Outbox(tables, Envelope(MemoryDataKeys(TENANT))))


def an_event() -> Event:
    return Attempt("r", "audit.retention.set", system_clock, tenant_id=TENANT, principal_type="user").event("success")


def test_a_decision_is_kept_with_its_event_and_open_until_it_is_applied(kept: Keepings):
    event = an_event()
    assert kept.get(TENANT) is None

    kept.put(NOTHING, DECIDED, event)

    assert event.attempt is not None
    assert event.attempt.entered
    assert (kept.get(TENANT), list(kept.open())) == (DECIDED, [DECIDED])
    assert kept.advance(DECIDED, "log/a")
    onward = replace(DECIDED, place="log/a")
    assert list(kept.open()) == [onward]
    assert kept.advance(onward, None)
    assert (kept.get(TENANT), list(kept.open())) == (replace(DECIDED, place=None), [])


def test_whoever_is_behind_moves_nothing(kept: Keepings):
    kept.put(NOTHING, DECIDED, an_event())
    assert kept.advance(DECIDED, "log/a")

    assert not kept.advance(DECIDED, "log/b")
    later = replace(DECIDED, years=8, version=2)
    kept.put(replace(DECIDED, place="log/a"), later, an_event())
    assert not kept.advance(replace(DECIDED, place="log/a"), None)
    assert list(kept.open()) == [later]


def test_of_twenty_decisions_on_one_version_one_stands(kept: Keepings):
    def decide(years: int) -> bool:
        try:
            kept.put(NOTHING, replace(DECIDED, years=years), an_event())
        except PreconditionFailed:
            return False
        return True

    with ThreadPoolExecutor(RACERS) as pool:
        won = list(pool.map(decide, range(RACERS)))

    assert won.count(True) == 1
    assert kept.get(TENANT) == replace(DECIDED, years=won.index(True))
