"""
The functions' client certificates for Vault, good for 24 hours and renewed before half of that is over.

Each names one function by common name and by a SPIFFE-style URI, and opens only that function's Vault policy. The new one is
put beside nothing: a function reads its secret at each login, so that the next login has it.

With each certificate stand the roots that Vault's own is verified with. While a CA is replaced they are two, the old one's
and the new one's; a function whose roots are not those that Vault names gets them at the next run.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cryptography import x509

from platforma.kernel.clock import rfc3339
from platforma.kernel.events import Attempt, Event

URI = "spiffe://platforma/fn/"


@dataclass(frozen=True, slots=True)
class ClientPair:
    """A certificate (PEM, leaf first, then intermediates) and its private key (PEM, PKCS #8)."""

    certificate: str
    private_key: str = field(repr=False)


class CertificateIssuer(Protocol):
    """Whoever signs client certificates."""

    def issue_client(self, common_name: str, uri: str) -> ClientPair:
        """
        A fresh pair for this name.

        Raises:
            Unavailable: it cannot be had now.
        """

    def trusted(self) -> str:
        """
        The roots that are trusted now (PEM), in an order that stays.

        Raises:
            Unavailable: they cannot be had now.
        """


class CertificateHolder(Protocol):
    """Where functions find their pairs."""

    def certificate(self, function: str) -> str | None:
        """The certificate that the function has now; None if it has none yet."""

    def trusted(self, function: str) -> str | None:
        """The roots that the function trusts now; None if it has none yet."""

    def install(self, function: str, pair: ClientPair, trusted: str) -> None:
        """Give the function this pair and these roots."""


class Entering(Protocol):
    """The outbox, for events that belong to no transaction of ours."""

    def enter(self, event: Event) -> None:
        """Record *event*, once."""


def renew_client_certificates(
    functions: Iterable[str],
    *,
    issuer: CertificateIssuer,
    holder: CertificateHolder,
    outbox: Entering,
    attempt: Attempt,
    every: bool = False,
) -> list[str]:
    """
    Renew what is due or trusts other roots than are now to be trusted, each with its event; the functions whose certificate
    is new. With *every* all are renewed, as after a change of the CA.

    Raises:
        Unavailable: Vault or the secrets' keeper is gone. What was renewed stays so, the rest is due again next time.
    """
    renewed: list[str] = []
    trusted = issuer.trusted()
    for function in functions:
        current = holder.certificate(function)
        fresh = current is not None and not is_due(current, attempt.clock())
        if fresh and not every and holder.trusted(function) == trusted:
            continue
        pair = issuer.issue_client("fn-" + function.replace("_", "-"), URI + function)
        holder.install(function, pair, trusted)
        renewed.append(function)
        new = x509.load_pem_x509_certificate(pair.certificate.encode())
        changes = {"after": {"serial_number": format(new.serial_number, "x"), "not_after": rfc3339(new.not_valid_after_utc)}}
        outbox.enter(
            attempt.event(
                "success", resource=function, resource_type="client_certificate", changes=changes, part=len(renewed)
            )
        )
    return renewed


def is_due(certificate: str, now: datetime) -> bool:
    """Whether two fifths of the life of a PEM *certificate* are over, or it cannot be read: hourly runs so meet the half."""
    try:
        read = x509.load_pem_x509_certificate(certificate.encode())
    except ValueError:
        return True
    return now >= read.not_valid_before_utc + (read.not_valid_after_utc - read.not_valid_before_utc) * 2 / 5
