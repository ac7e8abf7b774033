"""Which roles groups give."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platforma.kernel.errors import Unprocessable
from platforma.kernel.ids import new_id
from platforma.sso.dry_run import try_mapping
from platforma.sso.mapping import MAX_GROUPS, map_groups
from platforma.sso.model import Connection, GroupMapping, Provisioning
from platforma.sso.profile import read_profile

OVERAGE_LINK = "http://schemas.microsoft.com/claims/groups.link"


def connection(*mappings: GroupMapping, default: tuple[str, ...] = (), **fields) -> Connection:
    return Connection(
        id=new_id("sso"),
        tenant_id=new_id("ten"),
        name="c",
        type="saml",
        domains=(),
        created_at=datetime.now(UTC),
        group_mappings=mappings,
        provisioning=Provisioning(default_roles=default),
        **fields,
    )


def roles(made: Connection, *groups: str) -> set[str]:
    return {granted.role for granted in map_groups(made, groups)}


@pytest.mark.parametrize(
    ("match", "pattern", "group", "hit"),
    [
        ("exact", "Engineers", "Engineers", True),
        ("exact", "Engineers", "engineers", False),
        ("exact", "Eng*", "Engineers", False),
        ("prefix", "Eng", "Engineers", True),
        ("prefix", "Eng", "an Eng", False),
        ("prefix", "Eng*", "Engineers", False),
        ("glob", "Eng*", "Engineers", True),
        ("glob", "*-admins", "eu-admins", True),
        ("glob", "*-admins", "eu-admins-2", False),
        ("glob", "team-?", "team-1", True),
        ("glob", "team-?", "team-12", False),
        ("glob", "a.c", "abc", False),
    ],
)
def test_a_mapping_matches_as_it_says(match, pattern, group, hit):
    made = connection(GroupMapping(pattern, "operator", match))

    assert (roles(made, group) == {"operator"}) is hit


def test_one_group_gives_several_roles_and_several_groups_one():
    made = connection(GroupMapping("a", "operator"), GroupMapping("a", "viewer"), GroupMapping("b", "operator"))

    assert roles(made, "a", "b") == {"operator", "viewer"}
    assert [(g.role, g.group, g.index) for g in map_groups(made, ["b"])] == [("operator", "b", 2)]


def test_default_roles_are_for_those_whom_no_mapping_gives_any():
    made = connection(GroupMapping("a", "operator"), default=("viewer",))

    assert roles(made) == {"viewer"}
    assert roles(made, "unknown") == {"viewer"}
    assert roles(made, "a") == {"operator"}


def test_a_name_composed_otherwise_is_the_same_group():
    made = connection(GroupMapping("Köln", "operator"))

    assert roles(made, "Ko\u0308ln") == {"operator"}


GROUPS = st.lists(st.sampled_from(["", "a", "b", "ab", "ba", "c", "bb", "xax"]), max_size=5)


@given(GROUPS, GROUPS)
def test_more_groups_never_give_fewer_mapped_roles(some, more):
    made = connection(GroupMapping("*a*", "operator", "glob"), GroupMapping("b", "viewer", "prefix"))

    assert roles(made, *some) <= roles(made, *some, *more)


def test_a_hostile_glob_takes_no_time():
    made = connection(GroupMapping("a*" * 100 + "b", "operator", "glob"))

    assert roles(made, "a" * 250) == set()


@pytest.mark.parametrize(
    ("attributes", "mapping", "groups"),
    [
        ({"groups": ["a", "b"]}, {}, ("a", "b")),
        ({"groups": "a"}, {}, ("a",)),
        ({"http://schemas.xmlsoap.org/claims/Group": ["a", "a"]}, {}, ("a",)),
        ({"http://schemas.microsoft.com/ws/2008/06/identity/claims/role": ["a"]}, {}, ("a",)),
        ({"groups": ["a"], "teams": ["b"]}, {"groups": "teams"}, ("b",)),
        ({"groups": ["a"]}, {"groups": "teams"}, ()),
    ],
)
def test_groups_are_read_from_the_mapped_claim_or_the_usual_one(attributes, mapping, groups):
    assert read_profile(attributes, mapping).groups == groups


@pytest.mark.parametrize("groups", [{"a": 1}, [1], [["a"]], 7, ["g"] * (MAX_GROUPS + 1)])
def test_groups_that_are_no_texts_or_too_many_are_refused(groups):
    with pytest.raises(Unprocessable):
        read_profile({"groups": groups}, {})


@pytest.mark.parametrize(
    "overage",
    [
        {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.test"}}},
        {"hasgroups": "true"},
        {OVERAGE_LINK: ["https://graph.test/users/1/getMemberObjects"]},
    ],
)
def test_groups_left_out_because_they_are_many_are_an_error_and_not_none(overage):
    with pytest.raises(Unprocessable, match="request is not valid"):
        read_profile({"email": "ada@acme.test", **overage}, {})


def test_a_dry_run_shows_who_and_why():
    made = connection(GroupMapping("a", "operator"), attribute_mapping={"email": "mail"})

    shown = try_mapping(made, {"mail": "ada@acme.test", "groups": ["a", "z"]}).as_json()

    assert shown["email"] == "ada@acme.test"
    assert shown["roles"] == ["operator"]
    assert shown["matches"] == [{"role": "operator", "source": "mapping", "group": "a", "mapping": 0}]
