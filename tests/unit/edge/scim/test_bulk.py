"""Bulk requests of directories (RFC 7644 section 3.7)."""

from collections.abc import Iterator
from typing import Any

import pytest

from platforma.edge.scim_bulk import BULK_REQUEST, BULK_RESPONSE
from platforma.sso.scim.patch import PATCH_OP
from tests.directories import Directory, connect, refused
from tests.world import World, running


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def okta(world: World) -> Directory:
    return connect(world, world.tenant())


def bulk(directory: Directory, *operations: Any, expect: int = 200, **more: Any) -> Any:
    body = {"schemas": [BULK_REQUEST], "Operations": list(operations), **more}
    return directory.call("POST", "/Bulk", body, expect=expect).json


def create(name: str, **data: Any) -> dict[str, Any]:
    return {"method": "POST", "path": "/Users", "bulkId": name, "data": {"userName": name, **data}}


def team(name: str, *members: str) -> dict[str, Any]:
    data = {"displayName": name, "members": [{"value": f"bulkId:{each}"} for each in members]}
    return {"method": "POST", "path": "/Groups", "bulkId": name, "data": data}


def statuses(answer: dict[str, Any]) -> list[str]:
    return [each["status"] for each in answer["Operations"]]


def test_a_group_names_users_that_are_made_after_it(okta):
    answer = bulk(okta, team("t1", "a1", "b1"), create("a1"), create("b1"))

    assert answer["schemas"] == [BULK_RESPONSE]
    assert [(each["bulkId"], each["status"]) for each in answer["Operations"]] == [
        ("t1", "201"),
        ("a1", "201"),
        ("b1", "201"),
    ]
    group = okta.call("GET", answer["Operations"][0]["location"].partition("/scim/v2")[2], expect=200).json
    assert len(group["members"]) == 2
    assert answer["Operations"][1]["version"] == 'W/"1"'


def test_each_operation_has_its_own_event(okta):
    request = okta.call("POST", "/Bulk", {"schemas": [BULK_REQUEST], "Operations": [create("e1"), create("e2")]}).request_id

    told = sorted(each["action"] for each in okta.tenant.events(request_id=request))
    assert told == ["scim.bulk.run", "scim.users.create", "scim.users.create"]


def test_what_is_made_is_changed_and_deleted_in_the_same_request(okta):
    patch = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "title", "value": "x"}]}
    answer = bulk(
        okta,
        create("c1"),
        {"method": "patch", "path": "/Users/bulkId:c1", "data": patch, "version": 'W/"1"'},
        {"method": "PUT", "path": "/Users/bulkId:c1", "data": {"userName": "c2"}, "version": 'W/"1"'},
        {"method": "DELETE", "path": "/Users/bulkId:c1"},
    )

    assert statuses(answer) == ["201", "200", "412", "204"]


def test_what_fails_is_told_of_and_the_rest_is_done(okta):
    answer = bulk(okta, create("d1"), create("d1", externalId="x") | {"bulkId": "d2"}, team("t2", "d2"), create("d3"))

    assert statuses(answer) == ["201", "409", "400", "201"]
    assert answer["Operations"][1]["response"]["scimType"] == "uniqueness"


def test_nothing_is_begun_after_as_many_failures_as_are_allowed(okta):
    bad = {"method": "DELETE", "path": "/Users/nobody"}

    assert statuses(bulk(okta, bad, bad, create("f1"), failOnErrors=2)) == ["404", "404"]
    assert okta.found("filter=userName%20eq%20%22f1%22") == []


def test_a_circle_ends(okta):
    first, second = team("x1", "x2"), team("x2", "x1")

    assert statuses(bulk(okta, first, second, create("g1"))) == ["400", "400", "201"]


def test_a_reference_to_nothing_is_refused(okta):
    assert statuses(bulk(okta, team("h1", "nothing"), {"method": "DELETE", "path": "/Users/bulkId:nothing"})) == [
        "400",
        "400",
    ]


def test_another_ones_user_is_not_reached_by_bulk(okta):
    bob = okta.tenant.user("bob@acme.test")

    assert statuses(bulk(okta, {"method": "DELETE", "path": f"/Users/{bob}"})) == ["404"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"schemas": [BULK_REQUEST]},
        {"schemas": [BULK_REQUEST], "Operations": []},
        {"schemas": [BULK_REQUEST], "Operations": ["x"]},
        {"schemas": [BULK_REQUEST], "Operations": [{"method": "GET", "path": "/Users/x"}]},
        {"schemas": [BULK_REQUEST], "Operations": [{"method": "POST", "path": "/Users", "data": {}}]},
        {"schemas": [BULK_REQUEST], "Operations": [{"method": "DELETE", "path": "/Users"}]},
        {"schemas": [BULK_REQUEST], "Operations": [{"method": "DELETE", "path": "/v1/users/x"}]},
        {"schemas": [BULK_REQUEST], "Operations": [{"method": "DELETE", "path": "/Users/../Groups/x"}]},
        {"schemas": [BULK_REQUEST], "Operations": [{"method": "PUT", "path": "/Users/x"}]},
        {"schemas": [BULK_REQUEST], "Operations": [{"method": "DELETE", "path": "/Users/x", "version": "v"}]},
        {"schemas": [BULK_REQUEST], "Operations": [create("i"), create("i")]},
        {"schemas": [BULK_REQUEST], "failOnErrors": 0, "Operations": [create("i")]},
        {"schemas": ["x"], "Operations": [create("i")]},
    ],
)
def test_what_is_no_bulk_request_is_refused(okta, body):
    refused(okta.call("POST", "/Bulk", body), 400, "invalidSyntax")


def test_more_operations_than_are_taken_are_refused(okta):
    refused(okta.call("POST", "/Bulk", {"schemas": [BULK_REQUEST], "Operations": [create("j")] * 101}), 413)
