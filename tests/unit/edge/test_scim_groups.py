"""Directories' groups: who is in them, what they give, and what nobody gets by them."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from pynamodb.connection import Connection

from platforma.adapters.dynamodb.identity import DynamoGroups
from platforma.sso.scim import groups, memberships
from platforma.sso.scim.patch import PATCH_OP
from platforma.sso.scim.query import SEARCH_REQUEST
from tests.directories import Directory, connect, give_password, refused
from tests.world import Tenant, World, running

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
MAPPINGS = [
    {"group": "Platform Engineers", "role": "operator"},
    {"group": "Admins", "role": "admin"},
    {"group": "Bill", "match": "prefix", "role": "billing"},
]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def okta(world: World, tenant: Tenant) -> Directory:
    return connect(world, tenant, group_mappings=MAPPINGS, provisioning={"default_roles": ["viewer"]})


@pytest.fixture(scope="module")
def entra(world: World, tenant: Tenant) -> Directory:
    return connect(world, tenant, "entra.test")


@pytest.fixture(scope="module")
def people(okta: Directory) -> list[str]:
    return [okta.user(f"person{number}@acme.test")["id"] for number in range(8)]


@pytest.fixture
def small_pages() -> Iterator[None]:
    """Three users a transaction."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (memberships, groups):
            patch.setattr(module, "MAX_MOVED", 3)
        yield


def group(directory: Directory, name: str, *members: str, **fields: Any) -> dict[str, Any]:
    body = {"schemas": [GROUP], "displayName": name, "members": [{"value": each} for each in members], **fields}
    return directory.call("POST", "/Groups", body, expect=201).json


def members(directory: Directory, group_id: str) -> list[str]:
    shown = directory.call("GET", f"/Groups/{group_id}", expect=200).json
    return [each["value"] for each in shown.get("members", [])]


def roles(directory: Directory, user_id: str) -> list[str]:
    return directory.tenant.call("GET", f"/v1/users/{user_id}/roles", expect=200).json["roles"]


def where(text: str) -> str:
    return f"filter={quote(text)}"


def add(*ids: str) -> dict[str, Any]:
    return {"op": "Add", "path": "members", "value": [{"value": each} for each in ids]}


def patch_of(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


def remove(*ids: str) -> dict[str, Any]:
    return {"op": "Remove", "path": "members", "value": [{"value": each} for each in ids]}


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


# Attacks


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


# Large ones


def test_members_that_are_named_are_moved_without_a_look_at_the_others(okta, people):
    made = group(okta, "Unread", *people[:4])
    path = f"/Groups/{made['id']}"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DynamoGroups, "members", None)
        changed = okta.call("PATCH", f"{path}?excludedAttributes=members", patch_of(remove(people[1]), add(people[5])))
        okta.call("GET", f"{path}?excludedAttributes=members", expect=200)
        patch.setattr("platforma.edge.scim_resources.MEMBERS_SHOWN_AGAIN", 3)
        large = okta.call("PATCH", path, patch_of(add(people[6])), expect=204)

    assert changed.status == 200
    assert "members" not in changed.json
    assert large.headers["etag"] == okta.call("GET", path).headers["etag"]
    assert members(okta, made["id"]) == [people[0], people[2], people[3], people[5], people[6]]
    assert "operator" not in roles(okta, people[6])


def test_what_a_change_of_members_costs_does_not_grow_with_the_group(okta, people):
    """Nothing is queried, and each further page is one read of its users and one transaction."""
    group(okta, "Read along with each of them", *people)
    small, large = group(okta, "Costs little"), group(okta, "Costs as little", *people[2:])
    asked: list[str] = []
    dispatch = Connection.dispatch

    def noted(self: Connection, operation: str, *args: Any, **more: Any) -> Any:
        asked.append(operation)
        return dispatch(self, operation, *args, **more)

    def cost(path: str, *ids: str) -> Counter[str]:
        asked.clear()
        okta.call("PATCH", f"{path}?excludedAttributes=members", patch_of(add(*ids)), expect=200)
        return Counter(asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "dispatch", noted)
        patch.setattr(memberships, "MAX_MOVED", 1)
        warm = cost(f"/Groups/{small['id']}", people[0])
        one = cost(f"/Groups/{large['id']}", people[0])
        more = cost(f"/Groups/{small['id']}", people[1], people[2], people[3])

    assert one == warm
    assert one["Query"] == more["Query"]
    assert more["TransactWriteItems"] - one["TransactWriteItems"] == 2


def test_a_large_group_is_shown_again_where_attributes_are_asked_for(okta, people):
    made = group(okta, "Asked", *people[:4])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platforma.edge.scim_resources.MEMBERS_SHOWN_AGAIN", 3)
        shown = okta.call("PATCH", f"/Groups/{made['id']}?attributes=members", patch_of(add(people[4])), expect=200)

    assert len(shown.json["members"]) == 5


def test_a_group_has_so_many_members_and_no_more(okta, people):
    brief = okta.user("counted@acme.test")["id"]
    made = group(okta, "Full", *people[:2], brief)
    path = f"/Groups/{made['id']}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "MAX_MEMBERS", 3)

        refused(okta.call("PATCH", path, patch_of(add(people[3]))), 400, "invalidValue")
        okta.patch(path, add(people[0]))
        okta.patch(path, remove(people[1]), add(people[3]))
        okta.call("DELETE", f"/Users/{brief}", expect=204)
        okta.patch(path, add(people[4]))
        refused(okta.call("PATCH", path, patch_of(add(people[5]))), 400, "invalidValue")

    assert members(okta, made["id"]) == [people[0], people[3], people[4]]


def test_of_two_changes_meant_for_one_version_one_is_refused(okta, people):
    """The other one comes between the look at the version and the first write of members."""
    made = group(okta, "Raced", people[0])
    path, tag = f"/Groups/{made['id']}", made["meta"]["version"]
    checked = groups.require_own

    def meanwhile(*args: Any, **more: Any) -> None:
        checked(*args, **more)
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(groups, "require_own", checked)
            okta.patch(path, add(people[1]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "require_own", meanwhile)
        okta.patch(path, remove(people[0]), add(people[2]), If_Match=tag, expect=412)

    assert members(okta, made["id"]) == people[:2]


def cut_short(directory: Directory, method: str, path: str, body: Any = None, *, pages: int = 1) -> None:
    """Send what there is time for so many pages of."""
    with pytest.MonkeyPatch.context() as patch:
        moments = iter([0.0] * (1 + pages) + [100.0])
        patch.setattr("platforma.sso.scim.memberships.time.monotonic", lambda: next(moments))
        half = directory.call(method, path, body)
    refused(half, 503)
    assert half.headers["retry-after"] == "1"


@pytest.mark.usefixtures("small_pages")
def test_a_group_of_more_than_a_transaction_holds_is_changed_in_pages(world):
    tenant = world.tenant("large", "admin@large.test")
    mine = connect(world, tenant, "large.test", group_mappings=MAPPINGS)
    ids = [mine.user(f"u{number}")["id"] for number in range(8)]
    made = group(mine, "Bills", *ids)
    path = f"/Groups/{made['id']}"
    assert members(mine, made["id"]) == ids
    assert len(tenant.events(resource=made["id"], action="scim.groups.create")) == 4
    mine.patch(path, remove(*ids[4:]))
    assert members(mine, made["id"]) == ids[:4]

    body = {"displayName": "Bills", "members": [{"value": each} for each in ids]}
    cut_short(mine, "PUT", path, body)
    assert len(members(mine, made["id"])) == 7

    mine.call("PUT", path, body, expect=200)
    assert members(mine, made["id"]) == ids
    mine.call("DELETE", path, expect=204)
    assert {tuple(roles(mine, each)) for each in ids[:3]} == {()}


def sent(name: str, *ids: str, **fields: Any) -> dict[str, Any]:
    return {"displayName": name, "members": [{"value": each} for each in ids], **fields}


@pytest.mark.usefixtures("small_pages")
def test_a_group_whose_making_was_cut_short_is_finished_by_the_same_request(okta, people):
    body = sent("Cut", *people, externalId="cut-1")
    cut_short(okta, "POST", "/Groups", body)
    (begun,) = okta.found(where('displayName eq "Cut"'), "/Groups")
    assert members(okta, begun) == people[:3]
    cut_short(okta, "POST", "/Groups", body)

    made = okta.call("POST", "/Groups", body, expect=201).json

    assert made["id"] == begun
    assert [each["value"] for each in made["members"]] == people == members(okta, begun)
    told = [each["changes"] for each in okta.tenant.events(resource=begun, action="scim.groups.create")]
    assert [each["before"] for each in told].count(None) == 1
    assert sorted(one for each in told for one in each["after"].get("members", ())) == people
    refused(okta.call("POST", "/Groups", body), 409, "uniqueness")


@pytest.mark.usefixtures("small_pages")
def test_what_finishes_a_group_says_who_is_in_it(okta, people):
    """Whoever was put in by the request that was cut short and is not named any more is not in it."""
    cut_short(okta, "POST", "/Groups", sent("Changed mind", *people))

    made = okta.call("POST", "/Groups", sent("Changed mind", *people[2:5]), expect=201).json

    assert members(okta, made["id"]) == people[2:5]
    cut_short(okta, "POST", "/Groups", sent("The same", *people))
    okta.call("POST", "/Groups", sent("The same", *people[:3]), expect=201)
    refused(okta.call("POST", "/Groups", sent("The same", *people[:3])), 409, "uniqueness")


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("how", ["another name's case", "another external id", "another directory", "changed", "emptied"])
def test_no_other_group_is_finished(okta, entra, people, how):
    name = f"Unfinished {how}"
    cut_short(okta, "POST", "/Groups", sent(name, *people, externalId="one"))
    (begun,) = okta.found(where(f'displayName eq "{name}"'), "/Groups")
    match how:
        case "changed":
            okta.patch(f"/Groups/{begun}", remove(people[0]))
        case "emptied":
            cut_short(okta, "DELETE", f"/Groups/{begun}", pages=0)
            okta.patch(f"/Groups/{begun}", remove(*people[:3]))
    before = members(okta, begun)
    body = sent(name.upper() if "case" in how else name, *people, externalId="other" if "external" in how else "one")

    refused((entra if "directory" in how else okta).call("POST", "/Groups", body), 409, "uniqueness")

    assert members(okta, begun) == before


def test_a_user_is_in_so_many_groups_and_no_more(okta):
    many = okta.user("many@acme.test")["id"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memberships, "MAX_GROUPS_OF_A_USER", 2)
        group(okta, "Many 0", many)
        group(okta, "Many 1", many)

        refused(okta.call("POST", "/Groups", {"displayName": "Many 2", "members": [{"value": many}]}), 400, "invalidValue")
