"""Whom a directory may not reach, and what it may not give."""

from urllib.parse import quote

import pytest

from platforma.sso.scim.patch import PATCH_OP
from tests.directories import METADATA, Directory, connect, refused


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
