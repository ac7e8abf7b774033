"""A certificate's life: ordered, proved, issued, installed, renewed, revoked; and whatever goes wrong on the way."""

from datetime import timedelta

import pytest

from platforma.certificates import renew_certificate, revoke_certificate
from platforma.certificates.errors import Refused, TryLater
from platforma.certificates.model import FIRST_ATTEMPTS
from platforma.certificates.ports import Window
from platforma.kernel.errors import Conflict, Unavailable
from tests.unit.certificates.world import Died, World


@pytest.fixture
def world():
    return World()


def failing(what, error, times=10**6):
    left = iter(range(times))

    def fails(step):
        if step == what and next(left, None) is not None:
            raise error

    return fails


def test_ordered_it_is_installed_within_one_run_with_an_event_for_each_step(world):
    record = world.ordered()

    assert record.status(world.clock()) == "valid"
    assert world.edge.shown[0].chain == record.issued.chain
    assert world.actions() == ["create", "order", "issue", "install"]


def test_a_private_key_stands_nowhere_but_sealed_and_after_the_installation_nowhere(world):
    record = world.order()
    seen = []
    world.store.after_write = lambda: seen.append(world.now(record))

    world.work()

    key = world.edge.shown[0].private_key
    assert key.startswith("-----BEGIN PRIVATE KEY-----")
    assert any(each.sealed_key for each in seen)
    assert not any(key in str(each) or key.encode() in (each.sealed_key or b"") for each in seen)
    assert world.now(record).sealed_key is None
    assert key not in str(world.store.events)


def test_dns_that_spreads_slowly_is_waited_for(world):
    world.dns.slow = 15

    record = world.ordered()

    assert record.attempts == 0
    assert record.status(world.clock()) == "valid"


def test_it_is_renewed_at_about_two_thirds_of_its_life(world):
    record = world.ordered()
    world.clock.move(days=54)
    world.work()
    before = world.now(record)

    world.clock.move(days=11)
    world.work()

    assert before.issued == record.issued
    assert world.now(record).issued.serial_number != record.issued.serial_number
    assert world.now(record).places == record.places


def test_renewals_of_many_do_not_come_at_once(world):
    moments = {world.ordered(f"n{number}.test").renew_at for number in range(10)}

    assert max(moments) - min(moments) > timedelta(days=1)


def test_the_authoritys_suggestion_counts_where_there_is_one(world):
    start = world.clock() + timedelta(days=5)
    ask_at = world.clock() + timedelta(hours=6)
    world.authority.window = lambda chain: (
        Window(start, start + timedelta(days=1), ask_at) if chain == world.edge.shown[0].chain else None
    )
    record = world.ordered()

    assert start <= record.renew_at <= start + timedelta(days=1)
    world.clock.move(days=6)
    world.work()
    assert world.now(record).issued.serial_number != record.issued.serial_number
    assert world.authority.replaced == [None, record.issued.chain]


def test_a_window_that_moves_into_the_past_renews_at_once(world):
    """As when an authority has to revoke many (RFC 9773 section 1)."""
    record = world.ordered()
    world.clock.move(hours=2)
    past = world.clock() - timedelta(days=2)
    calm = world.clock() + timedelta(days=50)
    windows = [Window(past, past + timedelta(days=1), calm), Window(calm, calm + timedelta(days=1), calm)]
    world.authority.window = lambda chain: windows[chain != record.issued.chain]
    asked = record.changed(ask_at=world.clock())
    world.store.replace(asked)

    world.work()

    assert world.now(record).issued.serial_number != record.issued.serial_number


def test_an_authority_that_always_suggests_the_past_is_not_asked_in_a_circle(world):
    past = world.clock() - timedelta(days=2)
    world.authority.window = lambda _: Window(past, past + timedelta(days=1), world.clock() + timedelta(hours=6))
    world.ordered()
    for _ in range(120):
        world.work()
        world.clock.move(minutes=1)

    assert len(world.authority.orders) <= 3


def test_within_a_window_the_moment_that_was_drawn_stays(world):
    start = world.clock() + timedelta(days=5)
    world.authority.window = lambda _: Window(start, start + timedelta(days=1), world.clock() + timedelta(hours=6))
    record = world.ordered()
    world.clock.move(hours=7)

    world.work()

    assert world.now(record).renew_at == record.renew_at
    assert world.now(record).ask_at > record.ask_at


@pytest.mark.parametrize("what", ["order", "answer", "state", "finalize", "download"])
def test_an_authority_that_is_gone_for_a_while_is_asked_again(world, what):
    world.authority.fails = failing(what, Unavailable(), times=3)
    record = world.order()

    for _ in range(12):
        world.work()
        world.clock.move(minutes=1)

    assert world.now(record).status(world.clock()) == "valid"
    assert world.now(record).problem is None
    assert world.actions().count("fail") == 3
    assert world.actions().count("order") == 1, "the order goes on where it stood"


def test_failures_come_further_and_further_apart(world):
    world.authority.fails = failing("order", Unavailable())
    record = world.order()
    moments = []
    for _ in range(60 * 24):
        if world.work().steps:
            moments.append(world.clock())
        world.clock.move(minutes=1)

    assert len(moments) < 25
    assert world.now(record).next_attempt_at - world.clock() < timedelta(hours=6)


def test_a_rate_limit_is_kept_to(world):
    until = world.clock() + timedelta(hours=3)
    world.authority.fails = failing("order", TryLater("rateLimited", until=until), times=1)
    record = world.order()

    world.work()
    assert world.now(record).next_attempt_at >= until
    world.clock.move(hours=2)
    assert world.work().steps == 0
    world.clock.move(hours=2)
    world.work()

    assert world.now(record).status(world.clock()) == "valid"


def test_an_order_that_goes_invalid_is_given_up_for_another(world):
    world.authority.broken = "dns: no TXT record"
    record = world.order()
    world.work()
    failed = world.now(record)
    world.authority.broken = ""

    world.clock.move(minutes=1)
    world.work()

    assert (failed.order, failed.sealed_key, failed.problem) == (None, None, "dns: no TXT record")
    assert not world.dns.records
    assert world.now(record).status(world.clock()) == "valid"
    assert len(world.authority.orders) == 2


def test_what_an_authority_will_never_sign_is_tried_once(world):
    world.authority.fails = failing("order", Refused("rejectedIdentifier", lasting=True))
    record = world.order("forbidden.test")

    world.work()
    world.clock.move(days=1)

    assert world.work().steps == 0
    assert world.now(record).status(world.clock()) == "failed"


def test_what_never_was_is_given_up_after_some_hours_and_taken_up_when_asked_to(world):
    world.authority.broken = "wrong DNS"
    record = world.order()
    for _ in range(60 * 12):
        world.work()
        world.clock.move(minutes=1)
    given_up = world.now(record)
    world.authority.broken = ""

    renew_certificate(record.id, certificates=world.store, attempt=world.attempt)
    world.work()

    assert (given_up.status(world.clock()), given_up.attempts) == ("failed", FIRST_ATTEMPTS)
    assert world.now(record).status(world.clock()) == "valid"


def test_one_that_stands_is_tried_for_ever_and_is_told_of_at_a_third_of_its_life(world):
    record = world.ordered()
    world.authority.broken = "wrong DNS"
    world.clock.move(days=59)
    quiet = world.work().late
    for _ in range(6 * 40):
        world.clock.move(hours=4)
        world.work()

    assert quiet == 0
    assert world.work().late == 1
    assert world.now(record).status(world.clock()) == "expired"
    assert world.now(record).attempts > FIRST_ATTEMPTS
    world.authority.broken = ""
    world.clock.move(hours=7)
    world.work()
    assert world.now(record).status(world.clock()) == "valid"


def test_what_cannot_be_installed_is_tried_again_with_the_same_certificate(world):
    world.edge.fails = failing("install", Unavailable(), times=5)
    record = world.order()
    for _ in range(40):
        world.work()
        world.clock.move(minutes=1)

    assert world.now(record).status(world.clock()) == "valid"
    assert len(world.authority.orders) == 1


def test_the_old_one_counts_until_the_new_one_is_installed(world):
    record = world.ordered()
    world.edge.fails = failing("install", Unavailable())
    renew_certificate(record.id, certificates=world.store, attempt=world.attempt)

    world.work()

    assert world.now(record).issued == record.issued
    assert world.now(record).order.stage == "issued"


def test_what_an_operator_asks_for_while_the_worker_writes_is_done_all_the_same(world):
    record = world.ordered()
    writes = iter([1, 2])

    def worker_writes(certificate_id):
        found = read(certificate_id)
        if next(writes, None) is not None:
            world.store.replace(found.changed(ask_at=world.clock()))
        return found

    read, world.store.get = world.store.get, worker_writes
    revoke_certificate(record.id, reason="key_compromise", replaced=False, certificates=world.store, attempt=world.attempt)
    world.work()

    assert world.authority.revoked == [(record.issued.chain, 1)]
    assert world.now(record).status(world.clock()) == "revoked"


def test_revoked_it_ends(world):
    record = world.ordered()
    revoke_certificate(record.id, reason="superseded", replaced=False, certificates=world.store, attempt=world.attempt)

    world.work()
    world.clock.move(days=80)
    world.work()

    assert world.authority.revoked == [(record.issued.chain, 4)]
    assert world.now(record).status(world.clock()) == "revoked"
    assert len(world.authority.orders) == 1
    with pytest.raises(Conflict):
        renew_certificate(record.id, certificates=world.store, attempt=world.attempt)


def test_replaced_it_is_revoked_after_its_successor_is_installed(world):
    record = world.ordered()
    revoke_certificate(record.id, reason="key_compromise", replaced=True, certificates=world.store, attempt=world.attempt)
    shown_when_revoked = []
    world.authority.fails = lambda what: what == "revoke" and shown_when_revoked.append(world.edge.shown[-1].chain)

    world.work()

    assert world.authority.revoked == [(record.issued.chain, 1)]
    assert shown_when_revoked == [world.now(record).issued.chain]
    assert world.now(record).status(world.clock()) == "valid"


@pytest.mark.parametrize("write", range(1, 9))
def test_a_worker_that_dies_after_any_write_is_gone_on_from(world, write):
    record = world.order()
    writes = iter(range(1, 1000))

    def die():
        if next(writes) == write:
            raise Died

    world.store.after_write = die
    for _ in range(5):
        try:
            world.work()
        except Died:
            continue

    assert world.now(record).status(world.clock()) == "valid"
    assert len(world.authority.orders) == 1
    assert world.actions() == ["create", "order", "issue", "install"]


@pytest.mark.parametrize("what", ["order", "publish", "answer", "state", "finalize", "download", "remove", "install"])
def test_a_worker_that_dies_in_any_call_is_gone_on_from(world, what):
    for part in (world.authority, world.dns, world.edge):
        part.fails = failing(what, Died(), times=1)
    record = world.order()
    for _ in range(5):
        try:
            world.work()
        except Died:
            continue

    assert world.now(record).status(world.clock()) == "valid"
    assert world.actions() == ["create", "order", "issue", "install"]


def test_of_two_workers_one_keeps_its_hands_off(world):
    record = world.order()
    others = iter([world.worker()])

    def meet(what):
        if what == "finalize" and (other := next(others, None)) is not None:
            other.run(until=world.clock() + timedelta(seconds=9))

    world.authority.fails = meet

    world.work()

    assert world.now(record).status(world.clock()) == "valid"
    assert world.actions() == ["create", "order", "issue", "install"]
    assert world.edge.shown[-1].chain == world.now(record).issued.chain


@pytest.mark.parametrize("wrong", ["not a certificate", "another key's", "another name's"])
def test_an_authority_that_sends_something_else_is_refused(world, wrong):
    other = World()
    other.edge.host = "edge.test" if wrong == "another key's" else "other.test"
    other.ordered(other.edge.host)
    sent = wrong if wrong == "not a certificate" else other.edge.shown[0].chain
    world.authority.download = lambda _url: sent
    record = world.order()

    world.work()

    assert not world.edge.shown
    assert "CA sent" in world.now(record).problem


def test_a_name_goes_to_its_own_edge_only(world):
    record = world.ordered("elsewhere.test")

    assert record.status(world.clock()) == "valid"
    assert not world.edge.shown


def test_many_records_share_a_run(world):
    records = [world.order(f"n{number}.test") for number in range(8)]

    world.work()

    assert {world.now(record).status(world.clock()) for record in records} == {"valid"}
