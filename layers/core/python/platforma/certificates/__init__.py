"""Certificates: those by which our functions prove themselves to Vault."""

from platforma.certificates.client_certificates import (
    CertificateHolder,
    CertificateIssuer,
    ClientPair,
    renew_client_certificates,
)

__all__ = ["CertificateHolder", "CertificateIssuer", "ClientPair", "renew_client_certificates"]
