"""Server certificates, their orders and their end."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from platforma.edge.schemas.common import Body, Timestamp, View

LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
DomainName = Annotated[str, StringConstraints(max_length=253, pattern=rf"^(?:\*\.)?{LABEL}(?:\.{LABEL})*$")]


class CertificateOrder(Body):
    """The DNS names that a certificate is for: lower case, A-labels, a wildcard's with `*.`."""

    domains: Annotated[list[DomainName], Field(min_length=1, max_length=50)]


class Revocation(Body):
    """Why (RFC 5280 section 5.3.1), and whether a successor is installed first; without one the record ends."""

    reason: Literal["unspecified", "key_compromise", "superseded", "cessation_of_operation"] = "unspecified"
    replace: bool = False


class CertificateView(View):
    """
    A record. *certificate* is the chain that was installed last (PEM, leaf first), *installed* says where and as what,
    *progress* how far the order is that is under way, *problem* why it was last tried in vain.
    """

    id: str
    domains: list[str]
    status: Literal["pending", "valid", "expired", "failed", "revoked"]
    serial_number: str | None
    not_before: Timestamp | None
    not_after: Timestamp | None
    certificate: str | None
    installed: dict[str, str]
    renew_at: Timestamp | None
    progress: Literal["started", "ordered", "published", "answered", "issued"] | None
    attempts: int
    next_attempt_at: Timestamp | None
    problem: str | None
    created_at: Timestamp
    revoked_at: Timestamp | None


class CertificateList(View):
    """Certificates, newest first."""

    items: list[CertificateView]
    next_cursor: str | None
