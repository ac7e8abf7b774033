"""PATCH of RFC 7644 section 3.5.2, and what Entra ID and Okta send for it."""

import time
from typing import Any

import pytest

from platforma.sso.scim.errors import InvalidPath, InvalidSyntax, InvalidValue, NoTarget, NotMutable, SCIMRefused, TooMany
from platforma.sso.scim.patch import MAX_OPERATIONS, PATCH_OP, operations_of, patched
from platforma.sso.scim.schema import ENTERPRISE, kind

ADA = {
    "userName": "ada",
    "active": True,
    "name": {"givenName": "Ada", "familyName": "L"},
    "emails": [{"value": "a@work.test", "type": "work", "primary": True}, {"value": "a@home.test", "type": "home"}],
    ENTERPRISE: {"department": "d", "manager": {"value": "m"}},
}
TEAM = {"displayName": "Team", "members": [{"value": "usr_1"}, {"value": "usr_2"}, {"value": "usr_3"}]}


def user(*operations: dict[str, Any]) -> dict[str, Any]:
    return patched(ADA, operations, kind("User"))


def group(*operations: dict[str, Any]) -> dict[str, Any]:
    return patched(TEAM, operations, kind("Group"))


def members(*operations: dict[str, Any]) -> list[str]:
    return [each["value"] for each in group(*operations).get("members", [])]


def test_what_is_patched_stays_as_it_was():
    user({"op": "remove", "path": "emails"}, {"op": "replace", "path": "name.givenName", "value": "A"})

    assert ADA["emails"] and ADA["name"]["givenName"] == "Ada"


@pytest.mark.parametrize(
    ("operation", "attribute", "after"),
    [
        ({"op": "replace", "path": "displayName", "value": "A"}, "displayName", "A"),
        ({"op": "add", "path": "name.honorificPrefix", "value": "Lady"}, "name", {**ADA["name"], "honorificPrefix": "Lady"}),
        ({"op": "replace", "path": "name", "value": {"givenName": "B"}}, "name", {"givenName": "B", "familyName": "L"}),
        ({"op": "add", "value": {"title": "Countess"}}, "title", "Countess"),
        ({"op": "remove", "path": "name.givenName"}, "name", {"familyName": "L"}),
        ({"op": "replace", "path": "emails", "value": [{"value": "n@x.test"}]}, "emails", [{"value": "n@x.test"}]),
        ({"op": "remove", "path": 'emails[type eq "home"]'}, "emails", ADA["emails"][:1]),
        ({"op": "remove", "path": 'emails[type eq "none"]'}, "emails", ADA["emails"]),
        ({"op": "replace", "path": "nickName", "value": None}, "nickName", None),
        (
            {"op": "replace", "path": f"{ENTERPRISE}:department", "value": "e"},
            ENTERPRISE,
            {**ADA[ENTERPRISE], "department": "e"},
        ),
        ({"op": "remove", "path": ENTERPRISE}, ENTERPRISE, None),
        ({"op": "add", "path": ENTERPRISE, "value": {"division": "x"}}, ENTERPRISE, {**ADA[ENTERPRISE], "division": "x"}),
    ],
)
def test_an_operation_of_the_rfc(operation, attribute, after):
    assert user(operation).get(attribute) == after


def test_a_value_that_a_filter_chooses_is_changed_alone():
    after = user({"op": "replace", "path": 'emails[type eq "work"].value', "value": "b@work.test"})

    assert after["emails"] == [{"value": "b@work.test", "type": "work", "primary": True}, ADA["emails"][1]]


def test_a_new_primary_value_is_the_only_one():
    after = user({"op": "add", "path": "emails", "value": [{"value": "c@x.test", "primary": True}]})

    assert [each.get("primary") for each in after["emails"]] == [False, None, True]


def test_a_value_that_is_there_is_not_added_twice():
    assert members({"op": "add", "path": "members", "value": [{"value": "usr_1"}, {"value": "usr_4"}]}) == [
        *("usr_1", "usr_2", "usr_3", "usr_4")
    ]


# What Entra ID sends


def test_entra_removes_one_member_by_value_and_never_all():
    assert members({"op": "Remove", "path": "members", "value": [{"value": "usr_2"}]}) == ["usr_1", "usr_3"]
    assert members({"op": "Remove", "path": "members", "value": {"value": "usr_2"}}) == ["usr_1", "usr_3"]
    assert members({"op": "Remove", "path": "members", "value": ["usr_2"]}) == ["usr_1", "usr_3"]
    assert members({"op": "Remove", "path": "members", "value": [{"value": "usr_9"}]}) == ["usr_1", "usr_2", "usr_3"]


def test_a_remove_of_members_without_a_value_takes_all():
    assert members({"op": "remove", "path": "members"}) == []


@pytest.mark.parametrize("value", ["False", "false", False])
def test_entra_writes_booleans_as_texts(value):
    assert user({"op": "Replace", "path": "active", "value": value})["active"] is False


def test_entra_adds_an_address_that_is_not_there_by_a_filter():
    after = user({"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+49"})

    assert after["phoneNumbers"] == [{"type": "mobile", "value": "+49"}]


def test_entra_writes_paths_as_keys():
    value = {
        "name.familyName": "Byron",
        'emails[type eq "work"].value': "n@work.test",
        f"{ENTERPRISE}:department": "x",
        "active": "False",
        "unheardOf": 1,
    }
    after = user({"op": "Replace", "value": value})

    assert after["name"] == {"givenName": "Ada", "familyName": "Byron"}
    assert after["emails"][0]["value"] == "n@work.test"
    assert after[ENTERPRISE]["department"] == "x"
    assert after["active"] is False
    assert "unheardOf" not in after


def test_entra_sends_a_manager_as_a_text():
    assert user({"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "m2"})[ENTERPRISE]["manager"] == {"value": "m2"}


def test_a_list_of_one_stands_for_one_value():
    assert user({"op": "Replace", "path": "displayName", "value": ["A"]})["displayName"] == "A"


# What Okta sends


def test_okta_repeats_the_id_beside_the_name():
    assert group({"op": "replace", "value": {"id": "grp_1", "displayName": "New"}})["displayName"] == "New"


def test_okta_removes_a_member_by_a_filter():
    assert members({"op": "remove", "path": 'members[value eq "usr_2"]'}) == ["usr_1", "usr_3"]


def test_okta_deactivates_without_a_path():
    assert user({"op": "replace", "value": {"active": False}})["active"] is False


# What is refused


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ({"op": "move", "path": "title"}, InvalidSyntax),
        ({"op": 1, "path": "title"}, InvalidSyntax),
        ({"op": "replace", "path": "nothing", "value": 1}, InvalidPath),
        ({"op": "replace", "path": "name.nothing", "value": 1}, InvalidPath),
        ({"op": "replace", "path": "emails[type eq", "value": 1}, InvalidPath),
        ({"op": "replace", "path": 'emails[nothing eq "x"]', "value": {}}, InvalidPath),
        ({"op": "replace", "path": 'emails[type eq "x"]nothing', "value": {}}, InvalidPath),
        ({"op": "replace", "path": 'userName[value eq "x"]', "value": {}}, InvalidPath),
        ({"op": "replace", "path": ["title"], "value": "x"}, InvalidPath),
        ({"op": "replace", "path": "x" * 5000, "value": "x"}, InvalidPath),
        ({"op": "replace", "path": "title"}, InvalidValue),
        ({"op": "replace", "path": "title", "value": {"a": 1}}, InvalidValue),
        ({"op": "replace", "path": "title", "value": ["a", "b"]}, InvalidValue),
        ({"op": "replace", "path": "active", "value": "perhaps"}, InvalidValue),
        ({"op": "add", "value": "x"}, InvalidValue),
        ({"op": "remove"}, NoTarget),
        ({"op": "replace", "path": 'emails[type eq "none"].value', "value": "x"}, NoTarget),
        ({"op": "add", "path": 'emails[type sw "none"].value', "value": "x"}, NoTarget),
        ({"op": "replace", "path": "id", "value": "usr_evil"}, NotMutable),
        ({"op": "add", "path": "groups", "value": [{"value": "grp_admins"}]}, NotMutable),
        ({"op": "replace", "path": "meta.version", "value": "x"}, NotMutable),
        ({"op": "remove", "path": "userName"}, NotMutable),
    ],
)
def test_what_cannot_be_done_is_refused(operation, error):
    with pytest.raises(error):
        user(operation)


@pytest.mark.parametrize(
    "path",
    [
        "emails[" + "(" * 2000,
        "emails[" * 250,
        "emails[" + "not (" * 50 + 'type eq "x"' + ")" * 50 + "]",
        'emails[type eq "' + "\\\\" * 1000,
        "emails[" + " or ".join(['type eq "x"'] * 120) + "]",
        "name." * 400,
    ],
    ids=["open", "brackets", "nots", "backslashes", "terms", "dots"],
)
def test_a_path_that_is_a_bomb_is_refused_at_once(path):
    started = time.perf_counter()

    with pytest.raises(InvalidPath):
        user({"op": "remove", "path": path})

    assert time.perf_counter() - started < 1


def test_many_filters_of_many_members_are_refused_before_they_take_a_minute():
    members = [{"value": f"usr_{number}"} for number in range(10_000)]
    path = "members[" + " or ".join(['value sw "x"'] * 50) + "]"
    started = time.perf_counter()

    with pytest.raises(TooMany):
        patched({"displayName": "g", "members": members}, [{"op": "remove", "path": path}] * MAX_OPERATIONS, kind("Group"))

    assert time.perf_counter() - started < 10


def test_a_password_is_dropped_unread():
    assert user({"op": "replace", "path": "password", "value": "secret"}) == ADA
    assert user({"op": "replace", "value": {"password": "secret"}}) == ADA


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"schemas": [PATCH_OP]},
        {"schemas": [PATCH_OP], "Operations": []},
        {"schemas": [PATCH_OP], "Operations": {}},
        {"schemas": [PATCH_OP], "Operations": ["x"]},
        {"schemas": ["x"], "Operations": [{"op": "remove", "path": "title"}]},
        {"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": "title"}] * (MAX_OPERATIONS + 1)},
    ],
)
def test_what_is_no_patch_is_refused(body):
    with pytest.raises(SCIMRefused):
        operations_of(body)
