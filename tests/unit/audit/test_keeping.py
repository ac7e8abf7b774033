"""A tenant's term grows and never shrinks, its hold is set and lifted; what lies there already is locked by it too."""

import pytest

from platforma.adapters.memory.keepings import MemoryKeepings
from platforma.audit import keeping
from platforma.audit.keeping import LegalHold, apply_keepings, read_keeping, require_no_hold, set_keeping
from platforma.audit.retention import Term
from platforma.kernel.errors import PreconditionFailed, Unprocessable
from platforma.kernel.events import Attempt
from tests.unit.audit.world import TENANT, Killed, World


class Kept(World):
    """A log whose tenant decides how long it is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.keepings = MemoryKeepings()

    def decide(self, years: int = 2, hold: bool = False, if_match: int | None = None):
        attempt = Attempt("r", "audit.retention.set", self.clock, tenant_id=TENANT, principal_type="user")
        return set_keeping(
            TENANT, years=years, legal_hold=hold, if_match=if_match, keepings=self.keepings, least=2, attempt=attempt
        )

    def apply(self) -> dict[str, int]:
        return apply_keepings(keepings=self.keepings, store=self.store, bucket=self.bucket, clock=self.clock)

    def term(self, tenant_id: str) -> Term:
        kept = read_keeping(tenant_id, keepings=self.keepings, least=2)
        return Term(kept.years, kept.legal_hold)

    def terms(self) -> set[int]:
        return {found.retain_until.year - self.now.year for found in self.bucket.objects.values()}


def entered(world: Kept, count: int = 3) -> Kept:
    for number in range(count):
        world.record(number)
    world.attendant().sweep()
    return world


def test_what_lies_there_is_locked_for_the_longer_term_once_no_relay_knows_the_shorter_one():
    world = entered(Kept())
    world.decide(years=7)

    assert world.apply() == {"locked": 0, "open": 1}
    world.later(seconds=91)
    assert world.apply() == {"locked": len(world.bucket.objects), "open": 0}

    assert world.terms() == {7}
    assert read_keeping(TENANT, keepings=world.keepings, least=2).place is None


def test_what_is_written_later_is_locked_for_the_longer_term():
    world = Kept()
    world.decide(years=7, hold=True)
    by = world.relay_with(term=world.term)
    world.record(1)

    world.attendant(by).sweep()

    assert world.terms() == {7}
    assert all(found.legal_hold for found in world.bucket.objects.values())


def test_an_intent_from_before_is_finished_for_the_longer_term():
    world = Kept()
    world.record(1)
    commit = world.store.commit

    def dies(head, intent):
        commit(head, intent)
        raise Killed

    world.store.commit = dies
    with pytest.raises(Killed):
        world.attendant().ring([TENANT])
    world.store.commit = commit
    world.decide(years=7)
    world.later(seconds=31)

    world.attendant(world.relay_with(term=world.term)).ring([TENANT])

    assert world.terms() == {7}
    world.check()


@pytest.mark.parametrize("years", [2, 6])
def test_a_term_is_never_made_shorter(years: int):
    world = Kept()
    world.decide(years=7)

    with pytest.raises(Unprocessable):
        world.decide(years=years)


def test_no_lock_is_shortened_by_anything_that_is_applied():
    world = entered(Kept())
    world.decide(years=7)
    world.later(seconds=91)
    world.apply()
    locked = {name: found.retain_until for name, found in world.bucket.objects.items()}

    world.decide(years=7, hold=True)
    world.later(seconds=91)
    world.apply()

    assert all(world.bucket.objects[name].retain_until >= until for name, until in locked.items())
    assert all(found.legal_hold for found in world.bucket.objects.values())


def test_a_hold_is_lifted_from_all_of_it():
    world = entered(Kept())
    for hold in (True, False):
        world.decide(hold=hold)
        world.later(seconds=91)
        world.apply()

    assert not any(found.legal_hold for found in world.bucket.objects.values())


def test_under_a_hold_nothing_is_erased():
    world = Kept()
    require_no_hold(TENANT, keepings=world.keepings)
    world.decide(hold=True)

    with pytest.raises(LegalHold):
        require_no_hold(TENANT, keepings=world.keepings)


def test_a_decision_on_a_stale_version_is_none():
    world = Kept()
    world.decide(years=3, if_match=0)

    with pytest.raises(PreconditionFailed):
        world.decide(years=4, if_match=0)


def test_whoever_stops_is_followed_by_one_who_goes_on_there(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeping, "_STEP", 1)
    world = entered(Kept())
    world.decide(years=7)
    world.later(seconds=91)
    lock, locked = world.bucket.lock, []

    def slow(name, **more):
        lock(name, **more)
        locked.append(name)
        world.later(seconds=41)

    world.bucket.lock = slow
    while world.apply()["open"]:
        pass

    assert sorted(locked) == sorted(world.bucket.objects)
    assert len(locked) == len(set(locked))
