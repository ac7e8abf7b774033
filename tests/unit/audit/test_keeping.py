"""A tenant's term grows and never shrinks, its hold is set and lifted; what lies there already is locked by it too."""

from platforma.adapters.memory.keepings import MemoryKeepings
from platforma.audit.keeping import apply_keepings, read_keeping, set_keeping
from platforma.audit.retention import Term
from platforma.kernel.events import Attempt
from tests.unit.audit.world import TENANT, World


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
