"""A certificate authority, DNS and an edge in memory, with a clock to be moved; each may fail or die when told to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from platforma.adapters.memory.certificates import MemoryCertificates
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.certificates import Certificate, Worker, order_certificate
from platforma.certificates.errors import OrderLost
from platforma.certificates.model import Proof
from platforma.certificates.ports import OrderState, Pair, Window
from platforma.kernel.events import Attempt
from platforma.keys.envelope import Envelope


class Died(Exception):
    """The process ended here."""


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 28, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class FakeAuthority:
    """`Authority`: orders are proved by what stands in *dns*, certificates live for *life*."""

    clock: Clock
    dns: "FakeDNS"
    life: timedelta = timedelta(days=90)
    window: Callable[[str], Window | None] = lambda _chain: None
    fails: Callable[[str], None] = lambda _what: None
    orders: dict[str, list[str]] = field(default_factory=dict)
    issued: dict[str, str] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    revoked: list[tuple[str, int]] = field(default_factory=list)
    replaced: list[str | None] = field(default_factory=list)
    broken: str = ""

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def order(self, domains, replaces):
        self.fails("order")
        url = f"https://ca.test/order/{len(self.orders)}"
        self.orders[url] = list(domains)
        self.replaced.append(replaces)
        return url, [Proof(f"_acme-challenge.{domain.removeprefix('*.')}", (f"proof of {url}",)) for domain in domains]

    def answer(self, url):
        self.fails("answer")
        self.answered.add(url)

    def state(self, url):
        self.fails("state")
        if url not in self.orders:
            raise OrderLost
        if self.broken:
            return OrderState("invalid", self.broken)
        if url in self.issued:
            return OrderState("valid")
        proved = all(
            f"proof of {url}" in self.dns.records.get(f"_acme-challenge.{domain.removeprefix('*.')}", ())
            for domain in self.orders[url]
        )
        return OrderState("ready" if proved and url in self.answered else "pending")

    def finalize(self, url, csr):
        self.fails("finalize")
        request = x509.load_pem_x509_csr(csr)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fake CA")])
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(name)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.clock())
            .not_valid_after(self.clock() + self.life)
            .add_extension(request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value, critical=True)
        )
        self.issued[url] = builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    def download(self, url):
        self.fails("download")
        return self.issued[url]

    def renewal(self, chain):
        self.fails("renewal")
        return self.window(chain)

    def revoke(self, chain, reason):
        self.fails("revoke")
        self.revoked.append((chain, reason))


@dataclass
class FakeDNS:
    """`DNS` of every zone."""

    records: dict[str, tuple[str, ...]] = field(default_factory=dict)
    slow: int = 0
    fails: Callable[[str], None] = lambda _what: None

    def publish(self, proof):
        self.fails("publish")
        self.records[proof.name] = proof.values
        return proof.name

    def is_published(self, _change):
        self.slow -= 1
        return self.slow < 0

    def remove(self, proof):
        self.fails("remove")
        if self.records.get(proof.name) == proof.values:
            del self.records[proof.name]


@dataclass
class FakeEdge:
    """`Installer` of one host."""

    host: str = "edge.test"
    name: str = "edge"
    shown: list[Pair] = field(default_factory=list)
    fails: Callable[[str], None] = lambda _what: None

    def serves(self, domains):
        return self.host in domains

    def install(self, known, pair):
        self.fails("install")
        self.shown.append(pair)
        return known or f"place {len(self.shown)}"


class World:
    """All of it, and a worker that need not wait."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.dns = FakeDNS()
        self.authority = FakeAuthority(self.clock, self.dns)
        self.edge = FakeEdge()
        self.store = MemoryCertificates()
        self.data_keys = MemoryDataKeys(clock=self.clock)
        self.attempt = Attempt("r1", "platform.certificates.create", self.clock)

    def worker(self) -> Worker:
        """A fresh one, with nothing cached."""
        sealer = Envelope(self.data_keys, self.clock)
        pause = lambda seconds: self.clock.move(seconds=seconds)
        return Worker(self.store, self.authority, self.dns, [self.edge], sealer, self.attempt, pause)

    def work(self, seconds: float = 40):
        return self.worker().run(until=self.clock() + timedelta(seconds=seconds))

    def order(self, *domains: str) -> Certificate:
        """A record that is yet to be worked on."""
        return order_certificate(domains or ("edge.test",), certificates=self.store, attempt=self.attempt)

    def ordered(self, *domains: str) -> Certificate:
        """A record whose certificate is installed."""
        made = self.order(*domains)
        self.work()
        return self.now(made)

    def now(self, record: Certificate) -> Certificate:
        """As it stands."""
        found = self.store.get(record.id)
        assert found is not None
        return found

    def actions(self) -> list[str]:
        """What the log says, shortly."""
        return [event.action.removeprefix("platform.certificates.") for event in self.store.events]
