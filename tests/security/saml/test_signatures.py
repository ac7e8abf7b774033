"""Signatures taken off, made by others, by weak algorithms, or over something else."""

import copy
import re

import pytest
from lxml import etree

from platforma.sso.saml.errors import AssertionRejected
from tests.fakes.identity_provider import (
    DS,
    EXCLUSIVE,
    SAMLP,
    pair,
    signed,
)
from tests.security.saml.responses import NAMES, SIGNED, by_assertion, refused, saying, settings, text, tree, verified


def test_a_signature_taken_off():
    said = saying()

    assert refused(said.response(said.assertion())) == "Neither the response nor the assertion is signed."


@pytest.mark.parametrize("how", SIGNED)
@pytest.mark.parametrize(
    ("was", "becomes"), [("ada-1", "admin"), ("ada@acme.test", "ceo@acme.test"), ("Engineers", "Admins")]
)
def test_what_was_signed_is_changed(how, was, becomes):
    assert refused(SIGNED[how]().replace(was, becomes))


@pytest.mark.parametrize("how", ["assertion", "response"])
def test_a_signature_of_somebody_elses_key_though_it_brings_its_certificate(how):
    said, stranger = saying(), pair("stranger")
    inner = said.assertion()
    document = signed(said.response(inner), stranger) if how == "response" else said.response(signed(inner, stranger))

    assert "not one of the identity provider's" in refused(document)


def test_key_info_is_never_believed():
    document = by_assertion().replace(pair().base64[:60], pair("stranger").base64[:60])

    stripped = re.sub(r"<ds:KeyInfo>.*?</ds:KeyInfo>", "", by_assertion(), flags=re.DOTALL)
    assert verified(stripped).name_id == "ada-1"
    with pytest.raises(AssertionRejected):
        verified(document, by=settings("stranger"))


@pytest.mark.parametrize(("algorithm", "digest"), [("rsa-sha1", "sha256"), ("rsa-sha256", "sha1"), ("rsa-sha224", "sha256")])
def test_weak_algorithms(algorithm, digest):
    said = saying()

    assert refused(said.response(signed(said.assertion(), algorithm=algorithm, digest=digest)))


@pytest.mark.parametrize(
    "algorithm",
    [f"{DS}hmac-sha1", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", f"{DS}rsa-sha1", "none", ""],
)
def test_key_confusion_by_another_algorithm(algorithm):
    named = by_assertion().replace("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", algorithm)

    assert refused(named)


@pytest.mark.parametrize("uri", ["", "#other", "#xpointer(/)", "https://evil.test/signed.xml", "file:///etc/passwd", None])
def test_a_reference_to_something_else(uri):
    root = tree(by_assertion())
    reference = root.find(".//ds:Reference", NAMES)
    if uri is None:
        del reference.attrib["URI"]
    else:
        reference.set("URI", uri)

    assert refused(text(root)) == "The signature is over another element than the one that it stands in."


@pytest.mark.parametrize(
    "algorithm",
    [
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2",
        f"{DS}base64",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        f"{EXCLUSIVE}WithComments",
    ],
)
@pytest.mark.parametrize("where", ["instead", "besides"])
def test_other_transforms(algorithm, where):
    root = tree(by_assertion())
    transforms = root.find(".//ds:Transforms", NAMES)
    if where == "instead":
        transforms[-1].set("Algorithm", algorithm)
    else:
        etree.SubElement(transforms, f"{{{DS}}}Transform", Algorithm=algorithm)

    assert "canonicalised or transformed" in refused(text(root))


def test_a_transform_with_a_program_in_it():
    root = tree(by_assertion())
    inner = etree.SubElement(root.findall(".//ds:Transform", NAMES)[0], f"{{{DS}}}XPath")
    inner.text = "not(ancestor-or-self::*)"

    assert refused(text(root)) == "A transform of the signature has parameters."


@pytest.mark.parametrize("what", ["SignedInfo", "Reference", "DigestValue", "SignatureValue", "Object", "Manifest"])
def test_a_signature_with_a_part_twice_or_too_many(what):
    root = tree(by_assertion())
    signature = root.find(".//ds:Signature", NAMES)
    found = signature.find(f".//ds:{what}", NAMES)
    if found is None:
        etree.SubElement(signature, f"{{{DS}}}{what}")
    else:
        found.addnext(copy.deepcopy(found))

    assert refused(text(root))


@pytest.mark.parametrize("what", ["DigestValue", "SignatureValue"])
@pytest.mark.parametrize("split", ["<!--x-->", "<?x y?>"])
def test_a_digest_that_a_comment_interrupts(what, split):
    """CVE-2025-29775: two readers of one digest read two digests."""
    document = re.sub(rf"(<ds:{what}>.{{8}})", rf"\1{split}", by_assertion(), flags=re.DOTALL)

    assert split in document
    assert refused(document) == "A digest or signature value is interrupted."


def test_a_digest_smuggled_in_before_the_reference():
    """CVE-2024-45409: a DigestValue elsewhere in the document is taken for the reference's."""
    root = tree(by_assertion())
    extra = etree.SubElement(root.find("samlp:Status", NAMES), f"{{{SAMLP}}}StatusDetail")
    etree.SubElement(extra, f"{{{DS}}}DigestValue").text = "AAAA"

    assert verified(text(root)).name_id == "ada-1"
    root.find(".//saml:Assertion//saml:NameID", NAMES).text = "admin"
    assert refused(text(root))


@pytest.mark.parametrize("how", SIGNED)
def test_void_canonicalisation(how):
    """A relative namespace makes canonicalisation fail half way, and the digest of nothing is easily signed."""
    root = tree(SIGNED[how]().replace("<samlp:Status>", '<samlp:Status xmlns:x="relative"><x:y/>'))

    assert refused(text(root))
