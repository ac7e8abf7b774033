import pytest

from platforma.apikeys import RateLimit, bound_by, change_key, charge_key, get_key, revoke_key
from platforma.kernel.errors import RateLimited, Unauthenticated, Unavailable
from platforma.kernel.ids import new_id


def test_a_good_key_is_its_key(world):
    issued = world.issue()

    assert world.verify(issued.text).id == issued.key.id


def test_within_the_hour_of_its_issue_a_key_costs_one_read_and_no_hash(world, hashes):
    issued = world.issue()
    world.passes(seconds=3599)
    world.keys.reads = 0

    world.verify(issued.text)

    assert (world.keys.reads, hashes) == (1, [])


def test_after_an_hour_one_check_pays_for_all_of_the_next(world, hashes):
    issued = world.issue()
    world.passes(hours=1)

    for _ in range(5):
        world.verify(issued.text)

    assert len(hashes) == 1


def test_the_last_use_is_written_once_a_minute(world):
    issued = world.issue()

    for _ in range(3):
        world.verify(issued.text, "192.0.2.1")
        world.passes(seconds=20)
        world.verify(issued.text, "192.0.2.2")
        world.passes(seconds=19)

    assert world.keys.writes == 2
    used = get_key(world.tenant_id, issued.key.id, keys=world.keys)
    assert used.last_used_ip == "192.0.2.1"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("10.1.2.3", "valid"),
        ("::ffff:10.1.2.3", "valid"),
        ("2001:db8::1", "valid"),
        ("192.0.2.1", "ip_not_allowed"),
        ("2001:db9::1", "ip_not_allowed"),
        ("10.1.2.3, 1.1.1.1", "ip_not_allowed"),
        (None, "ip_not_allowed"),
    ],
)
def test_a_range_bounds_where_a_key_is_used_from(world, address, code):
    issued = world.issue(ip_range=("10.0.0.0/8", "2001:db8::/32"))

    assert world.check(issued.text, address).code == code


def test_each_cause_has_its_code(world):
    expired, revoked, suspended = world.issue(expires_in=1), world.issue(), world.issue()
    revoke_key(world.tenant_id, revoked.key.id, **world.use())
    change_key(world.tenant_id, suspended.key.id, {"enabled": False}, narrows=lambda *_: False, **world.use())
    world.passes(seconds=1)

    codes = [world.check(text).code for text in (expired.text, revoked.text, suspended.text, "pk_live_x")]

    assert codes == ["expired", "revoked", "suspended", "malformed"]


def test_a_key_switched_on_again_works_again(world):
    issued = world.issue()
    for enabled in (False, True):
        change_key(world.tenant_id, issued.key.id, {"enabled": enabled}, narrows=lambda *_: False, **world.use())

    assert world.check(issued.text).code == "valid"


def test_another_tenants_key_is_unknown_whatever_its_state(world):
    issued, revoked = world.issue(), world.issue()
    revoke_key(world.tenant_id, revoked.key.id, **world.use())

    for key in (issued, revoked):
        found = world.check(key.text, tenant_id=new_id("ten"))
        assert (found.code, found.key) == ("unknown", None)


def test_what_the_caller_adds_may_refuse_a_genuine_key(world):
    issued = world.issue(rate_limit=RateLimit(1, 60))

    for _ in range(2):
        assert world.check(issued.text, permits=lambda _: "insufficient_scope").code == "insufficient_scope"

    assert world.check(issued.text).code == "valid"  # a refusal charged nothing
    assert get_key(world.tenant_id, issued.key.id, keys=world.keys).last_used_at is not None


def test_a_limit_counts_costs_and_a_cost_of_nothing_looks(world):
    issued = world.issue(rate_limit=RateLimit(10, 60))

    assert world.check(issued.text, cost=7).charge.remaining == 3
    assert world.check(issued.text, cost=0).charge.remaining == 3
    refused = world.check(issued.text, cost=4)
    assert (refused.code, refused.charge.remaining) == ("rate_limited", 3)
    assert world.check(issued.text, cost=3).charge.remaining == 0
    world.passes(seconds=60)
    assert world.check(issued.text).charge.remaining == 9


def test_a_key_over_its_limit_here_is_told_when_to_come_back(world):
    key = world.issue(rate_limit=RateLimit(1, 60)).key
    charge_key(key, limiter=world.limiter, clock=world.clock)
    world.passes(seconds=15)

    with pytest.raises(RateLimited) as caught:
        charge_key(key, limiter=world.limiter, clock=world.clock)

    assert caught.value.retry_after == 45


def test_a_limit_that_cannot_be_counted_admits_nothing(world):
    class Gone:
        def charge(self, *_):
            raise Unavailable

    issued = world.issue(rate_limit=RateLimit(1, 60))

    with pytest.raises(Unavailable):
        world.check(issued.text, limiter=world.instance(Gone()))


def test_a_key_made_through_a_key_ends_with_it(world):
    parent = world.issue(ip_range=("192.0.2.0/24",))
    child = world.issue(bound=bound_by(parent.key))
    grandchild = world.issue(bound=bound_by(child.key))
    assert world.check(grandchild.text).code == "valid"
    assert world.check(grandchild.text, "203.0.113.1").code == "ip_not_allowed"

    revoke_key(world.tenant_id, parent.key.id, **world.use())

    assert [world.check(key.text).code for key in (child, grandchild)] == ["revoked", "revoked"]


def test_a_pepper_is_rotated_without_ending_a_key(world, hashes):
    issued = world.issue()
    world.secrets.rotate_pepper()

    world.verify(issued.text)
    world.passes(hours=1)
    world.verify(issued.text)
    world.verify(issued.text)

    assert len(hashes) == 1


def test_a_table_that_takes_no_writes_refuses_no_key(world):
    class ReadOnly:
        def __init__(self, keys):
            self.find = keys.find

        def note_use(self, *_, **__):
            raise Unavailable

        renew_ticket = end_predecessor = note_use

    issued = world.issue()
    world.passes(hours=1)
    world.keys = ReadOnly(world.keys)

    assert world.verify(issued.text).id == issued.key.id


def test_without_vault_nothing_is_verified(world):
    issued = world.issue()
    world.secrets.gone = True

    with pytest.raises(Unavailable):
        world.verify(issued.text)


def test_our_own_log_learns_of_which_tenant_a_dead_key_is(world):
    issued = world.issue()
    revoke_key(world.tenant_id, issued.key.id, **world.use())

    with pytest.raises(Unauthenticated) as caught:
        world.verify(issued.text)

    assert caught.value.facts == {"cause": "revoked", "key_id": issued.key.id, "tenant_id": world.tenant_id}
