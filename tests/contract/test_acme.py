"""Our ACME client against OpenBao's directory, with DNS of its own, and an authority that has bad days."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from cryptography import x509

from infra.vault.apply import _account_key
from platforma.adapters.acme import ACME
from platforma.adapters.memory.certificates import MemoryCertificates
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.certificates import Worker, order_certificate, renew_certificate, revoke_certificate
from platforma.certificates.errors import OrderLost, Refused, TryLater
from platforma.certificates.pair import csr_for, issued_for, new_private_key
from platforma.kernel.clock import system_clock
from platforma.kernel.errors import Unavailable
from platforma.kernel.events import Attempt
from platforma.keys.envelope import Envelope
from tests.contract.openbao import OpenBao
from tests.fakes.acme_proxy import Proxy, every_other_nonce, proxied
from tests.fakes.certificates import Names, Shown

pytestmark = pytest.mark.enable_socket
ROLE = {"server_flag": True, "allow_any_name": True, "require_cn": False, "key_type": "any", "ttl": "1h", "no_store": False}


class World:
    def __init__(self, bao: OpenBao, proxy: Proxy, names: Names) -> None:
        self.bao, self.proxy, self.names = bao, proxy, names
        self.account = {"account_key": _account_key()}
        self.authority = self.client()
        self.store, self.shown = MemoryCertificates(), Shown()
        self.attempt = Attempt("r1", "platform.certificates.work", system_clock, source="schedule")
        sealer = Envelope(MemoryDataKeys())
        self.worker = Worker(self.store, self.authority, names, [self.shown], sealer, self.attempt)

    def client(self) -> ACME:
        directory = f"{self.proxy.url}/v1/pki/roles/public/acme/directory"
        return ACME(directory, lambda: self.account, ca_file=str(self.bao.authority.file))

    def work(self, seconds: float = 30):
        return self.worker.run(until=datetime.now(UTC) + timedelta(seconds=seconds))

    def ordered(self, *domains: str):
        made = order_certificate(domains, certificates=self.store, attempt=self.attempt)
        self.work()
        return self.store.get(made.id)


@pytest.fixture(scope="module")
def proxy(bao: OpenBao, names: Names) -> Iterator[Proxy]:
    bao.authority.issue("proxy", server=True)
    with proxied(bao.addr, bao.authority.file, bao.home / "proxy.pem", bao.home / "proxy-key.pem") as made:
        headers = ["Replay-Nonce", "Link", "Location"]
        bao.write("sys/mounts/pki", type="pki", config={"max_lease_ttl": "8760h", "allowed_response_headers": headers})
        bao.write("pki/root/generate/internal", common_name="test CA", key_type="ec", ttl="8760h")
        bao.root.write_data("pki/config/cluster", data={"path": f"{made.url}/v1/pki"})
        bao.write("pki/roles/public", **ROLE)
        bao.write(
            "pki/config/acme",
            enabled=True,
            dns_resolver=f"127.0.0.1:{names.port}",
            default_directory_policy="forbid",
            allowed_roles=["public"],
        )
        yield made


@pytest.fixture
def world(bao: OpenBao, proxy: Proxy, names: Names) -> World:
    proxy.misbehave = lambda _method, _path: None
    proxy.seen.clear()
    names.lies = False
    return World(bao, proxy, names)


def test_a_certificate_is_ordered_proved_fetched_and_installed(world: World):
    record = world.ordered("a.test", "*.a.test")

    pair = world.shown.pairs[0]
    leaf = x509.load_pem_x509_certificates(pair.chain.encode())[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"a.test", "*.a.test"}
    assert issued_for(pair.chain, record.domains, pair.private_key.encode(), datetime.now(UTC)) == record.issued
    assert (record.status(datetime.now(UTC)), record.order, record.sealed_key) == ("valid", None, None)
    assert not world.names.records, "what proved the names is taken away"


def test_every_other_nonce_refused_delays_and_breaks_nothing(world: World):
    world.proxy.misbehave = every_other_nonce()

    record = world.ordered("nonces.test")

    assert record.status(datetime.now(UTC)) == "valid"
    assert record.attempts == 0


def test_a_storm_that_refuses_every_nonce_is_an_outage_and_then_over(world: World):
    world.proxy.misbehave = lambda method, _path: (400, "badNonce", {}) if method == "POST" else None

    with pytest.raises(TryLater):
        world.authority.order(["storm.test"], None)
    world.proxy.misbehave = lambda _method, _path: None

    assert world.authority.order(["storm.test"], None)[1]


def test_a_rate_limit_says_until_when(world: World):
    world.proxy.misbehave = lambda _method, path: (
        (429, "rateLimited", {"Retry-After": "1800"}) if "new-order" in path else None
    )

    with pytest.raises(TryLater) as refused:
        world.authority.order(["many.test"], None)

    assert timedelta(minutes=29) < refused.value.until - datetime.now(UTC) <= timedelta(minutes=30)


def test_a_rate_limited_order_asks_for_nothing_until_then(world: World):
    world.proxy.misbehave = lambda _method, path: (
        (429, "rateLimited", {"Retry-After": "1800"}) if "new-order" in path else None
    )

    record = world.ordered("patient.test")
    asked = len(world.proxy.seen)
    world.work()

    assert "rateLimited" in record.problem
    assert record.next_attempt_at - datetime.now(UTC) > timedelta(minutes=29)
    assert len(world.proxy.seen) == asked
    world.proxy.misbehave = lambda _method, _path: None
    renew_certificate(record.id, certificates=world.store, attempt=world.attempt)  # an operator who knows better
    world.work()
    assert world.store.get(record.id).status(datetime.now(UTC)) == "valid"


@pytest.mark.parametrize("status", [500, 503])
def test_an_authority_that_breaks_is_unavailable(world: World, status: int):
    world.proxy.misbehave = lambda _method, _path: (status, "serverInternal", {})

    with pytest.raises(Unavailable):
        world.authority.order(["broken.test"], None)


def test_the_account_is_found_again_by_its_key(world: World):
    url, _ = world.authority.order(["again.test"], None)

    assert world.client().state(url).status == "pending"


def test_another_accounts_order_is_not_told(world: World):
    url, _ = world.authority.order(["mine.test"], None)
    world.account = {"account_key": _account_key()}

    with pytest.raises((OrderLost, Refused)):
        world.client().state(url)


def test_an_order_of_no_such_url_is_lost(world: World):
    url, _ = world.authority.order(["lost.test"], None)

    with pytest.raises(OrderLost):
        world.authority.state(url[:-4] + "0000")


def test_wrong_dns_yields_no_certificate(world: World):
    world.names.lies = True
    url, proofs = world.authority.order(["wrong.test"], None)
    for proof in proofs:
        world.names.publish(proof)

    world.authority.answer(url)
    world.authority.answer(url)
    threading.Event().wait(1)

    assert world.authority.state(url).status in ("pending", "processing", "invalid")
    with pytest.raises(Refused):
        world.authority.finalize(url, csr_for(["wrong.test"], new_private_key()))


def test_a_request_for_other_names_than_were_proved_is_refused(world: World):
    url, proofs = world.authority.order(["proved.test"], None)
    for proof in proofs:
        world.names.publish(proof)
    world.authority.answer(url)
    deadline = datetime.now(UTC) + timedelta(seconds=20)
    while world.authority.state(url).status != "ready" and datetime.now(UTC) < deadline:
        threading.Event().wait(0.2)

    with pytest.raises(Refused):
        world.authority.finalize(url, csr_for(["other.test"], new_private_key()))


def test_renewed_it_has_another_key_in_the_same_place(world: World):
    record = world.ordered("renewed.test")
    renew_certificate(record.id, certificates=world.store, attempt=world.attempt)

    world.work()

    again = world.store.get(record.id)
    assert again.issued.serial_number != record.issued.serial_number
    assert again.places == record.places
    assert len({pair.private_key for pair in world.shown.pairs}) == 2


def test_revoked_it_is_on_the_authoritys_list(world: World):
    record = world.ordered("revoked.test")
    revoke_certificate(record.id, reason="key_compromise", replaced=False, certificates=world.store, attempt=world.attempt)

    world.work()

    assert world.store.get(record.id).problem is None
    crl = requests.get(f"{world.bao.addr}/v1/pki/crl", verify=str(world.bao.authority.file), timeout=5).content
    revoked = x509.load_der_x509_crl(crl).get_revoked_certificate_by_serial_number(int(record.issued.serial_number, 16))
    assert revoked is not None
    assert world.store.get(record.id).status(datetime.now(UTC)) == "revoked"
    world.authority.revoke(record.issued.chain, 1)  # once more is success too


def test_where_the_authority_suggests_nothing_two_thirds_count(world: World):
    record = world.ordered("thirds.test")

    assert world.authority.renewal(record.issued.chain) is None
    gone = (record.renew_at - record.issued.not_before) / record.issued.life
    assert 0.61 <= gone <= 0.72
