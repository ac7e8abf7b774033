"""
The functions' client certificates for Vault, renewed before half of their life is over.

Each names one function by common name and by a SPIFFE-style URI, and opens only that function's Vault policy. The new one is
put beside nothing: a function reads its secret at each login, so that the next login has it.
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


class CertificateHolder(Protocol):
    """Where functions find their pairs."""

    def certificate(self, function: str) -> str | None:
        """The certificate that the function has now; None if it has none yet."""

    def install(self, function: str, pair: ClientPair) -> None:
        """Give the function this pair; the CAs that it trusts stay as they are."""


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
) -> list[str]:
    """
    Renew what is due, each with its event; the functions whose certificate is new.

    Raises:
        Unavailable: Vault or the secrets' keeper is gone. What was renewed stays so, the rest is due again next time.
    """
    renewed: list[str] = []
    for function in functions:
        current = holder.certificate(function)
        if current is not None and not is_due(current, attempt.clock()):
            continue
        pair = issuer.issue_client("fn-" + function.replace("_", "-"), URI + function)
        holder.install(function, pair)
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
    """Whether half of the life of a PEM *certificate* is over, or it cannot be read."""
    try:
        read = x509.load_pem_x509_certificate(certificate.encode())
    except ValueError:
        return True
    return now >= read.not_valid_before_utc + (read.not_valid_after_utc - read.not_valid_before_utc) / 2
