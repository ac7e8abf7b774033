"""Directories' groups: who is in them, and what they give."""

from typing import Any

from platforma.sso.scim.query import SEARCH_REQUEST
from tests.directories import connect, refused
from tests.unit.edge.scim.groups.grouping import MAPPINGS, add, group, members, remove, roles, where


def test_a_group_is_created_read_and_found(okta, people):
    made = group(okta, "Readers", *people[:2], externalId="g-1")

    assert made["members"][0] == {
        "value": people[0],
        "$ref": f"https://platforma.test/scim/v2/Users/{people[0]}",
        "type": "User",
    }
    assert okta.call("GET", f"/Groups/{made['id']}", expect=200).json == made
    for text in (
        'displayName eq "readers"',
        'externalId eq "g-1"',
        'displayName sw "Read"',
        f'members.value eq "{people[0]}"',
        f'members[value eq "{people[1]}"]',
        f'id eq "{made["id"]}" and members eq "{people[1]}"',
    ):
        assert okta.found(where(text), "/Groups") == [made["id"]], text
    assert okta.found(where(f'members eq "{people[5]}"'), "/Groups") == []
    query = where('displayName eq "Readers"') + "&excludedAttributes=members"
    assert "members" not in okta.call("GET", f"/Groups?{query}", expect=200).json["Resources"][0]
    assert [each["display"] for each in okta.call("GET", f"/Users/{people[0]}").json["groups"]] == ["Readers"]
    ours = okta.tenant.call("GET", f"/v1/groups/{made['id']}", expect=200).json
    assert (ours["name"], ours["managed_by"]) == ("Readers", "scim")


def test_a_mapped_groups_role_comes_with_it_and_goes_with_it(okta, people):
    ada = people[2]
    assert roles(okta, ada) == ["viewer"]

    made = group(okta, "Platform Engineers", ada)
    assert roles(okta, ada) == ["operator"]
    told = okta.tenant.call("GET", f"/v1/users/{ada}/roles?explain=true").json["sources"]
    assert [(each["role"], each["source"], each["group_id"], each["managed_by"]) for each in told] == [
        ("operator", "group", made["id"], "scim")
    ]
    okta.patch(f"/Groups/{made['id']}", remove(ada))
    assert roles(okta, ada) == ["viewer"]
    okta.patch(f"/Groups/{made['id']}", add(ada))
    okta.patch(f"/Groups/{made['id']}", {"op": "replace", "path": "displayName", "value": "platform engineers"})
    assert roles(okta, ada) == []
    okta.patch(f"/Groups/{made['id']}", {"op": "replace", "value": {"id": made["id"], "displayName": "Billing"}})
    assert roles(okta, ada) == ["billing"]
    okta.call("DELETE", f"/Groups/{made['id']}", expect=204)
    assert roles(okta, ada) == ["viewer"]
    refused(okta.call("GET", f"/Groups/{made['id']}"), 404)


def test_roles_by_hand_stay_whatever_the_directory_does(okta, people):
    ada = people[3]
    okta.tenant.call("PUT", f"/v1/users/{ada}/roles", {"roles": ["developer"]}, expect=200, headers={"If-Match": "*"})
    made = group(okta, "Bills", ada)
    path = f"/v1/groups/{made['id']}/roles"
    okta.tenant.call("PUT", path, {"roles": ["viewer"]}, expect=200, headers={"If-Match": "*"})
    assert roles(okta, ada) == ["billing", "developer", "viewer"]

    okta.patch(f"/Groups/{made['id']}", {"op": "replace", "path": "displayName", "value": "Other"})
    assert roles(okta, ada) == ["developer", "viewer"]
    okta.call("DELETE", f"/Groups/{made['id']}", expect=204)

    assert "developer" in roles(okta, ada)


def test_a_role_stays_where_the_connection_says_so(world):
    tenant = world.tenant("stays", "admin@stays.test")
    rules = {"deprovision_on_group_loss": False}
    mine = connect(world, tenant, "stays.test", group_mappings=MAPPINGS, provisioning=rules)
    ada = mine.user("ada@stays.test")["id"]
    made = group(mine, "Bills", ada)

    mine.call("DELETE", f"/Groups/{made['id']}", expect=204)

    told = tenant.call("GET", f"/v1/users/{ada}/roles?explain=true").json["sources"]
    assert [(each["role"], each["source"], each["mapped_group"]) for each in told] == [("billing", "mapping", "Bills")]


def test_members_are_put_patched_and_dropped_as_entra_and_okta_do(okta, people):
    made = group(okta, "Quirks", *people[:3])
    path = f"/Groups/{made['id']}"

    okta.patch(path, remove(people[1]))
    assert members(okta, made["id"]) == [people[0], people[2]]
    okta.patch(path, {"op": "remove", "path": f'members[value eq "{people[0]}"]'}, add(people[4]))
    assert members(okta, made["id"]) == [people[2], people[4]]
    okta.call("PUT", path, {"displayName": "Quirks", "members": [{"value": people[5], "display": "x"}]}, expect=200)
    assert members(okta, made["id"]) == [people[5]]
    okta.call("PUT", path, {"displayName": "Quirks 2"}, expect=200)
    assert members(okta, made["id"]) == [people[5]]
    okta.patch(path, {"op": "replace", "path": "members", "value": [{"value": people[6]}]})
    assert members(okta, made["id"]) == [people[6]]
    okta.call("PUT", path, {"displayName": "Quirks", "members": []}, expect=200)
    assert members(okta, made["id"]) == []


def test_a_change_is_audited_with_who_came_and_who_went(okta, people):
    made = group(okta, "Audited", people[0])
    okta.patch(f"/Groups/{made['id']}", remove(people[0]), add(people[1]))

    told = [(each["changes"], each["principal_type"]) for each in okta.tenant.events(resource=made["id"])]
    assert told[0] == ({"before": {"members": []}, "after": {"members": [people[1]]}}, "directory")
    assert told[1] == ({"before": {"members": [people[0]]}, "after": {"members": []}}, "directory")
    assert told[2][0] == {"before": {"members": []}, "after": {"members": [people[0]]}}
    assert told[3][0]["after"]["name"] == "Audited"


def test_a_version_that_does_not_stand_any_more_is_refused(okta, people):
    made = group(okta, "Stale")
    path, tag = f"/Groups/{made['id']}", made["meta"]["version"]
    okta.patch(path, add(people[0]), If_Match=tag)

    okta.patch(path, add(people[1]), If_Match=tag, expect=412)
    okta.call("PUT", path, {"displayName": "Stale"}, If_Match=tag, expect=412)
    okta.call("DELETE", path, If_Match=tag, expect=412)
    okta.call("DELETE", path, If_Match=okta.call("GET", path).headers["etag"], expect=204)


def test_a_deleted_user_is_in_no_group(okta):
    brief = okta.user("brief@acme.test")["id"]
    made = group(okta, "Brief", brief)

    okta.call("DELETE", f"/Users/{brief}", expect=204)

    assert members(okta, made["id"]) == []


def test_users_and_groups_are_searched_together(world):
    mine = connect(world, world.tenant("search", "admin@search.test"), "search.test")
    ids = [mine.user("one")["id"], mine.user("two")["id"], group(mine, "Two")["id"]]

    def search(**asked: Any) -> Any:
        return mine.call("POST", "/.search", {"schemas": [SEARCH_REQUEST], **asked})

    assert [each["id"] for each in search().json["Resources"]] == ids
    assert search().json["totalResults"] == 3
    assert [each["id"] for each in search(startIndex=3, count=5).json["Resources"]] == ids[2:]
    assert [each["id"] for each in search(startIndex=2, count=1).json["Resources"]] == ids[1:2]
    assert [each["id"] for each in search(filter='displayName eq "two"').json["Resources"]] == ids[2:]
    assert [each["id"] for each in search(filter='userName eq "two"').json["Resources"]] == ids[1:2]
    refused(search(filter='nothing eq "two"'), 400, "invalidFilter")
