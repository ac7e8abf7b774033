"""One suite over where chosen witnesses are kept: in memory, and in DynamoDB (moto)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from platforma.adapters.dynamodb.audit import Outbox
from platforma.adapters.dynamodb.audit_witnesses import DynamoDBWitnesses
from platforma.adapters.memory.audit_witnesses import MemoryWitnesses
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.audit.witnesses import ChosenWitness, Offered
from platforma.audit.witnesses.ports import Witnesses
from platforma.kernel.clock import system_clock
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Attempt, Event
from platforma.kernel.ids import new_id
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.envelope import Envelope
from tests.contract.on_moto import tables_on_moto

TENANT, OTHER = new_id("ten"), new_id("ten")
RACERS = 20


@pytest.fixture(params=["memory", "dynamodb"])
def kept(request: pytest.FixtureRequest) -> Iterator[Witnesses]:
    if request.param == "memory":
        yield MemoryWitnesses()
        return
    with tables_on_moto("audit") as tables:
        yield DynamoDBWitnesses(tables, Outbox(tables, Envelope(MemoryDataKeys(TENANT, OTHER, PLATFORM))))


def a_witness(tenant_id: str = TENANT) -> ChosenWitness:
    return ChosenWitness(new_id("wit"), tenant_id, "w+0+k", "https://w.test", "2026-11-28T12:00:00.000Z", "usr_x")


def an_event(tenant_id: str = TENANT) -> Event:
    return Attempt("r", "audit.witnesses.create", system_clock, tenant_id=tenant_id, principal_type="user").event("success")


def test_a_witness_is_kept_with_its_event(kept: Witnesses):
    witness, event = a_witness(), an_event()

    kept.add(witness, event)

    assert event.attempt is not None
    assert event.attempt.entered
    assert kept.get(TENANT, witness.id) == witness
    assert list(kept.every()) == [witness]


def test_another_tenants_witness_is_not_there(kept: Witnesses):
    witness = a_witness()
    kept.add(witness, an_event())

    assert kept.get(OTHER, witness.id) is None
    assert kept.listed(OTHER, after=None, limit=10) == []


def test_the_platforms_own_is_one_of_all_and_all_are_not_the_platforms(kept: Witnesses):
    own, theirs = a_witness(PLATFORM), a_witness()
    kept.add(own, an_event(PLATFORM))
    kept.add(theirs, an_event())

    assert kept.listed(PLATFORM, after=None, limit=10) == [own]
    assert {one.id for one in kept.every()} == {own.id, theirs.id}


def test_witnesses_are_listed_oldest_first_in_pages(kept: Witnesses):
    made = sorted((a_witness() for _ in range(3)), key=lambda one: one.id)
    for witness in made:
        kept.add(witness, an_event())

    assert kept.listed(TENANT, after=None, limit=2) == made[:2]
    assert kept.listed(TENANT, after=made[1].id, limit=2) == made[2:]


def test_of_twenty_who_remove_it_at_once_one_does(kept: Witnesses):
    witness = a_witness()
    kept.add(witness, an_event())

    def remove(_number: int) -> bool:
        try:
            kept.remove(witness, an_event())
        except PreconditionFailed:
            return False
        return True

    with ThreadPoolExecutor(RACERS if isinstance(kept, DynamoDBWitnesses) else 1) as pool:
        assert sum(pool.map(remove, range(RACERS))) == 1
    assert kept.get(TENANT, witness.id) is None
    assert (list(kept.every()), kept.listed(TENANT, after=None, limit=10)) == ([], [])


def test_how_it_stands_is_noted_by_witness_and_log(kept: Witnesses):
    witness, other = a_witness(), a_witness()
    event = an_event()

    kept.note(witness, TENANT, Offered(3, "2026-11-28T12:00:00.000Z"))
    kept.note(witness, f"{TENANT}.2", Offered(failing_since="2026-11-28T12:00:00.000Z", tries=1, error="status 500"), event)
    kept.note(witness, TENANT, Offered(4))

    assert kept.offered(other) == {}
    assert kept.offered(witness)[TENANT] == Offered(4)
    assert kept.offered(witness)[f"{TENANT}.2"].error == "status 500"
    assert event.attempt is not None
    assert event.attempt.entered
