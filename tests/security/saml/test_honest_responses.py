"""What an honest provider sends is believed, in every form that it may have."""

from datetime import timedelta

import pytest

from platforma.sso.saml.response import SKEW
from tests.fakes.identity_provider import (
    encrypted,
    pair,
    signed,
)
from tests.security.saml.responses import NOW, SIGNED, by_both, refused, saying, settings, verified


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
