"""What nobody gets by a directory's group."""

import pytest

from tests.directories import connect, give_password, refused
from tests.unit.edge.scim.groups.grouping import MAPPINGS, add, group, members, remove, roles


@pytest.mark.parametrize("name", ["admins", "Admins ", "\u0410dmins", "Admin", "Admins\u200b", "XAdmins"])
def test_a_name_that_merely_looks_like_a_mapped_one_gives_nothing(okta, people, name):
    made = okta.call("POST", "/Groups", {"displayName": name, "members": [{"value": people[7]}]})

    assert made.status in (201, 400, 409), made.text
    if made.status == 201 and made.json["displayName"] != "Admins":
        assert "admin" not in roles(okta, people[7])
    if made.status == 201:
        okta.call("DELETE", f"/Groups/{made.json['id']}", expect=204)


def test_a_group_gives_no_role_that_it_sends(okta, people):
    made = group(okta, "Plain", people[0], roles=["admin"], role="admin", entitlements=["*"])

    assert okta.tenant.call("GET", f"/v1/groups/{made['id']}").json["roles"] == []


@pytest.mark.parametrize("whose", ["hand", "entra", "nobody", "group", "text"])
def test_only_ones_own_users_are_members(okta, entra, whose):
    theirs = {
        "hand": lambda: okta.tenant.user("hand@acme.test"),
        "entra": lambda: entra.user("member@entra.test")["id"],
        "nobody": lambda: "usr_01j0000000e008000000000000",
        "group": lambda: group(okta, "Nested")["id"],
        "text": lambda: "x' or '1'='1",
    }[whose]()
    made = group(okta, f"Own {whose}")

    refused(okta.call("POST", "/Groups", {"displayName": "Theirs", "members": [{"value": theirs}]}), 400, "invalidValue")
    okta.patch(f"/Groups/{made['id']}", add(theirs), expect=400)
    assert members(okta, made["id"]) == []


@pytest.mark.parametrize("whose", ["hand", "entra"])
def test_another_ones_group_is_as_if_it_did_not_exist(okta, entra, people, whose):
    if whose == "hand":
        theirs = okta.tenant.call("POST", "/v1/groups", {"name": "By hand", "roles": ["admin"]}, expect=201).json["id"]
    else:
        theirs = group(entra, "Of Entra")["id"]
    path = f"/Groups/{theirs}"

    refused(okta.call("GET", path), 404)
    refused(okta.call("PUT", path, {"displayName": "x"}), 404)
    okta.patch(path, add(people[0]), expect=404)
    refused(okta.call("DELETE", path), 404)
    assert theirs not in okta.found("count=200", "/Groups")
    assert okta.found(f"filter=id%20eq%20%22{theirs}%22", "/Groups") == []
    name = "by hand" if whose == "hand" else "of entra"
    detail = refused(okta.call("POST", "/Groups", {"displayName": name}), 409, "uniqueness")["detail"]
    assert theirs not in detail


def test_by_hand_nobody_is_put_into_a_directorys_group(okta, people):
    made = group(okta, "Kept", people[0])
    bob = okta.tenant.user("bob2@acme.test")

    for method, path, body in (
        ("PUT", f"/v1/groups/{made['id']}/members/{bob}", None),
        ("DELETE", f"/v1/groups/{made['id']}/members/{people[0]}", None),
        ("PATCH", f"/v1/groups/{made['id']}", {"name": "Mine"}),
    ):
        reply = okta.tenant.call(method, path, body, headers={"If-Match": "*"}, expect=409)
        assert reply.json["code"] == "kept_by_directory"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"displayName": ""},
        {"displayName": "x" * 201},
        {"displayName": "a\x00"},
        {"displayName": {"a": 1}},
        {"displayName": "x", "members": "all"},
        {"displayName": "x", "members": [{"value": "u"}] * 10_001},
        {"displayName": "x", "externalId": "x" * 300},
    ],
)
def test_a_group_that_is_none_is_refused(okta, body):
    refused(okta.call("POST", "/Groups", body), 400, "invalidValue")


@pytest.mark.parametrize("how", ["member", "deletion", "name", "large"])
@pytest.mark.usefixtures("small_pages")
def test_the_last_administrator_keeps_by_hand_what_a_group_gave(world, how):
    tenant = world.tenant(f"last-{how}", f"admin@last-{how}.test")
    mine = connect(world, tenant, f"last-{how}.test", group_mappings=MAPPINGS)
    boss = mine.user("boss")["id"]
    others = [mine.user(f"u{number}")["id"] for number in range(3)] if how == "large" else []
    made = group(mine, "Admins", *others, boss)
    give_password(tenant, boss)
    tenant.call("DELETE", f"/v1/users/{tenant.admin_id}", expect=204, headers={"If-Match": "*"})

    if how == "member":
        mine.patch(f"/Groups/{made['id']}", remove(boss))
    elif how == "name":
        mine.patch(f"/Groups/{made['id']}", {"op": "replace", "path": "displayName", "value": "Others"})
    else:
        mine.call("DELETE", f"/Groups/{made['id']}", expect=204)

    told = tenant.call("GET", f"/v1/users/{boss}/roles?explain=true").json
    assert [(each["role"], each["source"]) for each in told["sources"]] == [("admin", "direct")]
    assert any(each.get("reason") == "administrator_kept" for each in tenant.events(limit="200"))
