"""Our ACME client against an authority with renewal information (RFC 9773) and of other manners than OpenBao's."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from infra.vault.apply import _account_key
from platforma.adapters.acme import ACME
from platforma.adapters.memory.certificates import MemoryCertificates
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.certificates import Worker, order_certificate, revoke_certificate
from platforma.kernel.events import Attempt
from platforma.keys.envelope import Envelope
from tests.contract.openbao import _free_port
from tests.fakes.acme_authority import Authority, made
from tests.fakes.certificates import Names, Shown

pytestmark = pytest.mark.enable_socket


class Clock:
    """Now, or so much later."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class World:
    def __init__(self, authority: Authority, names: Names) -> None:
        self.names, self.clock = names, Clock()
        account = {"account_key": _account_key(), "contact": "operators@example.com"}
        self.acme = ACME(authority.directory, lambda: account, clock=self.clock)
        self.store, self.shown = MemoryCertificates(), Shown()
        self.attempt = Attempt("r1", "platform.certificates.work", self.clock, source="schedule")
        self.worker = Worker(self.store, self.acme, names, [self.shown], Envelope(MemoryDataKeys()), self.attempt)

    def work(self):
        return self.worker.run(until=self.clock() + timedelta(seconds=30))

    def order(self, *domains: str) -> str:
        return order_certificate(domains, certificates=self.store, attempt=self.attempt).id


@pytest.fixture(scope="module")
def authority(names: Names, tmp_path_factory) -> Authority:
    made()
    return Authority(tmp_path_factory.mktemp("authority"), _free_port(), names.port)


@pytest.fixture
def world(authority: Authority, names: Names) -> World:
    names.lies = False
    return World(authority, names)


def test_what_the_authority_suggests_counts_and_a_new_suggestion_is_taken_up(world: World, authority: Authority):
    with authority.running(renew_at_percent=50):
        made_id = world.order("a.test", "*.a.test")
        world.work()
        first = world.store.get(made_id)
        issued = first.issued
        assert issued.not_before + issued.life * 0.49 < first.renew_at <= issued.not_after
        assert timedelta(minutes=59) < first.ask_at - world.clock() <= timedelta(hours=1), "as its Retry-After says"
        world.clock.ahead = timedelta(minutes=30)
        assert world.work().steps == 0

    with authority.running(renew_at_percent=1, window="7200"):  # as before it revokes many: they are to be renewed soon
        world.clock.ahead = timedelta(minutes=61)
        world.work()
        hurried = world.store.get(made_id)
        assert hurried.issued == issued
        assert timedelta(hours=7) < hurried.renew_at - issued.not_before < timedelta(hours=10)

    with authority.running(renew_at_percent=50):
        world.clock.ahead = timedelta(hours=10)
        world.work()

    second = world.store.get(made_id)
    assert second.issued.serial_number != issued.serial_number
    assert (second.places, second.problem, second.order) == (first.places, None, None)
    assert second.renew_at > second.issued.not_before + second.issued.life * 0.49


def test_wrong_dns_ends_the_order_and_it_is_tried_again_later_and_later_until_it_is_right(
    world: World, authority: Authority
):
    with authority.running(renew_at_percent=50):
        world.names.lies = True
        made_id = world.order("wrong.test")
        waits = []
        for _ in range(4):
            world.work()
            failed = world.store.get(made_id)
            assert (failed.order, failed.sealed_key) == (None, None), "given up, with its key"
            assert "wrong.test" in failed.problem
            waits.append(failed.next_attempt_at - world.clock())
            world.clock.ahead += waits[-1]
        assert "_acme-challenge.wrong.test" not in world.names.records, "what proved nothing is taken away"
        assert waits[3] > 2 * waits[0], waits
        assert failed.attempts == 4
        assert [event.result for event in world.store.events if event.action.endswith(".fail")] == ["failure"] * 4

        world.names.lies = False
        world.work()
        assert world.store.get(made_id).status(world.clock()) == "valid"
        assert world.store.get(made_id).problem is None


def test_a_renewal_that_wrong_dns_stops_is_told_of_at_a_third_of_the_life(world: World, authority: Authority):
    with authority.running(renew_at_percent=50):
        made_id = world.order("late.test")
        world.work()
        issued = world.store.get(made_id).issued
        world.names.lies = True

        world.clock.ahead = issued.life * 0.6
        quiet = world.work().late
        world.clock.ahead = issued.life * 0.7
        told = world.work().late

        assert (quiet, told) == (0, 1)
        assert world.store.get(made_id).status(world.clock()) == "valid", "what stands is served on"
        assert len(world.shown.pairs) == 1


def test_revoked_it_is_on_this_authoritys_list_too(world: World, authority: Authority):
    with authority.running(renew_at_percent=50):
        made_id = world.order("revoked.test")
        world.work()
        issued = world.store.get(made_id).issued
        revoke_certificate(made_id, reason="superseded", replaced=False, certificates=world.store, attempt=world.attempt)

        world.work()

        assert world.store.get(made_id).status(world.clock()) == "revoked"
    crl = x509.load_pem_x509_crl((authority.home / "crl.pem").read_bytes())
    assert crl.get_revoked_certificate_by_serial_number(int(issued.serial_number, 16)) is not None
