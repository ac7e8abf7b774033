"""Users through a directory: made, changed, found, deactivated and deleted."""

from urllib.parse import quote

import pytest

from platforma import bootstrap
from platforma.kernel.events import Attempt
from platforma.sso.scim.patch import PATCH_OP
from platforma.sso.scim.query import LIST_RESPONSE, SEARCH_REQUEST
from tests.directories import ERROR, USER, Directory, connect, give_password, refused
from tests.world import Reply


def test_a_user_is_created_read_and_found(okta):
    name = {"givenName": "Grace", "familyName": "Hopper"}
    made = okta.call("POST", "/Users", {"schemas": [USER], "userName": "grace@acme.test", "externalId": "g1", "name": name})
    user = made.json

    assert made.status == 201
    assert made.headers["location"] == user["meta"]["location"] == f"https://platforma.test/scim/v2/Users/{user['id']}"
    assert made.headers["etag"] == user["meta"]["version"] == 'W/"1"'
    assert (user["active"], user["name"], user["externalId"]) == (True, name, "g1")
    assert okta.call("GET", f"/Users/{user['id']}", expect=200).json == user
    for text in (
        'userName eq "GRACE@acme.test"',
        'externalId eq "g1"',
        f'id eq "{user["id"]}"',
        'name.familyName eq "hopper"',
    ):
        assert okta.found(f"filter={quote(text)}") == [user["id"]]
    ours = okta.tenant.call("GET", f"/v1/users/{user['id']}", expect=200).json
    assert (ours["email"], ours["name"], ours["status"]) == ("grace@acme.test", "Grace Hopper", "active")
    assert ours["managed_by"] == "scim"


def test_a_change_is_audited_with_before_and_after_as_the_directorys(okta):
    user = okta.user("audited@acme.test")
    okta.patch(f"/Users/{user['id']}", {"op": "replace", "path": "title", "value": "Admiral"})

    changed, made = okta.tenant.events(resource=user["id"])
    assert (made["action"], made["principal_type"], made["principal_id"]) == (
        "scim.users.create",
        "directory",
        okta.connection,
    )
    assert made["changes"]["after"]["email"] == "audited@acme.test"
    assert changed["changes"] == {"before": {"profile": {"title": None}}, "after": {"profile": {"title": "Admiral"}}}


def test_a_replacement_takes_what_is_not_said_again_but_not_active(okta):
    user = okta.user("put@acme.test", title="x", active=False)

    replaced = okta.call("PUT", f"/Users/{user['id']}", {"schemas": [USER], "userName": "put@acme.test"}, expect=200).json

    assert "title" not in replaced
    assert replaced["active"] is False
    assert replaced["meta"]["version"] == 'W/"2"'


def test_a_version_that_does_not_stand_any_more_is_refused(okta):
    user = okta.user("stale@acme.test")
    path, tag = f"/Users/{user['id']}", user["meta"]["version"]
    change = {"op": "replace", "path": "title", "value": "y"}
    okta.patch(path, change, If_Match=tag)

    refused(okta.call("PATCH", path, {"schemas": [PATCH_OP], "Operations": [change]}, If_Match=tag), 412)
    refused(okta.call("PUT", path, {"userName": "stale@acme.test"}, If_Match=tag), 412)
    refused(okta.call("DELETE", path, If_Match=tag), 412)
    refused(okta.call("DELETE", path, If_Match='W/"nobody-s"'), 412)
    refused(okta.call("DELETE", path, If_Match="nonsense"), 400, "invalidSyntax")
    assert okta.call("GET", path, If_None_Match='W/"2"').status == 304
    okta.call("DELETE", path, If_Match='W/"2", "9"', expect=204)


def test_a_list_is_cut_sorted_and_counted(world):
    mine = connect(world, world.tenant("lists", "admin@lists.test"), "lists.test")
    ids = [mine.user(f"u{number}", title=f"t{9 - number}")["id"] for number in range(5)]

    page = mine.call("GET", "/Users?startIndex=2&count=2", expect=200).json
    assert ([each["id"] for each in page["Resources"]], page["totalResults"]) == (ids[1:3], 5)
    assert (page["schemas"], page["startIndex"], page["itemsPerPage"]) == ([LIST_RESPONSE], 2, 2)
    assert mine.found("sortBy=title") == ids[::-1]
    assert mine.found("sortBy=title&sortOrder=descending&count=1") == ids[:1]
    assert mine.found("filter=title%20pr&startIndex=5") == ids[4:]
    assert mine.found("startIndex=-3&count=1") == ids[:1]
    assert mine.call("GET", "/Users?count=-1").json["totalResults"] == 5
    assert mine.call("GET", "/Users?filter=title%20eq%20%22t9%22&attributes=userName").json["Resources"] == [
        {"schemas": [USER], "id": ids[0], "userName": "u0"}
    ]
    body = {"schemas": [SEARCH_REQUEST], "filter": 'title eq "t9"', "attributes": ["title"]}
    found = mine.call("POST", "/Users/.search", body, expect=200).json["Resources"]
    assert found == [{"schemas": [USER], "id": ids[0], "title": "t9"}]


@pytest.mark.parametrize(
    ("query", "scim_type"),
    [
        ("filter=userName+xx", "invalidFilter"),
        ("filter=password+eq+%22x%22", "invalidFilter"),
        ("filter=" + "(" * 2000, "invalidFilter"),
        ("sortBy=nothing", "invalidPath"),
        ("sortBy=userName&sortOrder=sideways", "invalidValue"),
        ("startIndex=one", "invalidValue"),
        ("count=99999999999999999999", "invalidValue"),
        ("attributes=userName&excludedAttributes=title", "invalidValue"),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused(okta, query, scim_type):
    refused(okta.call("GET", f"/Users?{query}"), 400, scim_type)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{", 400),
        (b'{"userName": "a", "userName": "b"}', 400),
        (b'{"a":' * 40 + b"1" + b"}" * 40, 400),
        (b'{"userName": "' + b"x" * (1 << 20) + b'"}', 413),
    ],
    ids=["empty", "list", "broken", "doubled", "deep", "huge"],
)
def test_a_body_that_cannot_be_read_is_refused(okta, raw, status):
    headers = {"Content-Type": "application/scim+json"}
    reply = okta.world.call("POST", "/scim/v2/Users", token=okta.token, raw=raw, headers=headers)

    assert refused_status(reply) == status


def refused_status(reply: Reply) -> int:
    assert reply.headers["content-type"] == "application/scim+json"
    assert reply.json["schemas"] == [ERROR]
    return int(reply.json["status"])


def test_another_media_type_is_refused(okta):
    reply = okta.world.call("POST", "/scim/v2/Users", token=okta.token, raw=b"{}", headers={"Content-Type": "text/plain"})

    refused(reply, 415)


def test_plain_json_is_taken_too(okta):
    sent = {"userName": "plain@acme.test"}
    assert okta.world.call("POST", "/scim/v2/Users", token=okta.token, json_body=sent).status == 201


def test_a_person_of_more_than_8_kib_is_refused(okta):
    body = {"userName": "big@acme.test", **dict.fromkeys(("title", "nickName", "userType"), "x" * 3000)}
    refused(okta.call("POST", "/Users", body), 400, "invalidValue")


# Deactivation and deletion


def key_of(okta: Directory, user_id: str) -> str:
    body = {"name": "k", "environment": "live", "scopes": ["infrastructure:read"], "owner": {"type": "user", "id": user_id}}
    made = okta.tenant.call("POST", "/v1/api-keys", body, expect=201)
    return made.json["key"]


@pytest.mark.parametrize("how", ["active", "delete"])
def test_keys_end_with_the_user_within_5_seconds(okta, how):
    user = okta.user(f"keys-{how}@acme.test")
    key = key_of(okta, user["id"])
    assert okta.world.call("GET", "/v1/me", token=key).status == 200

    if how == "active":
        okta.patch(f"/Users/{user['id']}", {"op": "Replace", "path": "active", "value": "False"})
    else:
        okta.call("DELETE", f"/Users/{user['id']}", expect=204)
    okta.world.clock.move(seconds=5)

    assert okta.world.call("GET", "/v1/me", token=key).status == 401


def test_sessions_end_with_the_users_activity(okta):
    user = okta.user("session@acme.test")["id"]
    attempt = Attempt("request", "oauth.sign_in", okta.world.clock, tenant_id=okta.tenant.id, principal_type="user")
    session, _ = bootstrap.oauth.start_session(okta.tenant.id, user, amr=("pwd",), attempt=attempt)

    okta.patch(f"/Users/{user}", {"op": "replace", "value": {"active": False}})

    assert bootstrap.parts.oauth.sessions().get(session.id).ended_at is not None


def test_who_is_of_a_domain_that_was_lost_can_still_be_deactivated(world):
    tenant = world.tenant("losing", "admin@losing.test")
    mine = connect(world, tenant, "losing.test")
    user = mine.user("ada@losing.test")
    tenant.call("DELETE", "/v1/domains/losing.test", expect=204, headers={"If-Match": "*"})

    refused(mine.call("PUT", f"/Users/{user['id']}", {"userName": "eve@losing.test"}), 400, "invalidValue")
    assert mine.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"active": False}})["active"] is False
    mine.call("DELETE", f"/Users/{user['id']}", expect=204)


def test_a_suspension_by_hand_is_not_lifted_by_a_directory_that_repeats_itself(okta):
    user = okta.user("held@acme.test", active=True)
    okta.tenant.call("PATCH", f"/v1/users/{user['id']}", {"status": "suspended"}, expect=200, headers={"If-Match": "*"})

    again = okta.call("PUT", f"/Users/{user['id']}", {"userName": "held@acme.test", "active": True}, expect=200).json

    assert again["active"] is False
    okta.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"active": False}})
    assert okta.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"active": True}})["active"] is True


def test_one_who_was_deleted_can_be_made_again_by_the_directory(okta):
    user = okta.user("again@acme.test", externalId="again")
    okta.call("DELETE", f"/Users/{user['id']}", expect=204)
    refused(okta.call("DELETE", f"/Users/{user['id']}"), 404)

    assert okta.user("again@acme.test", externalId="again")["id"] != user["id"]


def test_the_last_administrator_is_kept_and_that_is_recorded(world):
    tenant = world.tenant("lockout", "admin@lockout.test")
    mine = connect(world, tenant, "lockout.test")
    user = mine.user("boss@lockout.test")
    tenant.call("PUT", f"/v1/users/{user['id']}/roles", {"roles": ["admin"]}, expect=200, headers={"If-Match": "*"})
    give_password(tenant, user["id"])
    tenant.call("DELETE", f"/v1/users/{tenant.admin_id}", expect=204, headers={"If-Match": "*"})

    kept = mine.patch(
        f"/Users/{user['id']}",
        {"op": "replace", "path": "active", "value": False},
        {"op": "replace", "path": "title", "value": "Boss"},
    )
    assert (kept["active"], kept["title"]) == (True, "Boss")
    assert tenant.events(resource=user["id"], action="scim.users.update")[0]["reason"] == "administrator_kept"

    mine.call("DELETE", f"/Users/{user['id']}", expect=204)
    refused(mine.call("GET", f"/Users/{user['id']}"), 404)
    ours = tenant.call("GET", f"/v1/users/{user['id']}", expect=200).json
    assert (ours["status"], ours["managed_by"], ours["roles"]) == ("active", "manual", ["admin"])
    assert tenant.events(resource=user["id"], action="scim.users.delete")[0]["reason"] == "administrator_kept"
