"""Documents that two parsers read in two ways, and things that are no documents."""

import pytest
from lxml import etree

from platforma.sso.saml.errors import AssertionRejected
from platforma.sso.saml.response import verify_response
from tests.fakes.identity_provider import (
    SAMLP,
)
from tests.security.saml.responses import EXPECTED, NAMES, NOW, SIGNED, refused, saying, settings, text, tree, verified


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
