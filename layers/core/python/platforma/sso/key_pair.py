"""
The keys of a connection: for SAML those of its service provider, for OpenID Connect those that we authenticate by.

There are two pairs: the current one signs, and the next one, which ends later, is published beside it, so that a provider
that reads what we publish now and then never misses a change. They are made when they are first needed.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

KEY_BITS = 3072
LIFETIME = timedelta(days=2 * 365)
RENEWED_BEFORE = timedelta(days=90)
"""How long before its end a pair gives way to the next one, which has been published all the time."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key of ours (PKCS 8, PEM) and its certificate (base64 of DER), which nobody but the metadata vouches for."""

    key: str = field(repr=False)
    certificate: str
    not_after: datetime

    def private_key(self) -> rsa.RSAPrivateKey:
        """The key itself."""
        loaded = serialization.load_pem_private_key(self.key.encode(), None)
        assert isinstance(loaded, rsa.RSAPrivateKey)
        return loaded


def new_pair(connection_id: str, now: datetime, until: datetime) -> KeyPair:
    """A fresh pair, good from now on. Costs some tenths of a second."""
    key = rsa.generate_private_key(65537, KEY_BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, connection_id)])
    end = until.replace(microsecond=0)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, form, plain).decode()
    return KeyPair(pem, b64encode(made.public_bytes(serialization.Encoding.DER)).decode(), end)


def due_pairs(pairs: Sequence[KeyPair], connection_id: str, now: datetime) -> tuple[KeyPair, ...]:
    """The pairs that a connection should have: those that are not near their end, and new ones up to two, each longer."""
    staying = [pair for pair in pairs if pair.not_after - now > RENEWED_BEFORE]
    while len(staying) < 2:
        after = staying[-1].not_after if staying else now
        staying.append(new_pair(connection_id, now, after + LIFETIME))
    return tuple(staying)
