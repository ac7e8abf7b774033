"""
A server certificate of ours, and the order that is to bring its successor.

A `Certificate` is one record for a set of names: what stands (`issued`), what is under way (`order`), what is to be revoked
(`condemned`), and when to do something next. Private keys are in it sealed, never otherwise.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from platforma.kernel.clock import parse_rfc3339, rfc3339

Stage = Literal["started", "ordered", "published", "answered", "issued"]
Status = Literal["pending", "valid", "expired", "failed", "revoked"]
Task = Literal["start", "follow", "revoke", "ask"]
Reason = Literal["unspecified", "key_compromise", "superseded", "cessation_of_operation"]
REASONS: Mapping[str, int] = {"unspecified": 0, "key_compromise": 1, "superseded": 4, "cessation_of_operation": 5}
"""The reason codes that who asks for a revocation may give (RFC 5280 section 5.3.1)."""
FIRST_ATTEMPTS = 8
"""After so many failures (some two hours) a certificate that never was is given up; one that stands is tried for ever."""
ORDER_LIFETIME = timedelta(hours=1)
"""How long an order is followed before another is made in its place."""
ANSWER_PATIENCE = timedelta(minutes=10)
"""How long a CA may take to look at what it was shown."""
_RETRY_FIRST, _RETRY_LAST = timedelta(seconds=30), timedelta(hours=6)
PURPOSE = "certificate"
"""What private keys are sealed for."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What a CA made: the *chain* (PEM, leaf first), its serial number in hexadecimal, and how long it is good."""

    chain: str
    serial_number: str
    not_before: datetime
    not_after: datetime

    @property
    def life(self) -> timedelta:
        """How long it is good in all."""
        return self.not_after - self.not_before

    @property
    def late_at(self) -> datetime:
        """When but a third of its life is left: whatever was to renew it did not."""
        return self.not_after - self.life / 3


@dataclass(frozen=True, slots=True)
class Proof:
    """What a CA wants to find: TXT *values* at *name* (RFC 8555 section 8.4)."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """
    An order under way. *url* is the CA's name for it, *changes* are what the keeper of DNS calls its changes,
    *issued* is what came of it and is yet to be installed.
    """

    stage: Stage
    started_at: datetime
    url: str = ""
    ordered_at: datetime | None = None
    proofs: tuple[Proof, ...] = ()
    changes: tuple[str, ...] = ()
    answered_at: datetime | None = None
    issued: Issued | None = None


@dataclass(frozen=True, slots=True)
class Condemned:
    """A chain that is to be revoked at its CA, and why."""

    chain: str
    serial_number: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Certificate:
    """
    The record. *version* counts its changes. *issued* is what was installed last. *sealed_key* is the key of *order*; once
    what came of it is installed, it is kept in those places alone.

    *renew_at* is when its successor is ordered, *ask_at* when the CA is asked again what it suggests (RFC 9773).
    *places* says where it was installed, and by which name. *ended* ones are not renewed any more.
    """

    id: str
    domains: tuple[str, ...]
    created_at: datetime
    version: int = 1
    issued: Issued | None = None
    order: Order | None = None
    sealed_key: bytes | None = field(default=None, repr=False)
    condemned: Condemned | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    renew_at: datetime | None = None
    ask_at: datetime | None = None
    attempts: int = 0
    next_attempt_at: datetime | None = None
    problem: str | None = None
    ended: bool = False
    failed: bool = False
    revoked_at: datetime | None = None

    def status(self, now: datetime) -> Status:
        """What it is good for at *now*."""
        if self.revoked_at is not None:
            return "revoked"
        if self.issued is None:
            return "failed" if self.failed else "pending"
        return "valid" if now < self.issued.not_after else "expired"

    def is_late(self, now: datetime) -> bool:
        """Whether it is still to be renewed and has less than a third of its life left."""
        return not self.ended and self.issued is not None and now >= self.issued.late_at

    def task(self, now: datetime) -> Task | None:
        """What is to be done for it at *now*."""
        if self.next_attempt_at is not None and now < self.next_attempt_at:
            return None
        if self.order is not None:
            return "follow"
        if self.condemned is not None and (self.ended or self.issued is None or self.issued.chain != self.condemned.chain):
            return "revoke"
        if self.ended or self.failed:
            return None
        if self.issued is None or self.wants_renewal(now):
            return "start"
        return "ask" if self.ask_at is not None and now >= self.ask_at else None

    def wants_renewal(self, now: datetime) -> bool:
        """Whether its successor is to be ordered now."""
        return not self.ended and self.renew_at is not None and now >= self.renew_at

    def changed(self, **fields: Any) -> "Certificate":
        """It with other *fields*."""
        return replace(self, **fields)


def key_record(certificate_id: str, started_at: datetime) -> str:
    """What a sealed private key is bound to: the record, and the order that it was made for."""
    return f"{certificate_id}|{rfc3339(started_at)}"


def renewal_of(issued: Issued) -> datetime:
    """When to renew where the CA suggests nothing: at two thirds of the life, some percent of it earlier or later."""
    return issued.not_before + issued.life * (2 / 3 + random.uniform(-0.05, 0.05))  # noqa: S311  jitter, not a secret


def retry_after(attempts: int) -> timedelta:
    """How long to wait after so many failures in a row: from half a minute to six hours, each a random half more or less."""
    longest = min(_RETRY_FIRST * (1 << min(attempts - 1, 20)), _RETRY_LAST)
    return longest * random.uniform(0.5, 1)  # noqa: S311  jitter, not a secret


def document_of(certificate: Certificate) -> dict[str, Any]:
    """All of it but its sealed keys, as plain JSON."""
    return {
        name: _plain(getattr(certificate, name))
        for name in certificate.__slots__
        if name not in ("sealed_key", "version", "id")
    }


def certificate_of(certificate_id: str, version: int, document: Mapping[str, Any], sealed_key: bytes | None) -> Certificate:
    """The certificate that `document_of` wrote."""
    order, condemned = document["order"], document["condemned"]
    return Certificate(
        id=certificate_id,
        version=version,
        sealed_key=sealed_key,
        domains=tuple(document["domains"]),
        created_at=parse_rfc3339(document["created_at"]),
        issued=_issued_of(document["issued"]),
        order=None if order is None else _order_of(order),
        condemned=None if condemned is None else Condemned(**condemned),
        **_moments(document, "renew_at", "ask_at", "next_attempt_at", "revoked_at"),
        **{name: document[name] for name in ("places", "attempts", "problem", "ended", "failed")},
    )


def _order_of(document: Mapping[str, Any]) -> Order:
    proofs = tuple(Proof(proof["name"], tuple(proof["values"])) for proof in document["proofs"])
    moments = _moments(document, "started_at", "ordered_at", "answered_at")
    issued = _issued_of(document["issued"])
    return Order(**{**document, **moments, "proofs": proofs, "changes": tuple(document["changes"]), "issued": issued})


def _issued_of(document: Mapping[str, Any] | None) -> Issued | None:
    return None if document is None else Issued(**{**document, **_moments(document, "not_before", "not_after")})


def _moments(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: None if document[name] is None else parse_rfc3339(document[name]) for name in names}


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, (Issued, Order, Condemned, Proof)):
        return {name: _plain(getattr(value, name)) for name in value.__slots__}
    return dict(value) if isinstance(value, Mapping) else value
