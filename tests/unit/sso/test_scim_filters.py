"""Filters of RFC 7644 section 3.4.2.2: what they choose, and what is none."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platforma.sso.scim.errors import InvalidFilter
from platforma.sso.scim.filters import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, equalities, fits, parse_filter
from platforma.sso.scim.schema import ENTERPRISE, kind

USER = kind("User")
ADA = {
    "id": "usr_1",
    "userName": "bjensen",
    "externalId": "E1",
    "name": {"familyName": "O'Malley", "givenName": "Ada"},
    "title": "Engineer",
    "active": True,
    "emails": [{"value": "ada@example.com", "type": "work", "primary": True}, {"value": "ada@home.test", "type": "home"}],
    "meta": {"lastModified": "2026-05-13T04:42:34.000Z", "resourceType": "User"},
    ENTERPRISE: {"department": "Research", "manager": {"value": "usr_2"}},
}


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "bjensen"',
        'USERNAME Eq "BJENSEN"',
        'name.familyName co "O\'Malley"',
        'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "b"',
        'userName ew "sen"',
        "title pr",
        'meta.lastModified gt "2026-05-13T04:42:33Z"',
        'meta.lastModified ge "2026-05-13T06:42:34+02:00"',
        'meta.lastModified lt "2027-05-13T04:42:34Z"',
        'title pr and userName eq "bjensen"',
        'nickName pr or title eq "engineer"',
        'title eq "x" or title pr and active eq true',
        'not (title eq "x")',
        'not (title eq "x") and (emails co "example.com" or emails.value co "example.org")',
        'emails[type eq "work" and value co "@example.com"]',
        'emails[not (type eq "work")]',
        'emails eq "ada@home.test"',
        'emails.type eq "HOME"',
        f'{ENTERPRISE}:department eq "research"',
        f'{ENTERPRISE.lower()}:manager.value eq "usr_2"',
        'userName ne "x"',
        'nickName ne "x"',
        "nickName eq null",
        'active eq "True"',
        'userName gt "a" and userName le "bjensen"',
        '(((userName eq "bjensen")))',
        '  userName   eq   "bjensen"  ',
        'userName eq "bjens\\u0065n"',
        'externalId eq "E1"',
        'schemas eq "x" or id eq "usr_1"',
    ],
)
def test_a_filter_that_fits(text):
    assert fits(parse_filter(text, USER), ADA)


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "jensen"',
        'externalId eq "e1"',
        'id eq "USR_1"',
        "nickName pr",
        "active eq false",
        "active ne true",
        'userName ne "bjensen"',
        'emails[type eq "work" and value eq "ada@home.test"]',
        'title eq "x" and title pr or active eq false',
        'meta.lastModified eq "2026-05-13T04:42:35Z"',
        "title eq null",
        'userName co "nothing"',
        "userName eq 5",
    ],
)
def test_a_filter_that_does_not_fit(text):
    assert not fits(parse_filter(text, USER), ADA)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "userName", "userName eq", 'eq "x"', 'userName eq "x', "userName eq x", 'userName is "x"'),
        *('(userName eq "x"', 'userName eq "x")', 'not userName eq "x"', 'userName eq "x" and', 'or userName eq "x"'),
        *('password eq "x"', 'roleName eq "x"', 'name eq "x"', "active gt true", 'active gt "x"', "userName gt null"),
        *('emails[type eq "work"', "emails[]", 'emails[type eq "work"].value eq "x"', 'userName[value eq "x"]'),
        *('emails[emails[type eq "x"]]', 'emails[userName eq "x"]', 'emails[type[value eq "x"]]', "userName pr pr"),
        *('meta.lastModified gt "yesterday"', "meta.lastModified gt 5", 'userName eq "a" "b"', "userName eq [1]"),
        *('userName eq "\x00', 'userName eq "x"; drop table users', "userName eq 'x' or '1'='1'", "{$where: 1}"),
        *("userName eq 01x", 'userName eq "\\x"', "attribute_exists(pk)", 'userName eq "x" UNION select'),
    ],
)
def test_what_is_no_filter_is_refused(text):
    with pytest.raises(InvalidFilter):
        parse_filter(text, USER)


def test_what_looks_like_another_language_is_a_text():
    tree = parse_filter('userName eq "x\\" or userName pr or \\"" or title eq "#a = :b"', USER)

    assert not fits(tree, ADA)
    assert fits(tree, {"userName": 'x" or userName pr or "'})


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "(" * (MAX_DEPTH + 1) + 'userName eq "x"' + ")" * (MAX_DEPTH + 1),
        "not (" * 50 + 'userName eq "x"' + ")" * 50,
        " and ".join(['userName eq "x"'] * (MAX_TERMS + 1)),
        'userName eq "' + "x" * MAX_LENGTH + '"',
        "userName eq " + '"' + "\\" * 4000,
        "emails[" * 500,
    ],
    ids=["open", "deep", "nots", "terms", "long", "backslashes", "brackets"],
)
def test_a_bomb_is_refused_at_once(text):
    started = time.perf_counter()

    with pytest.raises(InvalidFilter):
        parse_filter(text, USER)

    assert time.perf_counter() - started < 1


@given(st.text(alphabet=st.sampled_from(list('()[]"\\ userNamepqnotadr.:123$'))) | st.text())
def test_any_text_is_a_filter_or_refused(text):
    try:
        fits(parse_filter(text, USER), ADA)
    except InvalidFilter:
        return


def test_equalities_are_those_that_all_must_hold():
    assert equalities(parse_filter('userName eq "a" and active eq true and emails eq "x"', USER)) == {"userName": "a"}
    assert equalities(parse_filter('userName eq "a" or externalId eq "b"', USER)) == {}
    assert equalities(parse_filter('not (userName eq "a")', USER)) == {}
    assert equalities(parse_filter('externalId eq "b"', USER)) == {"externalId": "b"}
