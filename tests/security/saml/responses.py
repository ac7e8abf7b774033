"""Responses of the fake provider, signed in each way, and what our service provider makes of them."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from lxml import etree

from platforma.sso.model import SAMLSettings
from platforma.sso.saml.errors import AssertionRejected
from platforma.sso.saml.metadata import read_metadata
from platforma.sso.saml.response import Expected, verify_response
from tests.fakes.identity_provider import (
    DS,
    SAML,
    SAMLP,
    FakeIdentityProvider,
    Saying,
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


def tree(document: str) -> etree._Element:
    return etree.fromstring(document.encode())


def text(root: etree._Element) -> str:
    return etree.tostring(root).decode()
