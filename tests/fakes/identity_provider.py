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


def pair(name: str = "idp", *, bits: int = 2048, days: int = 365) -> Pair:
    """The pair of this name, made once."""
    return _pair(name, bits, days)


@cache
def _pair(name: str, bits: int, days: int) -> Pair:
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


SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


@dataclass
class Saying:
    """What a response says; every field is a test's to bend."""

    now: datetime
    acs_url: str
    audience: str
    request_id: str | None = None
    issuer: str = "https://idp.test/saml"
    name_id: str = "ada-1"
    name_id_format: str = PERSISTENT
    attributes: dict[str, list[str]] = field(default_factory=lambda: {"email": ["ada@acme.test"], "groups": ["Engineers"]})
    response_id: str = field(default_factory=identifier)
    assertion_id: str = field(default_factory=identifier)
    destination: str | None = None
    recipient: str | None = None
    lifetime: timedelta = timedelta(minutes=5)
    status: str = "urn:oasis:names:tc:SAML:2.0:status:Success"
    inner: str = ""

    def assertion(self) -> str:
        """The assertion, unsigned."""
        answered = f' InResponseTo="{self.request_id}"' if self.request_id else ""
        begin, end = _utc(self.now - timedelta(seconds=5)), _utc(self.now + self.lifetime)
        told = "".join(
            f'<saml:Attribute Name="{name}">'
            + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
            + "</saml:Attribute>"
            for name, values in self.attributes.items()
        )
        return (
            f'<saml:Assertion xmlns:saml="{SAML}" ID="{self.assertion_id}" Version="2.0" IssueInstant="{_utc(self.now)}">'
            f"<saml:Issuer>{self.issuer}</saml:Issuer>"
            f'<saml:Subject><saml:NameID Format="{self.name_id_format}">{self.name_id}</saml:NameID>'
            '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
            f'<saml:SubjectConfirmationData NotOnOrAfter="{end}" Recipient="{self.recipient or self.acs_url}"{answered}/>'
            f'</saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{begin}" NotOnOrAfter="{end}">'
            f"<saml:AudienceRestriction><saml:Audience>{self.audience}</saml:Audience></saml:AudienceRestriction>"
            f'</saml:Conditions><saml:AuthnStatement AuthnInstant="{_utc(self.now)}" SessionIndex="s1"><saml:AuthnContext>'
            "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>"
            f"</saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>{told}</saml:AttributeStatement>"
            f"{self.inner}</saml:Assertion>"
        )

    def response(self, assertion: str) -> str:
        """The response around an assertion, unsigned."""
        answered = f' InResponseTo="{self.request_id}"' if self.request_id else ""
        place = self.destination if self.destination is not None else self.acs_url
        destination = f' Destination="{place}"' if place else ""
        return (
            f'<samlp:Response xmlns:samlp="{SAMLP}" ID="{self.response_id}" Version="2.0" IssueInstant="{_utc(self.now)}"'
            f'{destination}{answered}><saml:Issuer xmlns:saml="{SAML}">{self.issuer}</saml:Issuer>'
            f'<samlp:Status><samlp:StatusCode Value="{self.status}"/></samlp:Status>{assertion}</samlp:Response>'
        )


def signed(document: str, by: Pair | None = None, *, algorithm: str = "rsa-sha256", digest: str = "sha256") -> str:
    """*document* with a signature of its root."""
    from lxml import etree
    from signxml import XMLSigner, methods

    class Signer(XMLSigner):
        def check_deprecated_methods(self) -> None:
            """What is deprecated is what some tests are about."""

    key = by or pair()
    root = etree.fromstring(document.encode())
    signer = Signer(methods.enveloped, algorithm, digest, EXCLUSIVE)
    made = signer.sign(root, key=key.key_pem, cert=key.pem, reference_uri=f"#{root.get('ID')}", id_attribute="ID")
    return etree.tostring(made).decode()


def posted(document: str) -> str:
    """*document* as the POST binding carries it."""
    return base64.b64encode(document.encode()).decode()


def encrypted(assertion: str, to: Pair, *, algorithm: str = "http://www.w3.org/2009/xmlenc11#aes256-gcm") -> str:
    """*assertion* encrypted for *to*."""
    import os

    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key = os.urandom(32)
    if algorithm.endswith("gcm"):
        nonce = os.urandom(12)
        box = nonce + AESGCM(key).encrypt(nonce, assertion.encode(), None)
    else:
        iv, short = os.urandom(16), 16 - len(assertion.encode()) % 16
        closer = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        box = iv + closer.update(assertion.encode() + bytes([short]) * short) + closer.finalize()
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    wrapped = to.key.public_key().encrypt(key, oaep)
    xenc = "http://www.w3.org/2001/04/xmlenc#"
    return (
        f'<saml:EncryptedAssertion xmlns:saml="{SAML}"><xenc:EncryptedData xmlns:xenc="{xenc}" '
        f'Type="{xenc}Element"><xenc:EncryptionMethod Algorithm="{algorithm}"/><ds:KeyInfo xmlns:ds="{DS}">'
        f'<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="{xenc}rsa-oaep-mgf1p"/><xenc:CipherData><xenc:CipherValue>'
        f"{base64.b64encode(wrapped).decode()}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>"
        f"<xenc:CipherData><xenc:CipherValue>{base64.b64encode(box).decode()}</xenc:CipherValue></xenc:CipherData>"
        "</xenc:EncryptedData></saml:EncryptedAssertion>"
    )


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
