"""
The stack's root certificate, and the two certificates that must exist before Vault can issue any: Vault's own and the
operator's, who sets it up. Everything else comes from Vault's PKI, whose intermediate this root signs.

Profiles follow RFC 5280 section 4.2 as strict verifiers read it: critical basic constraints, key identifiers everywhere.
"""

import datetime as dt
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT_LIFETIME = dt.timedelta(days=3650)
LEAF_LIFETIME = dt.timedelta(days=90)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate (with its chain) and its key, as the two PEM files that hold them."""

    certificate: Path
    key: Path

    def is_fresh(self) -> bool:
        """Whether both are there and more than half of the certificate's life remains."""
        if not (self.certificate.exists() and self.key.exists()):
            return False
        try:
            leaf = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        except ValueError:
            return False
        return is_fresh(leaf)

    def is_good(self, margin: dt.timedelta = dt.timedelta(minutes=10)) -> bool:
        """Whether both are there and the certificate is good for a while."""
        if not (self.certificate.exists() and self.key.exists()):
            return False
        try:
            leaf = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        except ValueError:
            return False
        return leaf.not_valid_after_utc - dt.datetime.now(dt.UTC) > margin

    def write(self, certificate: str | bytes, key: str | bytes) -> None:
        """Put both in place, key first, each by rename, readable by us alone."""
        write_private(self.key, key)
        write_private(self.certificate, certificate)


def is_fresh(leaf: x509.Certificate) -> bool:
    """Whether more than half of a certificate's life remains."""
    left = leaf.not_valid_after_utc - dt.datetime.now(dt.UTC)
    return left > (leaf.not_valid_after_utc - leaf.not_valid_before_utc) / 2


def write_private(path: Path, content: str | bytes) -> None:
    """Replace a file in one step, with mode 0600 from its first byte."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as sink:
        sink.write(content.encode() if isinstance(content, str) else content)
    fresh.replace(path)


def ensure_root(root: Pair) -> None:
    """Make the root once; a new one would strand every program that trusts the old."""
    if root.certificate.exists() and root.key.exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "PLATFORMA local root")])
    builder = (
        _builder(name, name, key.public_key(), ROOT_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
    )
    root.write(_pem(builder.sign(key, hashes.SHA256())), _key_pem(key))


def ensure_leaf(leaf: Pair, root: Pair, *, common_name: str, uri: str | None = None, server: bool) -> None:
    """
    Make a certificate under the root, or a new one when half of the old one's life is over.

    A server's names are this machine's loopback; a client's are *common_name* and *uri*.
    """
    if leaf.is_fresh():
        return
    issuer = x509.load_pem_x509_certificate(root.certificate.read_bytes())
    issuer_key = serialization.load_pem_private_key(root.key.read_bytes(), None)
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise TypeError("the root's key is an elliptic curve's")
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri)] if uri else []
    if server:
        names += [x509.DNSName(LOOPBACK[0]), *(x509.IPAddress(ipaddress.ip_address(ip)) for ip in LOOPBACK[1:])]
    usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        _builder(subject, issuer.subject, key.public_key(), LEAF_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    leaf.write(_pem(builder.sign(issuer_key, hashes.SHA256())), _key_pem(key))


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, life: dt.timedelta
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=1))
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
