"""
What an identity provider's response proves, or that it proves nothing (SAML profiles section 4.1.4, SAML core section 2).

The order is the one in which trust grows: form first, then signatures, and from there on only what these cover is read. A
response of any other shape than the one that is described here is refused, not interpreted.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import Malformed
from platforma.sso.model import SAMLSettings
from platforma.sso.saml.encryption import decrypt_assertion
from platforma.sso.saml.errors import AssertionRejected
from platforma.sso.saml.signature import signature_of, verify_signed
from platforma.sso.saml.xml import DS, SAML, SAMLP, UnreadableXML, parse_xml, text_of

SKEW = timedelta(seconds=60)
LONGEST = timedelta(days=1)
"""How long an assertion may say that it is good; its id is kept for that long."""
MAX_ATTRIBUTES = 200
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
_IDS = frozenset({"ID", "Id", "id", "iD", "{http://www.w3.org/XML/1998/namespace}id"})
_CONDITIONS = frozenset({"AudienceRestriction", "OneTimeUse", "ProxyRestriction"})


@dataclass(frozen=True, slots=True)
class Expected:
    """
    What a response must be for: our entity id, our assertion consumer service, and the request that this browser began.

    *request_id* None: nobody asked, and only a connection that allows IdP-initiated sign-in takes it.
    """

    entity_id: str
    acs_url: str
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Assertion:
    """
    A verified assertion about somebody. Its id must yet be used up, until *good_until*, so that it is not shown twice.

    *subject* is the NameID as the provider means it: with its format and qualifiers, since equal texts of two formats are
    two people.
    """

    id: str
    subject: str
    name_id: str
    name_id_format: str
    session_index: str | None
    authn_context: str | None
    authn_instant: datetime
    attributes: Mapping[str, tuple[str, ...]]
    good_until: datetime


def verify_response(
    message: str,
    settings: SAMLSettings,
    expected: Expected,
    *,
    now: datetime,
    decryption_keys: Sequence[rsa.RSAPrivateKey] = (),
) -> Assertion:
    """
    Turn the `SAMLResponse` of the POST binding into what it proves. Nothing about *message* is verified yet.

    Raises:
        AssertionRejected: it proves nothing; `why` says what was wrong.
    """
    root = _parsed(message)
    _require_shape(root)
    certificates = settings.provider.certificates

    def verify(element: etree._Element) -> etree._Element | None:
        return _verified(element, certificates, now)

    response = verify(root)
    if response is not None:
        _require_one_assertion(response)
    seen = response if response is not None else root
    assertion = _assertion(seen, settings, list(decryption_keys), verify, covered=response is not None)
    _require_meant(seen, assertion, settings, expected, signed=response is not None)
    confirmed = _confirmation(assertion, expected, now)
    conditions = _conditions(assertion, expected, now)
    statement = _statement(assertion, now)
    name_id = _name_id(assertion)
    name_format = name_id.get("Format", _UNSPECIFIED)
    context = statement.find(f"{{{SAML}}}AuthnContext/{{{SAML}}}AuthnContextClassRef")
    return Assertion(
        id=assertion.get("ID", ""),
        subject=subject_of(name_id),
        name_id=text_of(name_id),
        name_id_format=name_format,
        session_index=statement.get("SessionIndex"),
        authn_context=None if context is None else text_of(context),
        authn_instant=time_of(statement, "AuthnInstant"),
        attributes=_attributes(assertion),
        good_until=min(confirmed, conditions, now + LONGEST) + SKEW,
    )


def subject_of(name_id: etree._Element) -> str:
    """Whom a NameID means: with its format and qualifiers, the name last."""
    qualifiers = (name_id.get("NameQualifier", ""), name_id.get("SPNameQualifier", ""))
    return "\0".join((name_id.get("Format", _UNSPECIFIED), *qualifiers, text_of(name_id)))


_Verify = Callable[[Any], "Any | None"]


def _parsed(message: str) -> etree._Element:
    try:
        return parse_xml(b64decode("".join(message.split()), validate=True))
    except (NotBase64, ValueError, UnreadableXML):
        raise AssertionRejected("The message is not XML in base64.") from None


def _require_shape(root: etree._Element) -> None:
    """One response, one assertion in it, signatures where they belong, and no id twice."""
    if root.tag != f"{{{SAMLP}}}Response" or root.get("Version") != "2.0" or not root.get("ID"):
        raise AssertionRejected("The message is not a SAML 2.0 Response.")
    status = root.findall(f"{{{SAMLP}}}Status/{{{SAMLP}}}StatusCode")
    if len(status) != 1 or status[0].get("Value") != _SUCCESS:
        inner = [each.get("Value", "").rpartition(":")[2] for each in root.iter(f"{{{SAMLP}}}StatusCode")]
        raise AssertionRejected(f"The identity provider answered {' / '.join(inner)[:200] or 'nothing'}.")
    _require_one_assertion(root)
    seen: set[str] = set()
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        for name in _IDS & set(element.attrib):
            if str(element.get(name)) in seen:
                raise AssertionRejected("Two elements have the same ID.")
            seen.add(str(element.get(name)))
        if element.tag == f"{{{DS}}}Signature":
            parent = element.getparent()
            if parent is None or parent.tag not in (f"{{{SAMLP}}}Response", f"{{{SAML}}}Assertion"):
                raise AssertionRejected("A signature stands where none belongs.")


def _require_one_assertion(root: etree._Element) -> None:
    everywhere = _kinds(root)
    if len(everywhere) != 1 or everywhere[0].getparent() is not root or etree.QName(everywhere[0]).namespace != SAML:
        raise AssertionRejected("The response does not hold just one assertion.")
    if any(isinstance(each.tag, str) and each.tag == f"{{{SAMLP}}}Response" for each in root.iterdescendants()):
        raise AssertionRejected("The response holds another response.")


def _kinds(root: etree._Element, *, descendants: bool = False) -> list[etree._Element]:
    """What is called an assertion, in whatever namespace."""
    kinds = ("Assertion", "EncryptedAssertion")
    found = root.iterdescendants() if descendants else root.iter()
    return [each for each in found if isinstance(each.tag, str) and etree.QName(each).localname in kinds]


def _verified(element: etree._Element, certificates: Sequence[str], now: datetime) -> etree._Element | None:
    """The element as its own signature covers it; None where it carries none."""
    signature = signature_of(element)
    return None if signature is None else verify_signed(element, signature, certificates, now=now)


def _assertion(
    response: etree._Element, settings: SAMLSettings, keys: list[rsa.RSAPrivateKey], verify: _Verify, *, covered: bool
) -> etree._Element:
    """The assertion as a signature covers it: its own, or the response's."""
    assertion = response.find(f"{{{SAML}}}Assertion")
    if assertion is None:
        encrypted = response.find(f"{{{SAML}}}EncryptedAssertion")
        if encrypted is None:
            raise AssertionRejected("The response does not hold just one assertion.")
        assertion = decrypt_assertion(encrypted, keys, allow_cbc=settings.allow_cbc)
    signed = verify(assertion)
    if signed is None and not covered:
        raise AssertionRejected("Neither the response nor the assertion is signed.")
    found = assertion if signed is None else signed
    if _kinds(found, descendants=True):
        raise AssertionRejected("The response does not hold just one assertion.")
    if found.get("Version") != "2.0" or not found.get("ID"):
        raise AssertionRejected("The assertion is not one of SAML 2.0.")
    return found


def _require_meant(
    response: etree._Element, assertion: etree._Element, settings: SAMLSettings, expected: Expected, *, signed: bool
) -> None:
    """Issuer, destination, and the request that is answered."""
    issuers = assertion.findall(f"{{{SAML}}}Issuer")
    of_response = response.findall(f"{{{SAML}}}Issuer")
    if [text_of(each) for each in issuers] != [settings.provider.entity_id] or any(
        text_of(each) != settings.provider.entity_id for each in of_response
    ):
        raise AssertionRejected("The issuer is not the connection's identity provider.")
    destination = response.get("Destination")
    if destination != expected.acs_url and (destination is not None or signed):
        raise AssertionRejected("The response is addressed to another place than ours.")
    answered = response.get("InResponseTo")
    if expected.request_id is None and not settings.idp_initiated:
        raise AssertionRejected("Nobody asked, and the connection does not take sign-ins that the provider begins.")
    if answered is not None and answered != expected.request_id:
        raise AssertionRejected("The response answers a request of another browser, or none.")


def _confirmation(assertion: etree._Element, expected: Expected, now: datetime) -> datetime:
    """Until when a bearer confirmation for us is good (SAML profiles section 4.1.4.2)."""
    for confirmation in assertion.findall(f"{{{SAML}}}Subject/{{{SAML}}}SubjectConfirmation"):
        data = confirmation.find(f"{{{SAML}}}SubjectConfirmationData")
        if confirmation.get("Method") != _BEARER or data is None or data.get("NotOnOrAfter") is None:
            continue
        until = time_of(data, "NotOnOrAfter")
        early = data.get("NotBefore") is not None and time_of(data, "NotBefore") > now + SKEW
        if data.get("Recipient") == expected.acs_url and data.get("InResponseTo") == expected.request_id and not early:
            if now >= until + SKEW:
                raise AssertionRejected(_late(data))
            return until
    raise AssertionRejected("No bearer confirmation is for this place and this browser's request.")


def _conditions(assertion: etree._Element, expected: Expected, now: datetime) -> datetime:
    """Until when the conditions hold; the audience must be us (SAML core section 2.5.1)."""
    found = assertion.findall(f"{{{SAML}}}Conditions")
    if len(found) != 1:
        raise AssertionRejected("The assertion has not just one set of conditions.")
    conditions = found[0]
    if {etree.QName(child).localname for child in conditions if isinstance(child.tag, str)} - _CONDITIONS:
        raise AssertionRejected("The assertion has a condition that is not known here.")
    restrictions = conditions.findall(f"{{{SAML}}}AudienceRestriction")
    audiences = [[text_of(each) for each in one.findall(f"{{{SAML}}}Audience")] for one in restrictions]
    if not audiences or any(expected.entity_id not in each for each in audiences):
        raise AssertionRejected("The assertion is for another audience than us.")
    if conditions.get("NotBefore") is not None and time_of(conditions, "NotBefore") > now + SKEW:
        raise AssertionRejected("The assertion is not good yet: a clock is wrong.")
    if conditions.get("NotOnOrAfter") is None:
        return now + LONGEST
    until = time_of(conditions, "NotOnOrAfter")
    if now >= until + SKEW:
        raise AssertionRejected(_late(conditions))
    return until


def _statement(assertion: etree._Element, now: datetime) -> etree._Element:
    found = assertion.findall(f"{{{SAML}}}AuthnStatement")
    if not found:
        raise AssertionRejected("The assertion does not say that anybody signed in.")
    statement = found[0]
    if statement.get("SessionNotOnOrAfter") is not None and now >= time_of(statement, "SessionNotOnOrAfter") + SKEW:
        raise AssertionRejected("The provider's session was over already.")
    if time_of(statement, "AuthnInstant") > now + SKEW:
        raise AssertionRejected("The sign-in lies ahead of us: a clock is wrong.")
    return statement


def _name_id(assertion: etree._Element) -> etree._Element:
    subjects = assertion.findall(f"{{{SAML}}}Subject")
    names = subjects[0].findall(f"{{{SAML}}}NameID") if len(subjects) == 1 else []
    if len(names) != 1 or not 1 <= len(text_of(names[0])) <= 1024 or len(names[0]):
        raise AssertionRejected("The assertion does not name just one subject.")
    if names[0].get("Format") == _TRANSIENT:
        raise AssertionRejected("A transient NameID names nobody twice. Send a persistent one, or an address.")
    return names[0]


def _attributes(assertion: etree._Element) -> dict[str, tuple[str, ...]]:
    attributes: dict[str, tuple[str, ...]] = {}
    for attribute in assertion.findall(f"{{{SAML}}}AttributeStatement/{{{SAML}}}Attribute"):
        name = attribute.get("Name")
        if not name or name in attributes:
            raise AssertionRejected("An attribute has no name, or one that another has.")
        attributes[name] = tuple(text_of(value) for value in attribute.findall(f"{{{SAML}}}AttributeValue"))
    if len(attributes) > MAX_ATTRIBUTES:
        raise AssertionRejected(f"More than {MAX_ATTRIBUTES} attributes.")
    return attributes


def _late(element: etree._Element) -> str:
    return f"The assertion was good until {element.get('NotOnOrAfter')}: it is late, or a clock is wrong."


def time_of(element: etree._Element, name: str) -> datetime:
    """
    A SAML time: UTC, as `xs:dateTime` (SAML core section 1.3.3).

    Raises:
        AssertionRejected: it is none.
    """
    text = (element.get(name) or "").strip()
    try:
        return parse_rfc3339(text if text[-1:] in ("Z", "z") or "+" in text[10:] else f"{text}Z")
    except Malformed:
        raise AssertionRejected(f"{name} is no time.") from None
