"""
XML from strangers, read by one parser in one way: UTF-8, no DTD, no entities, no network, bounded size and depth.

Source: OASIS SAML V2.0 Security and Privacy Considerations, section 7; the parser differentials of CVE-2025-25291 and
CVE-2025-25292, which is why nothing here is ever read by a second parser.
"""

import re

from lxml import etree

from platforma.kernel.errors import Unprocessable

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
MAX_BYTES = 512 * 1024
MAX_DEPTH = 64
MAX_ELEMENTS = 20_000
_DECLARATION = re.compile(r"\A<\?xml\s[^>]*?encoding\s*=\s*[\"']([^\"']*)[\"']")


class UnreadableXML(Unprocessable):
    """Not XML as it is taken here."""

    code = "unreadable_xml"
    public = "This is not XML that can be read here: UTF-8, without a document type, of reasonable size."


def parse_xml(raw: bytes) -> etree._Element:
    """
    The root of the document; every element and attribute of it is what one parser saw.

    Raises:
        UnreadableXML: not well-formed, not UTF-8, with a document type or entity, a relative namespace, too large or deep.
    """
    if len(raw) > MAX_BYTES:
        raise UnreadableXML
    try:
        text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableXML from None
    declared = _DECLARATION.match(text)
    if "<!DOCTYPE" in text or "<!ENTITY" in text or (declared and declared[1].lower() != "utf-8"):
        raise UnreadableXML
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, collect_ids=False)
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise UnreadableXML from None
    if root.getroottree().docinfo.doctype:
        raise UnreadableXML
    _require_plain(root)
    return root


def text_of(element: etree._Element) -> str:
    """All text directly in *element*, which holds no element: a comment or an instruction in it does not end it."""
    return "".join([element.text or "", *(child.tail or "" for child in element)]).strip()


def _require_plain(root: etree._Element) -> None:
    count = 0
    pending = [(root, 1)]
    while pending:
        element, depth = pending.pop()
        count += 1
        if depth > MAX_DEPTH or count > MAX_ELEMENTS:
            raise UnreadableXML
        # A relative namespace makes canonicalisation fail half way in libxml2, and a digest of nothing is easy to sign.
        if any(uri and ":" not in uri for uri in element.nsmap.values()):
            raise UnreadableXML
        pending += [(child, depth + 1) for child in element if isinstance(child.tag, str)]
        if any(child.tag is etree.Entity for child in element):
            raise UnreadableXML
