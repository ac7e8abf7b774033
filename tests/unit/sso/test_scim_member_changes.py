"""Members that a PATCH names one by one: what is told apart comes to the same as the PATCH of the whole group."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platforma.sso.scim.errors import InvalidValue
from platforma.sso.scim.member_changes import MAX_MEMBERS, Moves, told_apart
from platforma.sso.scim.patch import patched
from platforma.sso.scim.schema import GROUP, kind

IDS = ["usr_a", "usr_b", "usr_c", "usr_d"]
VALUES = st.lists(st.sampled_from(IDS), max_size=3).map(lambda ids: [{"value": each, "display": "x"} for each in ids])
PATHS = st.sampled_from(["members", "Members", f"{GROUP}:members"])
NAMED = st.one_of(
    st.builds(
        lambda op, path, value: {"op": op, "path": path, "value": value}, st.sampled_from(["add", "Add"]), PATHS, VALUES
    ),
    st.builds(lambda path, value: {"op": "Remove", "path": path, "value": value}, PATHS, VALUES),
    st.builds(lambda one: {"OP": "remove", "path": f'members[value eq "{one}"]'}, st.sampled_from(IDS)),
    st.builds(lambda one: {"op": "remove", "path": f'members[value eq "{one}" or value eq "usr_a"]'}, st.sampled_from(IDS)),
    st.builds(lambda value: {"op": "add", "value": {"members": value, "displayName": "New", "id": "grp_x"}}, VALUES),
    st.just({"op": "replace", "path": "displayName", "value": "Other"}),
    st.just({"op": "replace", "value": {"externalId": "e"}}),
)


def members(document: dict[str, Any]) -> set[str]:
    return {each["value"] for each in document.get("members", [])}


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(operations=st.lists(NAMED, min_size=1, max_size=5), before=st.sets(st.sampled_from(IDS)))
def test_what_is_told_apart_comes_to_the_same_as_the_whole(operations, before):
    document = {"displayName": "Team", "members": [{"value": each} for each in sorted(before)]}
    whole = patched(document, operations, kind("Group"))

    told = told_apart(operations)

    assert told is not None
    rest, moves = told
    assert members(whole) == (before - set(moves.leaving)) | set(moves.joining)
    without = patched({"displayName": "Team"}, rest, kind("Group")) if rest else {"displayName": "Team"}
    assert {name: each for name, each in whole.items() if name != "members"} == without


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "members", "value": [{"value": "usr_a"}]},
        {"op": "replace", "value": {"members": []}},
        {"op": "remove", "path": "members"},
        {"op": "remove", "path": 'members[value sw "usr_"]'},
        {"op": "remove", "path": 'members[not (value eq "usr_a")]'},
        {"op": "remove", "path": 'members[value eq "usr_a"].value'},
        {"op": "add", "path": 'members[value eq "usr_a"]', "value": {"value": "usr_b"}},
        {"op": "add", "path": "members"},
        {"op": "replace", "path": 'members[value eq "usr_a"].value', "value": "usr_b"},
    ],
)
def test_what_depends_on_the_others_is_not_told_apart(operation):
    assert told_apart([{"op": "add", "path": "members", "value": [{"value": "usr_b"}]}, operation]) is None


def test_the_last_operation_on_a_member_counts():
    one = [{"value": "usr_a"}]
    add, remove = ({"op": op, "path": "members", "value": one} for op in ("add", "remove"))

    assert told_apart([add, remove]) == ([], Moves(leaving=("usr_a",)))
    assert told_apart([remove, add]) == ([], Moves(joining=("usr_a",)))


def test_more_members_than_a_group_has_are_refused():
    value = [{"value": f"usr_{number}"} for number in range(MAX_MEMBERS + 1)]

    with pytest.raises(InvalidValue):
        told_apart([{"op": "add", "path": "members", "value": value}])
