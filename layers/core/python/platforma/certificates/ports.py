"""What certificates need of the world."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from platforma.certificates.model import Certificate, Proof
from platforma.kernel.events import Event


@dataclass(frozen=True, slots=True)
class Window:
    """When a CA suggests to renew (RFC 9773 section 4.2), and when to ask it again."""

    start: datetime
    end: datetime
    ask_at: datetime

    def drawn(self) -> datetime:
        """A random moment of it."""
        return self.start + (self.end - self.start) * random.random()  # noqa: S311  spreads load, not a secret


@dataclass(frozen=True, slots=True)
class OrderState:
    """How an order stands at its CA; *problem* is what the CA says of an invalid one."""

    status: Literal["pending", "ready", "processing", "valid", "invalid"]
    problem: str = ""


class Authority(Protocol):
    """
    A certificate authority that speaks ACME (RFC 8555).

    Every call raises `TryLater` where the CA asks for patience, `Unavailable` where it can't be had now, and `Refused` with
    the CA's own words where it would not.
    """

    def order(self, domains: Sequence[str], replaces: str | None) -> tuple[str, Sequence[Proof]]:
        """A new order's URL and what must stand in DNS for it; nothing where the CA remembers. *replaces* is a chain."""

    def answer(self, url: str) -> None:
        """Have the CA look for the proofs of the order at *url*; asked twice, it looks once."""

    def state(self, url: str) -> OrderState:
        """
        How the order stands.

        Raises:
            OrderLost: the CA does not know it.
        """

    def finalize(self, url: str, csr: bytes) -> None:
        """Hand in what is to be signed (PEM), for an order that is ready."""

    def download(self, url: str) -> str:
        """The chain (PEM, leaf first) of an order that is valid."""

    def renewal(self, chain: str) -> Window | None:
        """When the CA suggests to renew the leaf of *chain*; None where it suggests nothing."""

    def revoke(self, chain: str, reason: int) -> None:
        """Revoke the leaf of *chain*; one that was revoked before is success too."""


class DNS(Protocol):
    """Who keeps the zones of our names."""

    def publish(self, proof: Proof) -> str:
        """
        Put *proof* in its zone, in place of what stood at its name; what the change is called.

        Raises:
            Refused: no zone of ours has this name.
        """

    def is_published(self, change: str) -> bool:
        """Whether all the zone's servers answer with it."""

    def remove(self, proof: Proof) -> None:
        """Take *proof* away; one that is not there is success too."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A chain (PEM, leaf first) and its private key (PEM, PKCS #8)."""

    chain: str
    private_key: str = field(repr=False)


class Installer(Protocol):
    """A place that serves certificates. *name* is what records call it."""

    name: str

    def serves(self, domains: Sequence[str]) -> bool:
        """Whether a certificate of these names belongs there."""

    def install(self, known: str | None, pair: Pair) -> str:
        """
        Serve *pair* from now on, in place of what is there by the name *known*; the name that it has.

        No connection is refused meanwhile. Done twice, it is done.
        """


class Certificates(Protocol):
    """The records."""

    def add(self, certificate: Certificate, event: Event) -> None:
        """Keep a new one and its event, or neither."""

    def get(self, certificate_id: str) -> Certificate | None:
        """The one of this id."""

    def listed(self, *, after: str | None, limit: int) -> Sequence[Certificate]:
        """Newest first, those older than the id *after*."""

    def all(self) -> Iterator[Certificate]:
        """Every one."""

    def replace(self, certificate: Certificate, *events: Event) -> Certificate:
        """
        Keep it where its version still stands; as it is then.

        Raises:
            PreconditionFailed: it was changed in the meantime.
        """


class Sealer(Protocol):
    """Envelope encryption."""

    def seal(self, tenant_id: str, purpose: str, record: str, plaintext: bytes) -> bytes:
        """*plaintext*, so that it opens only as the same."""

    def open(self, tenant_id: str, purpose: str, record: str, ciphertext: bytes) -> bytes:
        """What was sealed."""
