"""Responses for somebody else, another place or another time; and encrypted assertions."""

import re
from datetime import timedelta

import pytest

from platforma.sso.saml.response import SKEW, Expected
from tests.fakes.identity_provider import (
    encrypted,
    pair,
    signed,
)
from tests.security.saml.responses import (
    ACS,
    CBC,
    ENTITY,
    NOW,
    SIGNED,
    by_assertion,
    by_both,
    refused,
    saying,
    settings,
    verified,
)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"issuer": "https://other.test"}, "issuer"),
        ({"audience": "https://other.test"}, "audience"),
        ({"recipient": "https://platforma.test/sso/sso_2/acs"}, "bearer"),
        ({"request_id": "_of_another_browser"}, "another browser"),
        ({"request_id": None}, "bearer"),
        ({"lifetime": -SKEW}, "late"),
        ({"now": NOW + timedelta(minutes=3)}, "clock"),
        ({"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"}, "answered Responder"),
        ({"name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"}, "transient"),
        ({"name_id": ""}, "subject"),
        ({"attributes": {"": ["x"]}}, "attribute"),
    ],
)
def test_what_is_for_somebody_else_or_another_time(fields, why):
    assert why in refused(by_both(saying(**fields)))


@pytest.mark.parametrize(
    ("how", "destination", "good"),
    [
        ("assertion", "", True),
        ("response", "", False),
        ("assertion", "https://other.test", False),
        ("response", "https://other.test", False),
    ],
)
def test_a_destination_is_ours_and_is_there_where_the_response_is_signed(how, destination, good):
    document = SIGNED[how](saying(destination=destination))

    assert verified(document) if good else "addressed" in refused(document)


@pytest.mark.parametrize(("late", "good"), [(timedelta(seconds=359), True), (timedelta(seconds=360), False)])
def test_clocks_may_differ_by_a_minute(late, good):
    document = by_both()

    assert verified(document, now=NOW + late) if good else "late" in refused(document, now=NOW + late)


def test_a_sign_in_that_nobody_asked_for():
    document = by_both(saying(request_id=None))
    nobody = Expected(ENTITY, ACS, None)

    assert "Nobody asked" in refused(document, nobody)
    assert verified(document, nobody, settings(idp_initiated=True)).name_id == "ada-1"
    assert refused(by_both(), nobody, settings(idp_initiated=True))


def test_an_assertion_of_one_connection_at_anothers():
    other = Expected("https://platforma.test/sso/sso_2/metadata", "https://platforma.test/sso/sso_2/acs", "_request")

    assert refused(by_both(), other)
    assert refused(by_assertion(saying(destination="")), other)


def test_an_expired_certificate_is_told_in_words():
    later = NOW + timedelta(days=400)
    said = saying(now=later)

    assert "certificate that expired on" in refused(by_both(said), now=later)


@pytest.mark.parametrize("allowed", [True, False])
def test_cbc_is_taken_only_where_it_was_opted_in(allowed):
    said, ours = saying(), pair("ours")
    document = said.response(encrypted(signed(said.assertion()), ours, algorithm=CBC))

    if allowed:
        assert verified(document, by=settings(allow_cbc=True), decryption_keys=[ours.key]).name_id == "ada-1"
    else:
        assert refused(document, decryption_keys=[ours.key])


def test_every_failure_to_decrypt_is_the_same():
    said, ours = saying(), pair("ours")
    whys = set()
    for algorithm in (CBC, "http://www.w3.org/2009/xmlenc11#aes256-gcm"):
        good = said.response(encrypted(signed(said.assertion()), ours, algorithm=algorithm))
        values = re.findall("<xenc:CipherValue>(.*?)</xenc:CipherValue>", good)
        for value, broken in [(values[0], "AAAA"), (values[1], "AAAA"), (values[1], values[1][:-8] + "AAAAAAA=")]:
            document = good.replace(value, broken)
            whys.add(refused(document, by=settings(allow_cbc=True), decryption_keys=[ours.key]))
        whys.add(refused(good, by=settings(allow_cbc=True), decryption_keys=[pair("other").key]))
        whys.add(refused(good, by=settings(allow_cbc=True), decryption_keys=[]))

    assert whys == {"The assertion is not encrypted for us by an algorithm that is taken."}


def test_an_unsigned_assertion_inside_of_an_encrypted_one():
    said, ours = saying(), pair("ours")
    inner = said.assertion().replace("</saml:Assertion>", signed(said.assertion()) + "</saml:Assertion>")

    assert refused(said.response(encrypted(inner, ours)), decryption_keys=[ours.key])
    assert refused(signed(said.response(encrypted(inner, ours))), decryption_keys=[ours.key])


def test_two_attributes_of_one_name():
    twice = '<saml:AttributeStatement><saml:Attribute Name="email"><saml:AttributeValue>x</saml:AttributeValue>'
    document = by_both(saying(inner=f"{twice}</saml:Attribute></saml:AttributeStatement>"))

    assert "attribute" in refused(document)
