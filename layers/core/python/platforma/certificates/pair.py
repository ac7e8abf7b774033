"""A private key of ours, what a CA is to sign, and whether what it made is that."""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from platforma.certificates.errors import Refused
from platforma.certificates.model import Issued


def new_private_key() -> bytes:
    """A fresh key on P-256 (PEM, PKCS #8)."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def csr_for(domains: Sequence[str], private_key: bytes) -> bytes:
    """A request for these names by this key (PEM, RFC 2986); names in the extension alone (RFC 8555 section 7.4)."""
    names = x509.SubjectAlternativeName([x509.DNSName(domain) for domain in domains])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, critical=True)
    return builder.sign(_loaded(private_key), hashes.SHA256()).public_bytes(Encoding.PEM)


def issued_for(chain: str, domains: Sequence[str], private_key: bytes, now: datetime) -> Issued:
    """
    What a CA made of our request. Nothing about *chain* is verified yet.

    Raises:
        Refused: it can't be read, is of another key, for other names, or not good now.
    """
    try:
        leaf = x509.load_pem_x509_certificates(chain.encode())[0]
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        public = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, IndexError, x509.ExtensionNotFound):
        raise Refused("What the CA sent is no certificate.") from None
    ours = _loaded(private_key).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public != ours or set(names.get_values_for_type(x509.DNSName)) != set(domains) or len(names) != len(domains):
        raise Refused("What the CA sent is not what was asked for.")
    if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        raise Refused("What the CA sent is not good now.")
    return Issued(chain, format(leaf.serial_number, "x"), leaf.not_valid_before_utc, leaf.not_valid_after_utc)


def _loaded(private_key: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(private_key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key
