"""Directories through their function: tokens, users, and every way to reach further than one's own."""

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest

from platforma import bootstrap
from platforma.kernel.clock import rfc3339
from platforma.kernel.events import Attempt
from platforma.sso.scim import query as lists
from platforma.sso.scim.patch import PATCH_OP
from platforma.sso.scim.query import LIST_RESPONSE, SEARCH_REQUEST
from tests.directories import ERROR, METADATA, USER, Directory, connect, give_password, refused
from tests.world import Reply, Tenant, World, running


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def okta(world: World, tenant: Tenant) -> Directory:
    return connect(world, tenant)


@pytest.fixture(scope="module")
def entra(world: World, tenant: Tenant) -> Directory:
    """A second directory of the same tenant."""
    return connect(world, tenant, "entra.test")


@pytest.fixture(scope="module")
def other(world: World) -> Directory:
    """Another tenant's directory."""
    return connect(world, world.tenant("other", "admin@other.test"), "other.test")


def tokens(okta: Directory) -> str:
    return f"/v1/sso-connections/{okta.connection}/scim-tokens"


# Tokens


def test_a_token_is_shown_once_and_listed_without_its_text(okta):
    listed = okta.tenant.call("GET", tokens(okta), expect=200)

    assert okta.token not in listed.text
    assert set(listed.json["items"][0]) == {"id", "created_at", "expires_at", "last_used_at"}


def test_a_revoked_token_is_refused_from_the_next_request(okta):
    made = okta.tenant.call("POST", tokens(okta), {}, expect=201).json
    second = Directory(okta.world, okta.tenant, okta.connection, made["token"])
    second.call("GET", "/Users?count=0", expect=200)

    okta.tenant.call("DELETE", f"{tokens(okta)}/{made['id']}", expect=204)

    refused(second.call("GET", "/Users"), 401)
    okta.tenant.call("DELETE", f"{tokens(okta)}/{made['id']}", expect=404)
    event = next(e for e in okta.tenant.events(result="denied") if e["principal_type"] == "directory")
    assert event["principal_id"] == okta.connection


def test_a_token_expires(okta):
    made = okta.tenant.call("POST", tokens(okta), {"expires_in": 3600}, expect=201).json
    assert made["expires_at"] == rfc3339(okta.world.clock() + timedelta(hours=1))
    short = Directory(okta.world, okta.tenant, okta.connection, made["token"])
    short.call("GET", "/Users?count=0", expect=200)

    okta.world.clock.move(seconds=3601)

    refused(short.call("GET", "/Users"), 401)
    okta.tenant.call("DELETE", f"{tokens(okta)}/{made['id']}", expect=204)


def test_a_connection_has_five_tokens_at_most(okta):
    made = [okta.tenant.call("POST", tokens(okta), {}, expect=201).json["id"] for _ in range(4)]

    okta.tenant.call("POST", tokens(okta), {}, expect=409)

    for each in made:
        okta.tenant.call("DELETE", f"{tokens(okta)}/{each}", expect=204)


@pytest.mark.parametrize("change", ["disable", "delete"])
def test_a_token_ends_with_its_connection(world, change):
    tenant = world.tenant(f"{change}s", f"admin@{change}.test")
    mine = connect(world, tenant, f"{change}.test")
    path, any_version = f"/v1/sso-connections/{mine.connection}", {"If-Match": "*"}

    if change == "disable":
        tenant.call("PATCH", path, {"enabled": False}, expect=200, headers=any_version)
    else:
        tenant.call("DELETE", path, expect=204, headers=any_version)

    refused(mine.call("GET", "/Users"), 401)


def test_a_token_of_a_suspended_tenant_is_refused(world):
    tenant = world.tenant("gone", "admin@gone.test")
    mine = connect(world, tenant, "gone.test")
    platform = world.token(world.platform_client)
    gone = world.call("DELETE", f"/v1/tenants/{tenant.id}", token=platform, headers={"If-Match": "*"})
    assert gone.status == 202, gone.text
    world.clock.move(seconds=5)

    refused(mine.call("GET", "/Users"), 401)


@pytest.mark.parametrize(
    "bend",
    [
        lambda token: token[:-1] + ("a" if token[-1] != "a" else "b"),
        lambda token: token[:30] + ("a" if token[30] != "a" else "b") + token[31:],
        lambda token: "scim_" + "0" * 77,
        lambda token: "scim_" + "z" * 77,
        lambda _: "scim_",
        lambda _: "x" * 10_000,
        lambda token: token + "x",
    ],
)
def test_a_made_up_token_is_refused(okta, bend):
    headers = {"Authorization": f"Bearer {bend(okta.token)}"}
    refused(okta.world.call("GET", "/scim/v2/Users", headers=headers), 401)


def test_no_other_credential_is_a_directorys(okta):
    key = {"name": "k", "environment": "live", "scopes": ["*"]}
    key = okta.tenant.call("POST", "/v1/api-keys", key, expect=201).json["key"]

    for headers in (
        {},
        {"Authorization": f"Bearer {okta.tenant.token}"},
        {"Authorization": f"Bearer {key}"},
        {"X-API-Key": okta.token},
        {"Authorization": f"DPoP {okta.token}"},
        {"Authorization": f"Basic {okta.token}"},
    ):
        reply = okta.world.call("GET", "/scim/v2/Users", headers=headers)
        refused(reply, 401)
        assert reply.headers["www-authenticate"].startswith("Bearer")


def test_a_directorys_token_is_good_for_nothing_else(okta):
    for path in ("/v1/me", "/v1/users", tokens(okta)):
        assert okta.world.call("GET", path, token=okta.token).status == 401


def test_who_lacks_settings_manage_gives_no_token(okta):
    weak = okta.world.token(okta.tenant.client_with(roles=("viewer",)))

    assert okta.world.call("POST", tokens(okta), token=weak, json_body={}).status == 403
    scoped = okta.world.token(okta.tenant.client_with(roles=("admin",), scopes=("settings.scim_tokens.*",)))
    assert okta.world.call("POST", tokens(okta), token=scoped, json_body={}).status == 403


def test_a_directory_that_asks_for_too_much_waits(world):
    mine = connect(world, world.tenant("busy", "admin@busy.test"), "busy.test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platforma.edge.scim.LIMIT", type("L", (), {"limit": 2, "period_seconds": 60})())
        mine.call("GET", "/Users?count=0", expect=200)
        mine.call("GET", "/Users?count=0", expect=200)

        reply = mine.call("GET", "/Users?count=0")

    refused(reply, 429)
    assert int(reply.headers["retry-after"]) >= 1


# Users


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


# Whom a directory may not reach


@pytest.mark.parametrize("name", ["eve@evil.test", "eve@other.test", "eve@sub.acme.test", "a b", "x@y@acme.test"])
def test_nobody_outside_of_the_connections_domains_is_made(okta, name):
    refused(okta.call("POST", "/Users", {"userName": name}), 400, "invalidValue")
    assert okta.tenant.call("GET", f"/v1/users?email={quote(name)}").json["items"] == []


def test_a_connection_without_an_owned_domain_makes_nobody(world):
    tenant = world.tenant("claims", "admin@claims.test")
    tenant.call("POST", "/v1/domains", {"domain": "claims.test"}, expect=201)
    body = {"name": "Okta", "type": "saml", "domains": ["claims.test"], "saml": {"metadata_xml": METADATA}}
    connection = tenant.call("POST", "/v1/sso-connections", body, expect=201).json["id"]
    token = tenant.call("POST", f"/v1/sso-connections/{connection}/scim-tokens", {}, expect=201).json["token"]

    refused(
        Directory(world, tenant, connection, token).call("POST", "/Users", {"userName": "a@claims.test"}),
        400,
        "invalidValue",
    )


def test_a_user_who_is_there_is_not_taken_over_by_an_address(okta):
    bob = okta.tenant.user("bob@acme.test")
    eve = okta.user("eve@acme.test")

    for reply in (
        okta.call("POST", "/Users", {"userName": "BOB@acme.test"}),
        okta.call("POST", "/Users", {"userName": "x", "emails": [{"value": "bob@acme.test", "primary": True}]}),
        okta.call("PUT", f"/Users/{eve['id']}", {"userName": "bob@acme.test"}),
    ):
        detail = refused(reply, 409, "uniqueness")["detail"]
        assert bob not in detail and "Ada" not in detail
    assert okta.tenant.call("GET", f"/v1/users/{bob}").json["managed_by"] == "manual"


def test_an_id_that_is_sent_overwrites_nobody(okta):
    bob = okta.tenant.user("victim@acme.test")

    made = okta.call("POST", "/Users", {"userName": "fresh@acme.test", "id": bob}, expect=201).json

    assert made["id"] != bob
    assert okta.tenant.call("GET", f"/v1/users/{bob}").json["email"] == "victim@acme.test"


@pytest.mark.parametrize("whose", ["hand", "entra", "other", "nobody"])
def test_another_ones_user_is_as_if_it_did_not_exist(okta, entra, other, whose):
    theirs = {
        "hand": lambda: okta.tenant.user(f"{whose}@acme.test"),
        "entra": lambda: entra.user("theirs@entra.test")["id"],
        "other": lambda: other.user("theirs@other.test")["id"],
        "nobody": lambda: okta.user("brief@acme.test")["id"][:-4] + "0000",
    }[whose]()
    path = f"/Users/{theirs}"

    refused(okta.call("GET", path), 404)
    refused(okta.call("PUT", path, {"userName": "x@acme.test"}), 404)
    body = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "active", "value": False}]}
    refused(okta.call("PATCH", path, body), 404)
    refused(okta.call("DELETE", path), 404)
    assert okta.found(f"filter=id%20eq%20%22{theirs}%22") == []
    assert theirs not in okta.found("sortBy=userName&count=200")


def test_roles_that_a_directory_sends_give_nothing(okta):
    made = okta.user("role@acme.test", roles=[{"value": "admin", "primary": True}], entitlements=[{"value": "*"}])

    ours = okta.tenant.call("GET", f"/v1/users/{made['id']}/roles?explain=true", expect=200).json
    assert ours == {"roles": [], "sources": []}


def test_default_roles_are_given_and_say_so(world):
    tenant = world.tenant("defaults", "admin@defaults.test")
    mine = connect(world, tenant, "defaults.test", provisioning={"default_roles": ["viewer"]})

    user = mine.user("ada@defaults.test")

    told = tenant.call("GET", f"/v1/users/{user['id']}/roles?explain=true", expect=200).json
    assert told["roles"] == ["viewer"]
    assert (told["sources"][0]["source"], told["sources"][0]["connection_id"]) == ("mapping", mine.connection)


def test_a_mass_of_operations_is_refused(okta):
    user = okta.user("mass@acme.test")
    body = {"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": "title"}] * 1001}

    refused(okta.call("PATCH", f"/Users/{user['id']}", body), 400, "invalidSyntax")


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


# What can be done, and what there is


def test_what_is_supported_is_told(okta):
    config = okta.call("GET", "/ServiceProviderConfig", expect=200).json

    assert {name for name in ("patch", "filter", "sort", "etag") if config[name]["supported"]} == {
        "patch",
        "filter",
        "sort",
        "etag",
    }
    assert config["changePassword"] == {"supported": False}
    assert config["authenticationSchemes"][0]["type"] == "oauthbearertoken"


def test_types_and_schemas_are_told_by_name(okta):
    for path, names in (("/ResourceTypes", ["User", "Group"]), ("/Schemas", None)):
        listed = okta.call("GET", path, expect=200).json
        assert listed["totalResults"] == len(listed["Resources"])
        assert names is None or [each["id"] for each in listed["Resources"]] == names
        for each in listed["Resources"]:
            assert okta.call("GET", f"{path}/{each['id']}", expect=200).json == each
        refused(okta.call("GET", f"{path}/nothing"), 404)


def test_no_schema_has_a_password(okta):
    user = next(each for each in okta.call("GET", "/Schemas").json["Resources"] if each["id"] == USER)

    assert "password" not in {each["name"] for each in user["attributes"]}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_directory_is_nobody(okta, method):
    refused(okta.call(method, "/Me", {} if method in ("POST", "PUT", "PATCH") else None), 501)


# Discovery, and what there is not


@pytest.mark.parametrize(
    ("paths", "allowed"),
    [
        (("/ServiceProviderConfig", "/ResourceTypes", "/Schemas", f"/Schemas/{USER}", "/ResourceTypes/User"), "GET, HEAD"),
        (("/Users", "/Groups"), "GET, HEAD, POST"),
        (("/Users/x", "/Groups/x"), "GET, HEAD, PUT, PATCH, DELETE"),
        (("/Bulk", "/.search", "/Users/.search", "/Groups/.search"), "POST"),
    ],
)
def test_a_method_that_a_resource_does_not_take_is_a_405_of_the_rfcs_form(okta, paths, allowed):
    for path in paths:
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(allowed.split(", ")):
            reply = okta.call(method, path, {} if method in ("POST", "PUT", "PATCH") else None)
            refused(reply, 405)
            assert reply.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"])
def test_what_describes_the_service_is_not_filtered(okta, path):
    refused(okta.call("GET", f"{path}?filter=id%20pr"), 403)
    okta.call("GET", f"{path}?startIndex=2&count=1&sortBy=id", expect=200)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/Devices", "/Users/a/b", "/users", "/Schemas/a/b"])
def test_what_there_is_not_is_a_404_of_the_rfcs_form(okta, method, path):
    refused(okta.call(method, path, {} if method != "DELETE" else None), 404)


def test_nothing_is_told_of_what_there_is_not_without_a_token(okta):
    for method, path in (("GET", "/Devices"), ("POST", "/Me")):
        refused(okta.world.call(method, f"/scim/v2{path}"), 401)


# Cursors (RFC 9865)


def followed(directory: Directory, asked: str, path: str = "/Users") -> list[list[str]]:
    """The ids of each page, from the first to the one without a cursor."""
    pages, cursor = [], ""
    for _ in range(20):
        page = directory.call("GET", f"{path}?{asked}&cursor={cursor}", expect=200).json
        pages.append([each["id"] for each in page["Resources"]])
        if "nextCursor" not in page:
            return pages
        cursor = page["nextCursor"]
        assert re.fullmatch(r"[A-Za-z0-9._~-]+", cursor)
    raise AssertionError("no end")


@pytest.fixture(scope="module")
def paged(world: World) -> tuple[Directory, list[str]]:
    mine = connect(world, world.tenant("paged", "admin@paged.test"), "paged.test")
    return mine, [mine.user(f"u{number}", title=f"t{9 - number}")["id"] for number in range(5)]


def test_a_list_is_followed_by_cursors(paged):
    mine, ids = paged

    assert followed(mine, "count=2") == [ids[:2], ids[2:4], ids[4:]]
    assert followed(mine, "count=6") == [ids]
    assert followed(mine, "count=2&sortBy=title") == [ids[:2:-1], ids[2:0:-1], ids[:1]]
    assert [each for page in followed(mine, "count=2&filter=title%20pr") for each in page] == ids
    assert followed(mine, "count=2&filter=userName%20eq%20%22u3%22") == [[ids[3]]]
    first = mine.call("GET", "/Users?cursor&count=2", expect=200).json
    assert "startIndex" not in first
    assert first["itemsPerPage"] == 2
    counted = mine.call("GET", "/Users?cursor&count=0", expect=200).json
    assert (counted["totalResults"], counted["Resources"]) == (5, [])
    assert "nextCursor" not in mine.call("GET", "/Users?count=2", expect=200).json
    body = {"schemas": [SEARCH_REQUEST], "cursor": first["nextCursor"], "count": 9}
    assert [each["id"] for each in mine.call("POST", "/Users/.search", body, expect=200).json["Resources"]] == ids[2:]


def test_groups_are_followed_by_cursors(paged):
    mine, ids = paged
    made = [
        mine.call("POST", "/Groups", {"displayName": f"g{number}", "members": [{"value": ids[0]}]}, expect=201).json["id"]
        for number in range(3)
    ]

    assert followed(mine, "count=2", "/Groups") == [made[:2], made[2:]]
    pages = followed(mine, "count=1&filter=displayName%20sw%20%22g%22", "/Groups")
    assert [each for page in pages for each in page] == made
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "MAX_MEMBERS_SHOWN", 1)
        assert followed(mine, "count=3", "/Groups") == [[each] for each in made]


def test_who_is_made_or_removed_between_two_pages_shifts_no_other(world):
    mine = connect(world, world.tenant("shifting", "admin@shifting.test"), "shifting.test")
    ids = [mine.user(f"u{number}")["id"] for number in range(4)]
    first = mine.call("GET", "/Users?cursor=&count=2", expect=200).json

    mine.call("DELETE", f"/Users/{ids[0]}", expect=204)
    last = mine.user("u9")["id"]

    assert mine.found(f"count=9&cursor={first['nextCursor']}") == [*ids[2:], last]


def test_a_list_that_takes_too_long_goes_on_by_its_cursor(paged):
    mine, ids = paged

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "MAX_EXAMINED", 2)
        refused(mine.call("GET", "/Users?filter=title%20pr"), 400, "tooMany")
        pages = followed(mine, "filter=title%20eq%20%22t5%22")

    assert pages == [[], [], [ids[4]]]


def test_a_list_that_cannot_be_counted_in_time_is_refused_and_says_what_can(paged):
    mine, ids = paged

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platforma.edge.scim.PATIENCE", 0.0)
        told = refused(mine.call("GET", "/Users?startIndex=3"), 400, "tooMany")
        assert followed(mine, "count=2") == [ids[:2], ids[2:4], ids[4:]]

    assert "cursor" in told["detail"]


@pytest.mark.parametrize("bend", ["made up", "bent", "another query's", "another type's", "another directory's", "long"])
def test_a_cursor_that_is_none_of_the_query_is_refused(paged, okta, bend):
    mine, _ = paged
    cursor = mine.call("GET", "/Users?cursor&count=2", expect=200).json["nextCursor"]
    other = ("B" if cursor[0] == "A" else "A") + cursor[1:]
    who, path = {
        "made up": (mine, "/Users?cursor=AAAA"),
        "bent": (mine, f"/Users?cursor={other}"),
        "another query's": (mine, f"/Users?cursor={cursor}&filter=title%20pr"),
        "another type's": (mine, f"/Groups?cursor={cursor}"),
        "another directory's": (okta, f"/Users?cursor={cursor}"),
        "long": (mine, "/Users?cursor=" + "A" * 5000),
    }[bend]

    refused(who.call("GET", path), 400, "invalidCursor")
