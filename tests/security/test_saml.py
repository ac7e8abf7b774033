"""Responses of a hostile identity provider, or of whoever got hold of one of an honest one's: each proves nothing."""

import copy
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from platforma.sso.model import SAMLSettings
from platforma.sso.saml.errors import AssertionRejected
from platforma.sso.saml.metadata import read_metadata
from platforma.sso.saml.response import SKEW, Expected, verify_response
from tests.fakes.identity_provider import (
    DS,
    EXCLUSIVE,
    SAML,
    SAMLP,
    FakeIdentityProvider,
    Saying,
    encrypted,
    identifier,
    pair,
    posted,
    signed,
)

NOW = datetime.now(UTC).replace(microsecond=0)
ENTITY = "https://platforma.test/sso/sso_1/metadata"
ACS = "https://platforma.test/sso/sso_1/acs"
EXPECTED = Expected(ENTITY, ACS, "_request")
NAMES = {"saml": SAML, "samlp": SAMLP, "ds": DS}
CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"


def settings(*pairs: str, **fields) -> SAMLSettings:
    told = tuple(pair(name).base64 for name in pairs or ("idp",))
    provider = read_metadata(FakeIdentityProvider().metadata(certificates=told).encode(), clock=lambda: NOW)
    return SAMLSettings(provider, **fields)


def saying(**fields) -> Saying:
    return Saying(**{"now": NOW, "acs_url": ACS, "audience": ENTITY, "request_id": "_request", **fields})


def by_assertion(said: Saying | None = None) -> str:
    said = said or saying()
    return said.response(signed(said.assertion()))


def by_response(said: Saying | None = None) -> str:
    said = said or saying()
    return signed(said.response(said.assertion()))


def by_both(said: Saying | None = None) -> str:
    said = said or saying()
    return signed(said.response(signed(said.assertion())))


SIGNED: dict[str, Callable[..., str]] = {"assertion": by_assertion, "response": by_response, "both": by_both}


def verified(document: str, expected: Expected = EXPECTED, by: SAMLSettings | None = None, now: datetime = NOW, **more):
    return verify_response(posted(document), by or settings(), expected, now=now, **more)


def refused(document: str, *args, **more) -> str:
    with pytest.raises(AssertionRejected) as raised:
        verified(document, *args, **more)
    return raised.value.why


@pytest.mark.parametrize("how", SIGNED)
def test_an_honest_response_is_believed(how):
    proved = verified(SIGNED[how]())

    assert proved.name_id == "ada-1"
    assert proved.attributes == {"email": ("ada@acme.test",), "groups": ("Engineers",)}
    assert (proved.session_index, proved.authn_instant) == ("s1", NOW)
    assert proved.good_until == NOW + timedelta(minutes=5) + SKEW


@pytest.mark.parametrize("how", ["plain", "response", "assertion"])
def test_an_encrypted_assertion_is_believed_where_it_is_signed(how):
    said, ours = saying(), pair("ours")
    inner = signed(said.assertion()) if how == "assertion" else said.assertion()
    document = said.response(encrypted(inner, ours))
    document = signed(document) if how == "response" else document

    if how == "plain":
        assert "signed" in refused(document, decryption_keys=[ours.key])
    else:
        assert verified(document, decryption_keys=[pair("other").key, ours.key]).name_id == "ada-1"


def test_the_next_certificate_of_a_provider_is_believed_already():
    said = saying()
    document = said.response(signed(said.assertion(), pair("next")))

    assert verified(document, by=settings("idp", "next")).name_id == "ada-1"


def test_equal_names_of_two_formats_are_two_subjects():
    address = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"

    assert verified(by_both()).subject != verified(by_both(saying(name_id_format=address))).subject


def tree(document: str) -> etree._Element:
    return etree.fromstring(document.encode())


def text(root: etree._Element) -> str:
    return etree.tostring(root).decode()


def evil(assertion: etree._Element) -> etree._Element:
    """An unsigned copy that says something else."""
    forged = copy.deepcopy(assertion)
    forged.set("ID", identifier())
    for signature in forged.findall("ds:Signature", NAMES):
        forged.remove(signature)
    forged.find("saml:Subject/saml:NameID", NAMES).text = "admin"
    return forged


def evil_response(response: etree._Element) -> etree._Element:
    forged = copy.deepcopy(response)
    forged.set("ID", identifier())
    for signature in forged.findall("ds:Signature", NAMES):
        forged.remove(signature)
    forged.find("saml:Assertion/saml:Subject/saml:NameID", NAMES).text = "admin"
    return forged


def xsw1(root: etree._Element) -> etree._Element:
    """A forged response around the original one, which stands in the signature."""
    forged, signature = evil_response(root), copy.deepcopy(root.find("ds:Signature", NAMES))
    original = copy.deepcopy(root)
    original.remove(original.find("ds:Signature", NAMES))
    signature.append(original)
    forged.insert(1, signature)
    return forged


def xsw2(root: etree._Element) -> etree._Element:
    """The signature detached before the original, both in a forged response."""
    forged, signature = evil_response(root), copy.deepcopy(root.find("ds:Signature", NAMES))
    original = copy.deepcopy(root)
    original.remove(original.find("ds:Signature", NAMES))
    forged.insert(0, original)
    forged.insert(1, signature)
    return forged


def xsw3(root: etree._Element) -> etree._Element:
    """A forged assertion before the signed one."""
    assertion = root.find("saml:Assertion", NAMES)
    root.insert(list(root).index(assertion), evil(assertion))
    return root


def xsw4(root: etree._Element) -> etree._Element:
    """The signed assertion inside of a forged one."""
    assertion = root.find("saml:Assertion", NAMES)
    forged = evil(assertion)
    root.replace(assertion, forged)
    forged.append(assertion)
    return root


def xsw5(root: etree._Element) -> etree._Element:
    """The signature moved into a forged assertion, the original at the end."""
    assertion = root.find("saml:Assertion", NAMES)
    forged, signature = evil(assertion), copy.deepcopy(assertion.find("ds:Signature", NAMES))
    original = copy.deepcopy(assertion)
    original.remove(original.find("ds:Signature", NAMES))
    forged.append(signature)
    root.replace(assertion, forged)
    root.append(original)
    return root


def xsw6(root: etree._Element) -> etree._Element:
    """As the fifth, with the original inside of the signature."""
    assertion = root.find("saml:Assertion", NAMES)
    forged, signature = evil(assertion), copy.deepcopy(assertion.find("ds:Signature", NAMES))
    original = copy.deepcopy(assertion)
    original.remove(original.find("ds:Signature", NAMES))
    signature.append(original)
    forged.append(signature)
    root.replace(assertion, forged)
    return root


def xsw7(root: etree._Element) -> etree._Element:
    """A forged assertion in `Extensions`, where a schema lets anything stand."""
    extensions = etree.SubElement(root, f"{{{SAMLP}}}Extensions")
    extensions.append(evil(root.find("saml:Assertion", NAMES)))
    return root


def xsw8(root: etree._Element) -> etree._Element:
    """The original in an `Object` of a signature in a forged assertion."""
    assertion = root.find("saml:Assertion", NAMES)
    forged, signature = evil(assertion), copy.deepcopy(assertion.find("ds:Signature", NAMES))
    original = copy.deepcopy(assertion)
    original.remove(original.find("ds:Signature", NAMES))
    etree.SubElement(signature, f"{{{DS}}}Object").append(original)
    forged.append(signature)
    root.replace(assertion, forged)
    return root


def cve_2025_47949(root: etree._Element) -> etree._Element:
    """The signed assertion as it is where nobody looks for one, and a forged one where one is read (samlify)."""
    assertion = root.find("saml:Assertion", NAMES)
    root.replace(assertion, evil(assertion))
    etree.SubElement(root.find("samlp:Status", NAMES), f"{{{SAMLP}}}StatusDetail").append(assertion)
    return root


@pytest.mark.parametrize("attack", [xsw1, xsw2], ids=lambda each: each.__name__)
def test_signature_wrapping_of_the_response(attack):
    assert refused(text(attack(tree(by_response()))))


@pytest.mark.parametrize("attack", [xsw3, xsw4, xsw5, xsw6, xsw7, xsw8, cve_2025_47949], ids=lambda each: each.__name__)
@pytest.mark.parametrize("how", ["assertion", "both"])
def test_signature_wrapping_of_the_assertion(attack, how):
    assert refused(text(attack(tree(SIGNED[how]()))))


@pytest.mark.parametrize("same_id", [True, False])
@pytest.mark.parametrize("namespace", [SAML, "urn:other", ""])
def test_a_second_assertion_in_any_namespace_or_of_the_same_id(same_id, namespace):
    root = tree(by_assertion())
    assertion = root.find("saml:Assertion", NAMES)
    forged = evil(assertion)
    if same_id:
        forged.set("ID", assertion.get("ID"))
    forged.tag = f"{{{namespace}}}Assertion" if namespace else "Assertion"
    root.append(forged)

    assert refused(text(root))


@pytest.mark.parametrize("name", ["ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id"])
def test_an_id_that_two_elements_have(name):
    root = tree(by_assertion())
    identifier_ = root.find("saml:Assertion", NAMES).get("ID")
    root.find("samlp:Status", NAMES).set(name, identifier_)

    assert refused(text(root)) == "Two elements have the same ID."


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


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE x>",
        '<!DOCTYPE x [<!ATTLIST ds:Signature xmlns:ds CDATA #FIXED "urn:other">]>',
        '<!DOCTYPE x [<!ATTLIST saml:Assertion ID CDATA "_other">]>',
        "<!DOCTYPE x [<!NOTATION n PUBLIC '\"><!--'>]>",
        "<!DOCTYPE x [<!ENTITY a '\"'>]>",
    ],
)
@pytest.mark.parametrize("how", SIGNED)
def test_a_parser_differential_by_a_document_type(doctype, how):
    """CVE-2025-25291: of a document type two parsers make two documents, one with a good signature and one that is read."""
    assert refused(doctype + SIGNED[how]()) == "The message is not XML in base64."


@pytest.mark.parametrize("place", [".", "saml:Assertion", "saml:Assertion/saml:Subject"])
@pytest.mark.parametrize("how", SIGNED)
def test_a_parser_differential_by_a_prefix_that_means_two_namespaces(how, place):
    """CVE-2025-25292: by a prefix alone another Signature and NameID are found than those of what was signed."""
    root = tree(SIGNED[how]())
    forged = '<ds:Signature xmlns:ds="urn:x"><saml:NameID xmlns:saml="urn:x">admin</saml:NameID></ds:Signature>'
    root.find(place, NAMES).insert(0, etree.fromstring(forged))

    if how == "assertion" and place == ".":
        assert verified(text(root)).name_id == "ada-1"  # outside of what was signed, where nothing is read
    else:
        assert refused(text(root))


@pytest.mark.parametrize("split", ["<!-- -->", "<!---->", "<?x y?>"])
@pytest.mark.parametrize("how", SIGNED)
def test_a_comment_or_instruction_in_a_name_does_not_shorten_it(split, how):
    signed_ = SIGNED[how](saying(name_id="admin@acme.test.evil.test", attributes={"email": ["ceo@acme.test.evil.test"]}))
    document = signed_.replace("@acme.test.evil", f"@acme.test{split}.evil")

    if split.startswith("<?"):
        assert refused(document)  # an instruction is part of what was digested
    else:
        proved = verified(document)
        assert proved.name_id == "admin@acme.test.evil.test"
        assert proved.attributes["email"] == ("ceo@acme.test.evil.test",)


@pytest.mark.parametrize("how", SIGNED)
def test_void_canonicalisation(how):
    """A relative namespace makes canonicalisation fail half way, and the digest of nothing is easily signed."""
    root = tree(SIGNED[how]().replace("<samlp:Status>", '<samlp:Status xmlns:x="relative"><x:y/>'))

    assert refused(text(root))


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        "<a/>",
        "",
        "x",
        f'<samlp:Response xmlns:samlp="{SAMLP}" ID="a" Version="1.1"/>',
        f'<samlp:Response xmlns:samlp="{SAMLP}" ID="a" Version="2.0"/>',
        '<Response xmlns="urn:x" ID="a" Version="2.0"/>',
    ],
)
def test_what_is_no_response(document):
    assert refused(document)


@pytest.mark.parametrize("message", ["%%%", "", "A" * 10, "PGE+\x00"])
def test_what_is_no_base64(message):
    with pytest.raises(AssertionRejected):
        verify_response(message, settings(), EXPECTED, now=NOW)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"issuer": "https://other.test"}, "issuer"),
        ({"audience": "https://other.test"}, "audience"),
        ({"recipient": "https://platforma.test/sso/sso_2/acs"}, "bearer"),
        ({"request_id": "_of_another_browser"}, "another browser"),
        ({"request_id": None}, "bearer"),
        ({"lifetime": -SKEW}, "late"),
        ({"now": NOW + timedelta(minutes=3)}, "clock"),
        ({"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"}, "answered Responder"),
        ({"name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"}, "transient"),
        ({"name_id": ""}, "subject"),
        ({"attributes": {"": ["x"]}}, "attribute"),
    ],
)
def test_what_is_for_somebody_else_or_another_time(fields, why):
    assert why in refused(by_both(saying(**fields)))


@pytest.mark.parametrize(
    ("how", "destination", "good"),
    [
        ("assertion", "", True),
        ("response", "", False),
        ("assertion", "https://other.test", False),
        ("response", "https://other.test", False),
    ],
)
def test_a_destination_is_ours_and_is_there_where_the_response_is_signed(how, destination, good):
    document = SIGNED[how](saying(destination=destination))

    assert verified(document) if good else "addressed" in refused(document)


@pytest.mark.parametrize(("late", "good"), [(timedelta(seconds=359), True), (timedelta(seconds=360), False)])
def test_clocks_may_differ_by_a_minute(late, good):
    document = by_both()

    assert verified(document, now=NOW + late) if good else "late" in refused(document, now=NOW + late)


def test_a_sign_in_that_nobody_asked_for():
    document = by_both(saying(request_id=None))
    nobody = Expected(ENTITY, ACS, None)

    assert "Nobody asked" in refused(document, nobody)
    assert verified(document, nobody, settings(idp_initiated=True)).name_id == "ada-1"
    assert refused(by_both(), nobody, settings(idp_initiated=True))


def test_an_assertion_of_one_connection_at_anothers():
    other = Expected("https://platforma.test/sso/sso_2/metadata", "https://platforma.test/sso/sso_2/acs", "_request")

    assert refused(by_both(), other)
    assert refused(by_assertion(saying(destination="")), other)


def test_an_expired_certificate_is_told_in_words():
    later = NOW + timedelta(days=400)
    said = saying(now=later)

    assert "certificate that expired on" in refused(by_both(said), now=later)


@pytest.mark.parametrize("allowed", [True, False])
def test_cbc_is_taken_only_where_it_was_opted_in(allowed):
    said, ours = saying(), pair("ours")
    document = said.response(encrypted(signed(said.assertion()), ours, algorithm=CBC))

    if allowed:
        assert verified(document, by=settings(allow_cbc=True), decryption_keys=[ours.key]).name_id == "ada-1"
    else:
        assert refused(document, decryption_keys=[ours.key])


def test_every_failure_to_decrypt_is_the_same():
    said, ours = saying(), pair("ours")
    whys = set()
    for algorithm in (CBC, "http://www.w3.org/2009/xmlenc11#aes256-gcm"):
        good = said.response(encrypted(signed(said.assertion()), ours, algorithm=algorithm))
        values = re.findall("<xenc:CipherValue>(.*?)</xenc:CipherValue>", good)
        for value, broken in [(values[0], "AAAA"), (values[1], "AAAA"), (values[1], values[1][:-8] + "AAAAAAA=")]:
            document = good.replace(value, broken)
            whys.add(refused(document, by=settings(allow_cbc=True), decryption_keys=[ours.key]))
        whys.add(refused(good, by=settings(allow_cbc=True), decryption_keys=[pair("other").key]))
        whys.add(refused(good, by=settings(allow_cbc=True), decryption_keys=[]))

    assert whys == {"The assertion is not encrypted for us by an algorithm that is taken."}


def test_an_unsigned_assertion_inside_of_an_encrypted_one():
    said, ours = saying(), pair("ours")
    inner = said.assertion().replace("</saml:Assertion>", signed(said.assertion()) + "</saml:Assertion>")

    assert refused(said.response(encrypted(inner, ours)), decryption_keys=[ours.key])
    assert refused(signed(said.response(encrypted(inner, ours))), decryption_keys=[ours.key])


def test_two_attributes_of_one_name():
    twice = '<saml:AttributeStatement><saml:Attribute Name="email"><saml:AttributeValue>x</saml:AttributeValue>'
    document = by_both(saying(inner=f"{twice}</saml:Attribute></saml:AttributeStatement>"))

    assert "attribute" in refused(document)
