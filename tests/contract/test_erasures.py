"""One suite over where erasures are kept: in memory, and in DynamoDB (moto)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from platforma.adapters.dynamodb.audit import Outbox
from platforma.adapters.dynamodb.erasures import DynamoDBErasures
from platforma.adapters.memory.erasures import MemoryErasures
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.audit.erase import Place
from platforma.audit.erasure import Erasure, Erasures
from platforma.kernel.clock import system_clock
from platforma.kernel.errors import Conflict
from platforma.kernel.events import Attempt, Event
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from tests.contract.on_moto import tables_on_moto

TENANT, ADA = new_id("ten"), new_id("usr")
ASKED = Erasure(TENANT, ADA, "cli_1", "2026-11-24T12:00:00.000Z")
RACERS = 20


@pytest.fixture(params=["memory", "dynamodb"])
def kept(request: pytest.FixtureRequest) -> Iterator[Erasures]:
    if request.param == "memory":
        yield MemoryErasures()
        return
    with tables_on_moto("audit") as tables:
        yield DynamoDBErasures(tables, Outbox(tables, Envelope(MemoryDataKeys(TENANT))))


def an_event() -> Event:
    return Attempt("r", "settings.users.erase", system_clock, tenant_id=TENANT, principal_type="user").event("success")


def test_a_person_is_asked_for_once_and_without_the_event_not_at_all(kept: Erasures):
    event = an_event()
    kept.add(ASKED, event)

    assert event.attempt is not None
    assert event.attempt.entered
    with pytest.raises(Conflict):
        kept.add(ASKED, an_event())
    assert kept.get(TENANT, ADA) == ASKED
    assert kept.get(TENANT, new_id("usr")) is None


def test_it_is_open_until_it_is_done_and_kept_for_good(kept: Erasures):
    kept.add(ASKED, an_event())
    erased = replace(ASKED, status="erased", erased_at=ASKED.requested_at, before={TENANT: "note"}, place=Place(1, "p"))
    done = replace(erased, status="done", after={TENANT: "later"}, place=None)

    assert list(kept.open()) == [ASKED]
    assert kept.replace(ASKED, erased)
    assert list(kept.open()) == [erased]
    assert kept.replace(erased, done)

    assert list(kept.open()) == []
    assert kept.get(TENANT, ADA) == done


def test_of_twenty_who_go_on_with_it_one_does(kept: Erasures):
    kept.add(ASKED, an_event())
    steps = [replace(ASKED, status="erased", rewritten=number) for number in range(RACERS)]

    with ThreadPoolExecutor(RACERS) as pool:
        won = list(pool.map(lambda step: kept.replace(ASKED, step), steps))

    assert won.count(True) == 1
    assert kept.get(TENANT, ADA) == steps[won.index(True)]
