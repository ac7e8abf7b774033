"""
Sign-in by SAML: our request to the provider, and its response made into what it says (SAML profiles section 4.1).

What a response proves is `response`'s to judge. Here it is held to the browser that asked, and used up.
"""

from dataclasses import dataclass
from datetime import timedelta

from platforma.kernel.clock import Clock
from platforma.kernel.errors import AlreadyUsed
from platforma.oauth.ports import SingleUse
from platforma.sso.flow import Flow
from platforma.sso.key_pairs import current_pairs
from platforma.sso.model import Connection
from platforma.sso.ports import ProviderKeys
from platforma.sso.profile import ADDRESS_AS_NAME
from platforma.sso.saml.errors import AssertionRejected
from platforma.sso.saml.response import SKEW, Assertion, Expected, verify_response
from platforma.sso.saml.service_provider import Asking, places, posted_request, redirect_to, sp_metadata
from platforma.sso.sign_in import Said

_CLASSES = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
METHODS = {
    **dict.fromkeys((f"{_CLASSES}Password", f"{_CLASSES}PasswordProtectedTransport"), ("pwd",)),
    **dict.fromkeys((f"{_CLASSES}Kerberos", "urn:federation:authentication:windows"), ("wia",)),
    **dict.fromkeys((f"{_CLASSES}Smartcard", f"{_CLASSES}SmartcardPKI"), ("sc",)),
    **dict.fromkeys((f"{_CLASSES}TimeSyncToken",), ("otp",)),
    **dict.fromkeys(
        (
            f"{_CLASSES}MobileTwoFactorContract",
            f"{_CLASSES}MobileTwoFactorUnregistered",
            "https://refeds.org/profile/mfa",
            "http://schemas.microsoft.com/claims/multipleauthn",
        ),
        ("mfa",),
    ),
}
"""What authentication contexts (SAML authentication context section 3.4; REFEDS MFA; Entra ID) are by RFC 8176's names."""
_METHODS_OF_ENTRA = "http://schemas.microsoft.com/claims/authnmethodsreferences"


@dataclass(frozen=True, slots=True)
class ToProvider:
    """Where the browser goes: to *location*, or (*form* set) by a form with these fields that is posted there."""

    location: str
    form: dict[str, str] | None = None


def read_metadata_of(connection: Connection, *, provider_keys: ProviderKeys, url: str, clock: Clock) -> bytes:
    """Our metadata for the connection's provider, signed."""
    return sp_metadata(connection, current_pairs(connection, provider_keys=provider_keys, clock=clock), url)


def ask_provider(
    connection: Connection, flow: Flow, *, key: bytes, provider_keys: ProviderKeys, url: str, clock: Clock
) -> ToProvider:
    """The signed request that *flow* begins with, by redirect where the provider takes that, else by POST."""
    assert connection.saml is not None
    pair = current_pairs(connection, provider_keys=provider_keys, clock=clock)[0]
    asking = Asking(flow.request_id(key), flow.force)
    provider = connection.saml.provider
    if provider.redirect_url is not None:
        return ToProvider(redirect_to(connection, asking, pair, url, clock(), flow.handle))
    request = posted_request(connection, asking, pair, url, clock())
    return ToProvider(str(provider.post_url), {"SAMLRequest": request, "RelayState": flow.handle})


def believe_response(
    connection: Connection,
    message: str,
    *,
    flow: Flow | None,
    key: bytes,
    provider_keys: ProviderKeys,
    single_use: SingleUse,
    url: str,
    clock: Clock,
) -> Said:
    """
    What the response *message* says, to the browser that holds *flow* (None: it holds none). It is used up by this.

    Raises:
        AssertionRejected: it proves nothing, or not to this browser, or was shown before.
    """
    assert connection.saml is not None
    pairs = current_pairs(connection, provider_keys=provider_keys, clock=clock)
    at, now = places(connection.id, url), clock()
    asked = flow.request_id(key) if flow is not None else None
    assertion = verify_response(
        message,
        connection.saml,
        Expected(at.entity_id, at.acs_url, asked),
        now=now,
        decryption_keys=[pair.private_key() for pair in pairs],
    )
    if flow is not None and flow.force and assertion.authn_instant < flow.started_at - SKEW:
        raise AssertionRejected("A fresh authentication was asked for, and the provider answered with an older one.")
    try:
        single_use.spend(f"saml {connection.id} {assertion.id}", until=assertion.good_until + timedelta(seconds=1))
        if flow is not None:
            single_use.spend(f"saml request {asked}", until=flow.expires_at())
    except AlreadyUsed:
        raise AssertionRejected("The response was used before.") from None
    attributes = assertion.attributes
    if assertion.name_id_format == ADDRESS_AS_NAME:
        attributes = {**attributes, ADDRESS_AS_NAME: (assertion.name_id,)}
    return Said(
        assertion.subject,
        attributes,
        assertion.authn_instant,
        _methods(assertion),
        index=assertion.session_index,
        ends_at_provider=True,
    )


def _methods(assertion: Assertion) -> tuple[str, ...]:
    told = (assertion.authn_context or "", *assertion.attributes.get(_METHODS_OF_ENTRA, ()))
    return tuple(method for each in told for method in METHODS.get(each, ()))
