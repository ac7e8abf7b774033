"""
Us, as a SAML service provider: the keys of a connection, our metadata, our requests.

Each connection has an entity id and keys of its own, so that what one provider encrypts or is asked means nothing to
another (`platforma.sso.key_pair`).
"""

import secrets as entropy
import zlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner

from platforma.sso.key_pair import KeyPair
from platforma.sso.model import Connection
from platforma.sso.saml.metadata import POST, REDIRECT
from platforma.sso.saml.xml import DS, METADATA, SAML, SAMLP

_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
_NAMES = {"md": METADATA, "ds": DS}


@dataclass(frozen=True, slots=True)
class Places:
    """Where a connection's service provider is, below the stable URL."""

    entity_id: str
    acs_url: str
    slo_url: str


def places(connection_id: str, url: str) -> Places:
    """The places of the connection's service provider; the entity id is where its metadata is."""
    base = f"{url}/sso/{connection_id}"
    return Places(f"{base}/metadata", f"{base}/acs", f"{base}/slo")


def sp_metadata(connection: Connection, pairs: Sequence[KeyPair], url: str) -> bytes:
    """Our metadata for the connection's provider, signed by the current key."""
    at = places(connection.id, url)
    root = etree.Element(f"{{{METADATA}}}EntityDescriptor", {"entityID": at.entity_id, "ID": new_message_id()}, nsmap=_NAMES)
    role = etree.SubElement(
        root,
        f"{{{METADATA}}}SPSSODescriptor",
        {"protocolSupportEnumeration": SAMLP, "AuthnRequestsSigned": "true", "WantAssertionsSigned": "true"},
    )
    for use in ("signing", "encryption"):
        for pair in pairs:
            descriptor = etree.SubElement(role, f"{{{METADATA}}}KeyDescriptor", {"use": use})
            data = etree.SubElement(etree.SubElement(descriptor, f"{{{DS}}}KeyInfo"), f"{{{DS}}}X509Data")
            etree.SubElement(data, f"{{{DS}}}X509Certificate").text = pair.certificate
    for binding in (REDIRECT, POST):
        etree.SubElement(role, f"{{{METADATA}}}SingleLogoutService", {"Binding": binding, "Location": at.slo_url})
    etree.SubElement(role, f"{{{METADATA}}}NameIDFormat").text = _PERSISTENT
    etree.SubElement(
        role,
        f"{{{METADATA}}}AssertionConsumerService",
        {"Binding": POST, "Location": at.acs_url, "index": "0", "isDefault": "true"},
    )
    document: bytes = etree.tostring(_signed(root, pairs[0]), xml_declaration=True, encoding="UTF-8")
    return document


def new_message_id() -> str:
    """An id for a message: 160 random bits, as SAML core section 1.3.4 has them."""
    return f"_{entropy.token_hex(20)}"


@dataclass(frozen=True, slots=True)
class Asking:
    """One request of ours: its id, and whether whoever is signed in there must show anew who they are (`ForceAuthn`)."""

    request_id: str
    force: bool = False


def authn_request(connection: Connection, asking: Asking, url: str, now: datetime, *, binding: str) -> etree._Element:
    """Our request that somebody be authenticated, unsigned (SAML core section 3.4.1)."""
    assert connection.saml is not None
    provider, at = connection.saml.provider, places(connection.id, url)
    destination = provider.redirect_url if binding == REDIRECT else provider.post_url
    attributes = {
        "ID": asking.request_id,
        "Version": "2.0",
        "IssueInstant": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Destination": str(destination),
        "AssertionConsumerServiceURL": at.acs_url,
        "ProtocolBinding": POST,
        **({"ForceAuthn": "true"} if asking.force else {}),
    }
    root = etree.Element(f"{{{SAMLP}}}AuthnRequest", attributes, nsmap={"samlp": SAMLP, "saml": SAML})
    etree.SubElement(root, f"{{{SAML}}}Issuer").text = at.entity_id
    etree.SubElement(root, f"{{{SAMLP}}}NameIDPolicy", {"AllowCreate": "true"})
    return root


def redirect_to(connection: Connection, asking: Asking, pair: KeyPair, url: str, now: datetime, relay: str) -> str:
    """The URL that takes a signed request to the provider by redirect (SAML bindings section 3.4.4.1)."""
    assert connection.saml is not None
    root = authn_request(connection, asking, url, now, binding=REDIRECT)
    return _redirected(str(connection.saml.provider.redirect_url), "SAMLRequest", root, relay, pair)


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """Where the browser takes a message of ours: to *location*, or (*form* set) by a form with these fields posted there."""

    location: str
    form: dict[str, str] | None = None


def logout_message(connection: Connection, kind: str, url: str, now: datetime) -> etree._Element | None:
    """A logout request or response of ours, as far as they are alike; None where the provider has no place for one."""
    if connection.logout_url is None:
        return None
    at = places(connection.id, url)
    attributes = {
        "ID": new_message_id(),
        "Version": "2.0",
        "IssueInstant": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Destination": connection.logout_url,
    }
    root = etree.Element(f"{{{SAMLP}}}{kind}", attributes, nsmap={"samlp": SAMLP, "saml": SAML})
    etree.SubElement(root, f"{{{SAML}}}Issuer").text = at.entity_id
    return root


def signed_message(connection: Connection, name: str, root: etree._Element, relay: str, pair: KeyPair) -> SignedMessage:
    """*root* signed, by the binding of the provider's place for sign-outs."""
    assert connection.saml is not None
    provider = connection.saml.provider
    if provider.logout_redirect_url is not None:
        return SignedMessage(_redirected(provider.logout_redirect_url, name, root, relay, pair))
    form = {name: b64encode(etree.tostring(_signed(root, pair))).decode(), **({"RelayState": relay} if relay else {})}
    return SignedMessage(str(provider.logout_post_url), form)


def _redirected(target: str, name: str, root: etree._Element, relay: str, pair: KeyPair) -> str:
    deflater = zlib.compressobj(wbits=-15)
    message = b64encode(deflater.compress(etree.tostring(root)) + deflater.flush()).decode()
    parts = {name: message, **({"RelayState": relay} if relay else {}), "SigAlg": _RSA_SHA256}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parts.items())
    signature = pair.private_key().sign(query.encode(), padding.PKCS1v15(), hashes.SHA256())
    joined = f"{target}{'&' if '?' in target else '?'}{query}"
    return f"{joined}&Signature={quote(b64encode(signature).decode(), safe='')}"


def posted_request(connection: Connection, asking: Asking, pair: KeyPair, url: str, now: datetime) -> str:
    """The signed request as the POST binding carries it (SAML bindings section 3.5.4)."""
    root = authn_request(connection, asking, url, now, binding=POST)
    return b64encode(etree.tostring(_signed(root, pair))).decode()


def _signed(root: etree._Element, pair: KeyPair) -> etree._Element:
    signer = XMLSigner(SignatureConstructionMethod.enveloped, SignatureMethod.RSA_SHA256, DigestAlgorithm.SHA256, _EXCLUSIVE)
    place = etree.Element(f"{{{DS}}}Signature", {"Id": "placeholder"}, nsmap={"ds": DS})
    first = 0 if root.tag.endswith("EntityDescriptor") else 1  # where the schemas want it: after an Issuer
    root.insert(first, place)
    reference = f"#{root.get('ID')}"
    lines = "\n".join(pair.certificate[at : at + 64] for at in range(0, len(pair.certificate), 64))
    certificate = f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
    return signer.sign(root, key=pair.key.encode(), cert=certificate, reference_uri=reference, id_attribute="ID")
