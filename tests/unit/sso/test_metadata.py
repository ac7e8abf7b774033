"""What is taken as an identity provider's metadata, and what is not."""

from datetime import UTC, datetime

import pytest

from platforma.sso.errors import MetadataRefused
from platforma.sso.saml.metadata import read_metadata
from tests.fakes.identity_provider import POST, REDIRECT, FakeIdentityProvider, pair

IDP = FakeIdentityProvider()
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def read(document: str | bytes):
    return read_metadata(document.encode() if isinstance(document, str) else document, clock=lambda: NOW)


def test_metadata_says_who_where_and_by_which_certificates():
    provider = read(IDP.metadata())

    assert provider.entity_id == "https://idp.test/saml"
    assert provider.certificates == (pair().base64,)
    assert provider.redirect_url == "https://idp.test/sso/redirect"
    assert provider.post_url == "https://idp.test/sso/post"
    assert provider.logout_redirect_url == "https://idp.test/slo"


def test_the_certificates_of_a_rollover_are_all_taken_each_once():
    both = (pair().base64, pair("next").base64, pair().base64)

    assert read(IDP.metadata(certificates=both)).certificates == both[:2]


def test_the_one_provider_of_a_federation_document_is_found():
    ours = IDP.metadata()
    service = '<md:EntityDescriptor entityID="https://sp.test"><md:SPSSODescriptor/></md:EntityDescriptor>'
    document = (
        f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{ours}{service}</md:EntitiesDescriptor>'
    )

    assert read(document).entity_id == "https://idp.test/saml"


def weak() -> str:
    return IDP.metadata(certificates=(pair("weak", bits=1024).base64,))


def several() -> str:
    ours = IDP.metadata()
    return f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{ours}{ours}</md:EntitiesDescriptor>'


def elsewhere(url: str) -> str:
    return IDP.metadata(services=f'<md:SingleSignOnService Binding="{REDIRECT}" Location="{url}"/>')


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"not xml",
        b"<a/>",
        b"\xff\xfe<\x00a\x00/\x00>\x00",
        IDP.metadata(certificates=()),
        IDP.metadata(certificates=("AAAA",)),
        IDP.metadata(certificates=("nonsense!",)),
        IDP.metadata(certificates=tuple(pair(f"many-{n}").base64 for n in range(2)) * 1 + ("",)),
        IDP.metadata(services="<md:SingleSignOnService/>"),
        IDP.metadata(services=f'<md:SingleSignOnService Binding="{POST}x" Location="https://idp.test/"/>'),
        IDP.metadata(attributes=' validUntil="2026-11-24T11:59:59Z"'),
        IDP.metadata(attributes=' validUntil="2026-11-24T11:59:59"'),
        IDP.metadata(attributes=' validUntil="never"'),
        FakeIdentityProvider(entity_id="").metadata(),
        FakeIdentityProvider(entity_id="x" * 1025).metadata(),
        several(),
        weak(),
    ],
)
def test_what_is_no_usable_metadata_is_refused(document):
    with pytest.raises(MetadataRefused):
        read(document)


@pytest.mark.parametrize(
    "url",
    ["http://idp.test/", "javascript:alert(1)", "https://u:p@idp.test/", "https://idp.test/#x", "//idp.test", "https://"],
)
def test_a_provider_that_is_not_at_an_https_url_is_refused(url):
    from platforma.kernel.errors import Unprocessable

    with pytest.raises(Unprocessable):
        read(elsewhere(url))


@pytest.mark.parametrize("over", ["2026-11-24T12:00:01Z", "2026-11-24T13:00:01+01:00", "2026-11-24T12:00:01.5Z"])
def test_metadata_is_good_until_the_moment_it_says(over):
    assert read(IDP.metadata(attributes=f' validUntil="{over}"'))
