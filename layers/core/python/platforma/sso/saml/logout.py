"""
Single logout, both ways (SAML profiles section 4.4): the provider asks us, or we ask it; by redirect or by POST, signed.

A request of the provider's must be signed by a key of its metadata, name one subject in the clear, be meant for us, and is
good once. Whether it answers ours is nothing that we act on: the session here has ended before we ask.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from lxml import etree

from platforma.kernel.clock import Clock
from platforma.kernel.errors import AlreadyUsed
from platforma.oauth.ports import SingleUse
from platforma.sso.key_pairs import current_pairs
from platforma.sso.model import Connection, ProviderSession
from platforma.sso.ports import ProviderKeys
from platforma.sso.saml.errors import AssertionRejected
from platforma.sso.saml.redirect_binding import decoded, inflated, require_signed_query
from platforma.sso.saml.response import SKEW, subject_of, time_of
from platforma.sso.saml.service_provider import SignedMessage, logout_message, new_message_id, places, signed_message
from platforma.sso.saml.signature import signature_of, verify_signed
from platforma.sso.saml.xml import SAML, SAMLP, UnreadableXML, parse_xml, text_of

_OLDEST = timedelta(minutes=5)
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"


@dataclass(frozen=True, slots=True)
class LogoutRequested:
    """A verified request of the provider's: whom it means, in which of its sessions (none named: all)."""

    id: str
    subject: str
    indexes: tuple[str, ...]


def believe_logout_request(
    connection: Connection,
    sent: Mapping[str, str],
    *,
    posted: bool,
    single_use: SingleUse,
    url: str,
    clock: Clock,
) -> LogoutRequested:
    """
    What a logout request says. Nothing about *sent* is verified yet.

    Raises:
        AssertionRejected: it is not the provider's, not for us, too old, or was used before.
    """
    assert connection.saml is not None
    now, provider = clock(), connection.saml.provider
    if posted:
        root = _parsed(decoded(sent["SAMLRequest"]))
        signature = signature_of(root)
        if signature is None:
            raise AssertionRejected("The logout request is not signed.")
        root = verify_signed(root, signature, provider.certificates, now=now)
    else:
        require_signed_query(sent, "SAMLRequest", provider.certificates, now=now)
        root = _parsed(inflated(decoded(sent["SAMLRequest"])))
    if root.tag != f"{{{SAMLP}}}LogoutRequest" or root.get("Version") != "2.0" or not root.get("ID"):
        raise AssertionRejected("The message is not a SAML 2.0 LogoutRequest.")
    if [text_of(each) for each in root.findall(f"{{{SAML}}}Issuer")] != [provider.entity_id]:
        raise AssertionRejected("The issuer is not the connection's identity provider.")
    if root.get("Destination") not in (None, places(connection.id, url).slo_url):
        raise AssertionRejected("The logout request is addressed to another place than ours.")
    issued = time_of(root, "IssueInstant")
    if not now - _OLDEST - SKEW <= issued <= now + SKEW:
        raise AssertionRejected("The logout request is old, or a clock is wrong.")
    if root.get("NotOnOrAfter") is not None and now >= time_of(root, "NotOnOrAfter") + SKEW:
        raise AssertionRejected("The logout request is late, or a clock is wrong.")
    names = root.findall(f"{{{SAML}}}NameID")
    if len(names) != 1 or len(names[0]) or not text_of(names[0]):
        raise AssertionRejected("The logout request does not name just one subject in the clear.")
    try:
        single_use.spend(f"saml logout {connection.id} {root.get('ID')}", until=issued + _OLDEST + 2 * SKEW)
    except AlreadyUsed:
        raise AssertionRejected("The logout request was used before.") from None
    indexes = tuple(text_of(each) for each in root.findall(f"{{{SAMLP}}}SessionIndex"))
    return LogoutRequested(str(root.get("ID")), subject_of(names[0]), indexes)


def answer_logout(
    connection: Connection, asked: LogoutRequested, relay: str, *, provider_keys: ProviderKeys, url: str, clock: Clock
) -> SignedMessage | None:
    """Our signed answer, for the browser to take there; None where the provider named no place for it."""
    root = logout_message(connection, "LogoutResponse", url, clock())
    if root is None:
        return None
    root.set("InResponseTo", asked.id)
    status = etree.SubElement(root, f"{{{SAMLP}}}Status")
    etree.SubElement(status, f"{{{SAMLP}}}StatusCode", {"Value": _SUCCESS})
    pair = current_pairs(connection, provider_keys=provider_keys, clock=clock)[0]
    return signed_message(connection, "SAMLResponse", root, relay, pair)


def ask_logout(
    connection: Connection, ended: ProviderSession, *, provider_keys: ProviderKeys, url: str, clock: Clock
) -> SignedMessage | None:
    """Our signed request to end the provider's session too; None where it has no place for one."""
    root = logout_message(connection, "LogoutRequest", url, clock())
    if root is None:
        return None
    name_format, qualifier, sp_qualifier, name = ended.subject.split("\0", 3)
    told = {"Format": name_format, "NameQualifier": qualifier, "SPNameQualifier": sp_qualifier}
    present = {attribute: value for attribute, value in told.items() if value}
    etree.SubElement(root, f"{{{SAML}}}NameID", present).text = name
    if ended.index is not None:
        etree.SubElement(root, f"{{{SAMLP}}}SessionIndex").text = ended.index
    root.set("NotOnOrAfter", (clock() + _OLDEST).strftime("%Y-%m-%dT%H:%M:%SZ"))
    pair = current_pairs(connection, provider_keys=provider_keys, clock=clock)[0]
    return signed_message(connection, "SAMLRequest", root, new_message_id(), pair)


def _parsed(raw: bytes) -> etree._Element:
    try:
        return parse_xml(raw)
    except UnreadableXML:
        raise AssertionRejected("The message is not XML that can be read here.") from None
