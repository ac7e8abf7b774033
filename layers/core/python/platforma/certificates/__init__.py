"""
Certificates: those by which our functions prove themselves to Vault, and those that our own addresses show.

The first come from our own CA (`client_certificates`). The second are ordered from a CA that speaks ACME (`order`), fetched,
installed, renewed and revoked by a job (`work`).
"""

from platforma.certificates.client_certificates import (
    CertificateHolder,
    CertificateIssuer,
    ClientPair,
    renew_client_certificates,
)
from platforma.certificates.model import Certificate, Issued
from platforma.certificates.order import (
    list_certificates,
    order_certificate,
    read_certificate,
    renew_certificate,
    revoke_certificate,
)
from platforma.certificates.work import Worked, Worker

__all__ = [
    "Certificate",
    "CertificateHolder",
    "CertificateIssuer",
    "ClientPair",
    "Issued",
    "Worked",
    "Worker",
    "list_certificates",
    "order_certificate",
    "read_certificate",
    "renew_certificate",
    "renew_client_certificates",
    "revoke_certificate",
]
