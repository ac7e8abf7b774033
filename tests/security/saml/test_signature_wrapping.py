"""A signed assertion with another one around, beside or inside of it: only what was signed is read (XSW1 to XSW8)."""

import copy

import pytest
from lxml import etree

from tests.fakes.identity_provider import (
    DS,
    SAML,
    SAMLP,
    identifier,
)
from tests.security.saml.responses import NAMES, SIGNED, by_assertion, by_response, refused, text, tree


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
