"""A SAML identity provider that says whatever a test wants it to say, and signs it by signxml."""

import base64
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


@dataclass(frozen=True)
class Pair:
    """A key, and a certificate that it signed itself."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def base64(self) -> str:
        return base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> bytes:
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, form, plain)


@cache
def pair(name: str = "idp", *, bits: int = 2048, days: int = 365) -> Pair:
    """The pair of this name, made once."""
    key = rsa.generate_private_key(65537, bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return Pair(key, certificate)


@dataclass
class FakeIdentityProvider:
    """One provider, at a site of its own."""

    entity_id: str = "https://idp.test/saml"
    pairs: tuple[Pair, ...] = field(default_factory=lambda: (pair(),))

    def metadata(self, *, certificates: tuple[str, ...] | None = None, attributes: str = "", services: str = "") -> str:
        """Its metadata, as an administrator pastes it."""
        told = certificates if certificates is not None else tuple(each.base64 for each in self.pairs)
        keys = "".join(
            f'<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{each}</ds:X509Certificate>'
            "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            for each in told
        )
        places = services or "".join(
            f'<md:SingleSignOnService Binding="{binding}" Location="https://idp.test/sso/{name}"/>'
            for name, binding in (("redirect", REDIRECT), ("post", POST))
        )
        return (
            '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
            f'xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{self.entity_id}"{attributes}>'
            '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
            f'{keys}<md:SingleLogoutService Binding="{REDIRECT}" Location="https://idp.test/slo"/>{places}'
            "</md:IDPSSODescriptor></md:EntityDescriptor>"
        )


def identifier() -> str:
    """An XML id."""
    return f"_{uuid.uuid4().hex}"
