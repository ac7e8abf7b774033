"""From what a directory says to address, name and standing; and resources cut to what was asked for."""

import pytest

from platforma.sso.scim.errors import InvalidPath, InvalidValue
from platforma.sso.scim.people import address_of, name_of
from platforma.sso.scim.resources import canonical, ordered, projected
from platforma.sso.scim.schema import ENTERPRISE, kind, validated

USER = kind("User")
OURS = ("acme.test", "acme.example")


def mail(*values: str, **more) -> list[dict]:
    return [{"value": value, **more} for value in values]


@pytest.mark.parametrize(
    ("document", "address"),
    [
        ({"userName": "ada@acme.test"}, "ada@acme.test"),
        ({"userName": "ada@ACME.test"}, "ada@acme.test"),
        ({"userName": "ada"}, "ada@acme.test"),
        ({"userName": "ada", "emails": mail("a.l@acme.example")}, "a.l@acme.example"),
        ({"userName": "ada@acme.test", "emails": mail("a.l@acme.example", primary=True)}, "a.l@acme.example"),
        ({"userName": "ada@acme.test", "emails": mail("ada@elsewhere.test", primary=True)}, "ada@acme.test"),
        ({"userName": "ada@acme.test", "emails": [*mail("h@acme.test"), *mail("w@acme.test", type="work")]}, "w@acme.test"),
    ],
)
def test_an_address_is_of_a_domain_of_the_connection(document, address):
    assert address_of(document, OURS) == address


@pytest.mark.parametrize(
    "document",
    [
        {"userName": "eve@evil.test"},
        {"userName": "eve@evil.test", "emails": mail("eve@other.test")},
        {"userName": "eve@acme.test.evil.test"},
        {"userName": "eve@sub.acme.test"},
        {"userName": "eve@acme.test@evil.test"},
        {"userName": "eve@acme.te\u0455t"},
        {"userName": "a b"},
        {"userName": "@acme.test"},
    ],
)
def test_nobody_of_another_domain_is_provisioned(document):
    with pytest.raises(InvalidValue):
        address_of(document, OURS)


def test_without_a_domain_nobody_is_provisioned():
    with pytest.raises(InvalidValue):
        address_of({"userName": "ada"}, ())


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"userName": "ada"}, "ada"),
        ({"userName": "ada", "displayName": "Ada L"}, "Ada L"),
        ({"userName": "ada", "name": {"givenName": "Ada", "familyName": "L"}}, "Ada L"),
        ({"userName": "ada", "name": {"formatted": "Lady L"}}, "Lady L"),
        ({"userName": "ada", "displayName": "\x07\n"}, "ada"),
        ({"userName": "ada", "displayName": "x" * 300}, "x" * 200),
    ],
)
def test_a_name_can_be_shown(document, name):
    assert name_of(document) == name


def test_what_is_not_known_or_read_only_is_dropped():
    sent = {"schemas": ["x"], "id": "usr_evil", "meta": {}, "groups": [{"value": "g"}], "foo": 1, "password": "p"}

    assert canonical({**sent, "USERNAME": "ada", "nickName": "", "emails": []}, USER) == {"userName": "ada"}


@pytest.mark.parametrize(
    "sent",
    [
        {"userName": {"a": 1}},
        {"userName": "x\x00"},
        {"name": "x"},
        {"name": ["a", "b"]},
        {"active": 1},
        {"emails": [1, True]},
        {ENTERPRISE: "x"},
        {"emails": [{"value": "a", "primary": True}, {"value": "b", "primary": True}]},
        {"userName": "x" * 5000},
    ],
)
def test_a_value_of_another_kind_is_refused(sent):
    with pytest.raises(InvalidValue):
        canonical(sent, USER)


def test_a_document_is_held_to_its_model():
    validated("User", {"userName": "ada", "emails": [{"value": "ada@acme.test", "type": "work"}]})
    with pytest.raises(InvalidValue):
        validated("User", {"userName": "ada", "name": "x"})
    with pytest.raises(InvalidValue):
        validated("User", {"userName": "ada", "ims": [{"value": str(each)} for each in range(51)]})


SHOWN = {
    "schemas": ["x"],
    "id": "usr_1",
    "userName": "ada",
    "name": {"givenName": "Ada", "familyName": "L"},
    "emails": [{"value": "a", "type": "work"}, {"value": "b"}],
    ENTERPRISE: {"department": "d", "division": "e"},
}


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (["USERNAME"], {"userName": "ada"}),
        (["name.givenName"], {"name": {"givenName": "Ada"}}),
        (["emails.value"], {"emails": [{"value": "a"}, {"value": "b"}]}),
        (["emails.type", "emails.value"], {"emails": SHOWN["emails"]}),
        ([f"{ENTERPRISE}:department"], {ENTERPRISE: {"department": "d"}}),
        ([ENTERPRISE], {ENTERPRISE: SHOWN[ENTERPRISE]}),
        (["nothing"], {}),
        (["id"], {}),
    ],
)
def test_only_what_was_asked_for_is_shown(only, names):
    assert projected(SHOWN, USER, only=only, but=None) == {"schemas": ["x"], "id": "usr_1", **names}


def test_what_was_excluded_is_not_shown():
    shown = projected(SHOWN, USER, only=None, but=["name.givenName", "emails", f"{ENTERPRISE}:division", "id", "schemas"])

    assert shown == {
        "schemas": ["x"],
        "id": "usr_1",
        "userName": "ada",
        "name": {"familyName": "L"},
        ENTERPRISE: {"department": "d"},
    }
    assert SHOWN["emails"] and SHOWN[ENTERPRISE]["division"]


def test_resources_are_ordered_and_those_without_come_last():
    users = [{"userName": "b", "title": "y"}, {"userName": "A"}, {"userName": "c", "title": "X"}]

    assert [each["userName"] for each in ordered(users, "userName", USER, descending=False)] == ["A", "b", "c"]
    assert [each["userName"] for each in ordered(users, "title", USER, descending=False)] == ["c", "b", "A"]
    assert [each["userName"] for each in ordered(users, "title", USER, descending=True)] == ["A", "b", "c"]
    with pytest.raises(InvalidPath):
        ordered(users, "nothing", USER, descending=False)
