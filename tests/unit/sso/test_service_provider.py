"""Our metadata and our requests, as a provider reads them."""

import zlib
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree
from signxml import XMLVerifier

from platforma.kernel.ids import new_id
from platforma.sso import key_pair
from platforma.sso.model import Connection, SAMLSettings
from platforma.sso.saml import service_provider as sp
from platforma.sso.saml.metadata import read_metadata
from tests.fakes.identity_provider import DS, SAML, SAMLP, FakeIdentityProvider

NOW = datetime.now(UTC).replace(microsecond=0)
URL = "https://platforma.test"
MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
SETTINGS = SAMLSettings(read_metadata(FakeIdentityProvider().metadata().encode(), clock=lambda: NOW))
CONNECTION = Connection(new_id("sso"), new_id("ten"), "Okta", "saml", (), NOW, saml=SETTINGS)


@pytest.fixture(scope="module")
def pairs() -> tuple[key_pair.KeyPair, ...]:
    return key_pair.due_pairs((), CONNECTION.id, NOW)


def certificate(pair: key_pair.KeyPair) -> x509.Certificate:
    return x509.load_der_x509_certificate(b64decode(pair.certificate))


def verified(document: bytes, pair: key_pair.KeyPair) -> etree._Element:
    return XMLVerifier().verify(document, x509_cert=certificate(pair), id_attribute="ID").signed_xml


def test_metadata_is_signed_and_names_both_certificates(pairs):
    root = verified(sp.sp_metadata(CONNECTION, pairs, URL), pairs[0])

    told = [(each.get("use"), each.findtext(f".//{{{DS}}}X509Certificate")) for each in root.iter(f"{MD}KeyDescriptor")]
    assert told == [(use, pair.certificate) for use in ("signing", "encryption") for pair in pairs]
    assert root.get("entityID") == f"{URL}/sso/{CONNECTION.id}/metadata"
    (service,) = root.iter(f"{MD}AssertionConsumerService")
    assert service.get("Location") == f"{URL}/sso/{CONNECTION.id}/acs"
    assert next(root.iter(f"{MD}SPSSODescriptor")).get("AuthnRequestsSigned") == "true"


def test_a_request_by_redirect_is_signed_over_its_query(pairs):
    url = sp.redirect_to(CONNECTION, sp.Asking("_r1"), pairs[0], URL, NOW, "relay & state")

    assert url.startswith("https://idp.test/sso/redirect?SAMLRequest=")
    signed, _, _ = urlsplit(url).query.partition("&Signature=")
    told = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    key = certificate(pairs[0]).public_key()
    key.verify(b64decode(told["Signature"]), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        key.verify(b64decode(told["Signature"]), signed.encode() + b"x", padding.PKCS1v15(), hashes.SHA256())
    request = etree.fromstring(zlib.decompress(b64decode(told["SAMLRequest"]), -15))
    assert (request.get("ID"), request.get("Destination")) == ("_r1", "https://idp.test/sso/redirect")
    assert request.findtext(f"{{{SAML}}}Issuer") == f"{URL}/sso/{CONNECTION.id}/metadata"
    assert told["RelayState"] == "relay & state"


def test_a_request_by_post_carries_its_signature_after_the_issuer(pairs):
    document = b64decode(sp.posted_request(CONNECTION, sp.Asking("_r2", force=True), pairs[0], URL, NOW))

    root = etree.fromstring(document)
    assert [etree.QName(each).localname for each in root] == ["Issuer", "Signature", "NameIDPolicy"]
    assert verified(document, pairs[0]).tag == f"{{{SAMLP}}}AuthnRequest"


def test_ids_are_never_alike_and_are_xml_names():
    ids = {sp.new_message_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(each.startswith("_") for each in ids)


def test_a_pair_gives_way_before_its_end_to_one_that_was_published(pairs):
    assert key_pair.due_pairs(pairs, CONNECTION.id, NOW) == pairs

    later = key_pair.due_pairs(pairs[:1], CONNECTION.id, NOW)
    assert later[0] == pairs[0]
    assert len(later) == 2

    end = NOW + key_pair.LIFETIME - timedelta(days=80)
    fresh = key_pair.due_pairs(pairs, CONNECTION.id, end)
    assert fresh[0] == pairs[1]
    assert fresh[1] not in pairs


def test_a_pair_does_not_show_its_key(pairs):
    assert "PRIVATE" not in repr(pairs[0])
