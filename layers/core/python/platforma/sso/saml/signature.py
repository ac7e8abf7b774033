"""
Signatures under SAML elements: what exactly was signed, by a key that the provider's metadata names.

The bytes that a signature covers come back, and nothing else is ever read. Before any cryptography the signature's form is
held to the one that SAML allows (SAML core section 5.4): one reference, to the very element that the signature stands in,
by enveloped signature and exclusive canonicalisation alone; no XPath, no XSLT, no object, no second SignedInfo or digest.
The key is never one that the signature brings along.
"""

from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from platforma.sso.saml.errors import AssertionRejected
from platforma.sso.saml.xml import DS, UnreadableXML, parse_xml

METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0.value
_ENVELOPED = f"{DS}enveloped-signature"
_INCLUSIVE_NAMESPACES = "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces"
_ALLOWED = frozenset({"SignedInfo", "SignatureValue", "KeyInfo"})


def signature_of(element: etree._Element) -> etree._Element | None:
    """
    The signature that stands directly in *element*.

    Raises:
        AssertionRejected: there are several.
    """
    found = element.findall(f"{{{DS}}}Signature")
    if len(found) > 1:
        raise AssertionRejected("An element carries more than one signature.")
    return found[0] if found else None


def verify_signed(
    element: etree._Element, signature: etree._Element, certificates: Sequence[str], *, now: datetime
) -> etree._Element:
    """
    The element as *signature*, which stands directly in it, covers it: parsed anew from the very bytes that were digested.

    *element* is the root of its document, or a child of the root. *certificates* are base64 of DER.

    Raises:
        AssertionRejected: the signature has another form, another algorithm, another key, or does not hold.
    """
    _require_form(element, signature)
    location = "./" if element.getparent() is None else f"./{element.tag}/"
    document = etree.tostring(element.getroottree())
    for certificate in (x509.load_der_x509_certificate(b64decode(each)) for each in certificates):
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        configuration = SignatureConfiguration(
            location=location,
            expect_references=1,
            signature_methods=METHODS,
            digest_algorithms=DIGESTS,
            verification_time=min(max(now, begin), end),  # whether it is over is said below, in words
        )
        try:
            result = XMLVerifier().verify(
                document, x509_cert=certificate, id_attribute="ID", expect_config=configuration, parser=_parser()
            )
        except (SignXMLException, ValueError, etree.LxmlError):
            continue
        if not begin <= now < end:
            raise AssertionRejected(f"The identity provider signed with a certificate that expired on {end:%Y-%m-%d}.")
        return _covered(element, result)
    raise AssertionRejected("The signature is not one of the identity provider's, by any certificate in its metadata.")


def _covered(element: etree._Element, result: object) -> etree._Element:
    data = getattr(result, "signed_data", b"")
    try:
        signed = parse_xml(data) if isinstance(data, bytes) and data else None
    except UnreadableXML:
        signed = None
    if signed is None or signed.tag != element.tag or signed.get("ID") != element.get("ID") or not signed.get("ID"):
        raise AssertionRejected("The signature covers something else than the element that it stands in.")
    return signed


def _require_form(element: etree._Element, signature: etree._Element) -> None:
    names = [etree.QName(child).localname for child in signature if isinstance(child.tag, str)]
    if not set(names) <= _ALLOWED or len(names) != len(set(names)):
        raise AssertionRejected("The signature holds more than SignedInfo, SignatureValue and KeyInfo.")
    infos = list(signature.iter(f"{{{DS}}}SignedInfo"))
    references = list(signature.iter(f"{{{DS}}}Reference"))
    digests = list(signature.iter(f"{{{DS}}}DigestValue"))
    values = list(signature.iter(f"{{{DS}}}SignatureValue"))
    if not len(infos) == len(references) == len(digests) == len(values) == 1:
        raise AssertionRejected("The signature has not just one reference with one digest.")
    if any(len(each) or not isinstance(each.text, str) for each in (*digests, *values)):
        raise AssertionRejected("A digest or signature value is interrupted.")  # CVE-2025-29775: a comment in a DigestValue
    if infos[0].getparent() is not signature or references[0].getparent() is not infos[0]:
        raise AssertionRejected("The signature's parts are nested otherwise than they must be.")
    identifier = element.get("ID")
    if not identifier or references[0].get("URI") != f"#{identifier}":
        raise AssertionRejected("The signature is over another element than the one that it stands in.")
    method = infos[0].findall(f"{{{DS}}}CanonicalizationMethod")
    transforms = list(references[0].iter(f"{{{DS}}}Transform"))
    algorithms = [each.get("Algorithm") for each in transforms]
    if [each.get("Algorithm") for each in method] != [_EXCLUSIVE] or algorithms != [_ENVELOPED, _EXCLUSIVE]:
        raise AssertionRejected("The signature is canonicalised or transformed otherwise than SAML allows.")
    if any(child.tag != _INCLUSIVE_NAMESPACES for each in (*method, *transforms) for child in each):
        raise AssertionRejected("A transform of the signature has parameters.")


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, collect_ids=False)
