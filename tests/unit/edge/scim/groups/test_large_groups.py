"""Groups of more members than a transaction holds, or a request has time for."""

from collections import Counter
from typing import Any

import pytest
from pynamodb.connection import Connection

from platforma.adapters.dynamodb.identity import DynamoGroups
from platforma.sso.scim import groups, memberships
from tests.directories import Directory, connect, refused
from tests.unit.edge.scim.groups.grouping import MAPPINGS, add, group, members, patch_of, remove, roles, where


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
