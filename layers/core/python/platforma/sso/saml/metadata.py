"""
An identity provider's metadata: who it is, where it is asked, by which certificates it signs.

Source: OASIS Metadata for SAML V2.0, sections 2.3 to 2.4.4. Its own signature proves nothing without a key to check it with;
whoever gives us the document, or the https URL where it stands, vouches for it.
"""

import binascii
from base64 import b64decode, b64encode
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree

from platforma.kernel.clock import Clock, parse_rfc3339
from platforma.kernel.errors import FieldError, Malformed
from platforma.sso.errors import MetadataRefused
from platforma.sso.model import IdentityProvider
from platforma.sso.saml.xml import DS, METADATA, SAMLP, UnreadableXML, parse_xml, text_of
from platforma.sso.settings import parse_https_url

REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
MAX_CERTIFICATES = 10
MAX_ENTITY_ID = 1024


def read_metadata(document: bytes, *, clock: Clock) -> IdentityProvider:
    """
    The one identity provider that *document* describes.

    Raises:
        MetadataRefused: not metadata, of none or several, out of date, without a certificate or a place to sign in.
    """
    try:
        root = parse_xml(document)
    except UnreadableXML as error:
        raise MetadataRefused(error.public) from None
    entities = root.iter(f"{{{METADATA}}}EntityDescriptor")
    providers = [
        (entity, role)
        for entity in entities
        for role in entity.findall(f"{{{METADATA}}}IDPSSODescriptor")
        if SAMLP in (role.get("protocolSupportEnumeration") or "").split()
    ]
    if len(providers) != 1:
        raise _refused("It must describe just one identity provider that speaks SAML 2.0.")
    entity, role = providers[0]
    for element in (root, entity, role):
        _require_valid(element, clock())
    entity_id = (entity.get("entityID") or "").strip()
    if not entity_id or len(entity_id) > MAX_ENTITY_ID or not entity_id.isprintable():
        raise _refused(f"Its entityID must have 1 to {MAX_ENTITY_ID} characters.")
    provider = IdentityProvider(
        entity_id=entity_id,
        certificates=_certificates(role),
        redirect_url=_location(role, "SingleSignOnService", REDIRECT),
        post_url=_location(role, "SingleSignOnService", POST),
        logout_redirect_url=_location(role, "SingleLogoutService", REDIRECT),
        logout_post_url=_location(role, "SingleLogoutService", POST),
        wants_signed_requests=role.get("WantAuthnRequestsSigned") in ("true", "1"),
    )
    if provider.redirect_url is None and provider.post_url is None:
        raise _refused("It offers no SingleSignOnService by HTTP-Redirect or HTTP-POST.")
    return provider


def _certificates(role: etree._Element) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for key in role.findall(f"{{{METADATA}}}KeyDescriptor"):
        if key.get("use") in (None, "signing"):
            for element in key.findall(f"{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate"):
                found[_certificate(text_of(element))] = None
    if not 1 <= len(found) <= MAX_CERTIFICATES:
        raise _refused(f"It must have 1 to {MAX_CERTIFICATES} signing certificates.")
    return tuple(found)


def _certificate(text: str) -> str:
    """The certificate as it is kept; its key must be one that a signature here may be made with."""
    try:
        der = b64decode("".join(text.split()), validate=True)
        key = x509.load_der_x509_certificate(der).public_key()
    except (binascii.Error, ValueError):
        raise _refused("A signing certificate cannot be read.") from None
    strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048) or isinstance(key, ec.EllipticCurvePublicKey)
    if not strong:
        raise _refused("A signing certificate has no RSA key of 2048 bits or more, and none of an elliptic curve.")
    return b64encode(der).decode()


def _location(role: etree._Element, service: str, binding: str) -> str | None:
    for element in role.findall(f"{{{METADATA}}}{service}"):
        if element.get("Binding") == binding and (location := element.get("Location")):
            return parse_https_url(location.strip(), pointer=f"/saml/{service}")
    return None


def _require_valid(element: etree._Element, now: datetime) -> None:
    if (until := element.get("validUntil")) is None:
        return
    try:
        over = now >= parse_rfc3339(until.strip() if until.strip()[-1:] in "Zz" or "+" in until else f"{until.strip()}Z")
    except Malformed:
        raise _refused("Its validUntil is no time.") from None
    if over:
        raise _refused(f"It was valid until {until}.")


def _refused(detail: str) -> MetadataRefused:
    return MetadataRefused(errors=[FieldError("/saml", detail)])
