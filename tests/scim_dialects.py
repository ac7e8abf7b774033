"""
What Entra ID and Okta send, in the order in which their validators and first synchronisations send it.

Entra ID: its SCIM validator and "Understand the SCIM implementation" (learn.microsoft.com). Okta: its SPEC test for SCIM
2.0 and the CRUD test. *call* asks our service, holds the answer to the status and gives its document.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from platforma.sso.scim.patch import PATCH_OP
from platforma.sso.scim.query import LIST_RESPONSE

Call = Callable[[str, str, Any, int], Any]
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


def found(call: Call, path: str, text: str, more: str = "") -> list[dict[str, Any]]:
    page = call("GET", f"{path}?filter={quote(text)}{more}", None, 200)
    assert page["schemas"] == [LIST_RESPONSE]
    assert page["totalResults"] == len(page["Resources"])
    resources: list[dict[str, Any]] = page["Resources"]
    return resources


def as_entra_id(call: Call, domain: str) -> None:
    """Users and a group as Entra ID provisions them."""
    name = f"Entra.User@{domain}"
    assert found(call, "/Users", f'userName eq "{name}"') == []
    sent = {
        "schemas": [USER, ENTERPRISE],
        "externalId": "entra-1",
        "userName": name,
        "active": True,
        "addresses": [{"primary": False, "type": "work", "formatted": "1 Way"}],
        "displayName": "Entra User",
        "emails": [{"primary": True, "type": "work", "value": name}],
        "meta": {"resourceType": "User"},
        "name": {"familyName": "User", "formatted": "Entra User", "givenName": "Entra"},
        "roles": [],
        ENTERPRISE: {"department": "bob", "employeeNumber": "7"},
    }
    user = call("POST", "/Users", sent, 201)["id"]
    refused = call("POST", "/Users", sent, 409)
    assert (refused["schemas"], refused["scimType"]) == ([ERROR], "uniqueness")
    manager = call("POST", "/Users", {"schemas": [USER], "userName": f"boss@{domain}", "externalId": "entra-2"}, 201)["id"]
    assert [each["id"] for each in found(call, "/Users", f'userName eq "{name.upper()}"')] == [user]
    assert [each["id"] for each in found(call, "/Users", 'externalId eq "entra-1"')] == [user]

    reports_to = f"{ENTERPRISE}:manager"
    operations = (
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": f"entra.user2@{domain}"},
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+49 1"},
        {"op": "Replace", "path": 'addresses[type eq "work"].formatted', "value": "2 Way"},
        {"op": "Add", "path": reports_to, "value": manager},
        {"op": "Replace", "value": {"displayName": "New", "name.givenName": "N", f"{ENTERPRISE}:department": "ann"}},
        {"op": "Remove", "path": f"{ENTERPRISE}:employeeNumber"},
    )
    changed = call("PATCH", f"/Users/{user}", patch(*operations), 200)
    assert [each["value"] for each in changed["emails"]] == [f"entra.user2@{domain}"]
    assert (changed["phoneNumbers"][0]["value"], changed["addresses"][0]["formatted"]) == ("+49 1", "2 Way")
    assert changed[ENTERPRISE] == {"department": "ann", "manager": {"value": manager}}
    assert (changed["displayName"], changed["name"]["givenName"], changed["name"]["familyName"]) == ("New", "N", "User")
    where = f'id eq "{user}" and {reports_to} eq "{manager}"'
    assert [each["id"] for each in found(call, "/Users", where, "&attributes=id")] == [user]

    off = call("PATCH", f"/Users/{user}", patch({"op": "Replace", "path": "active", "value": "False"}), 200)
    assert off["active"] is False
    on = call("PATCH", f"/Users/{user}", patch({"op": "Replace", "value": {"active": "True"}}), 200)
    assert on["active"] is True

    group = call("POST", "/Groups", {"schemas": [GROUP], "externalId": "entra-g", "displayName": "Entra Group"}, 201)["id"]
    where = 'displayName eq "Entra Group"'
    assert [each["id"] for each in found(call, "/Groups", where, "&excludedAttributes=members")] == [group]
    both = [{"$ref": None, "value": each} for each in (user, manager)]
    call("PATCH", f"/Groups/{group}", patch({"op": "Add", "path": "members", "value": both}), 200)
    assert found(call, "/Groups", f'id eq "{group}" and members eq "{user}"', "&excludedAttributes=members")
    call("PATCH", f"/Groups/{group}", patch({"op": "Remove", "path": "members", "value": both[:1]}), 200)
    assert [each["value"] for each in call("GET", f"/Groups/{group}", None, 200)["members"]] == [manager]
    assert found(call, "/Groups", f'id eq "{group}" and members eq "{user}"', "&excludedAttributes=members") == []
    renamed = call("PATCH", f"/Groups/{group}", patch({"op": "Replace", "path": "displayName", "value": "Entra 2"}), 200)
    assert renamed["displayName"] == "Entra 2"
    for path in (f"/Groups/{group}", f"/Users/{user}", f"/Users/{manager}"):
        call("DELETE", path, None, 204)
        assert call("GET", path, None, 404)["schemas"] == [ERROR]


def as_okta(call: Call, domain: str) -> None:
    """Users and a group as Okta provisions them."""
    name = f"okta.user@{domain}"
    assert found(call, "/Users", f'userName eq "{name}"', "&startIndex=1&count=100") == []
    sent = {
        "schemas": [USER],
        "userName": name,
        "name": {"givenName": "Okta", "familyName": "User"},
        "emails": [{"primary": True, "value": name, "type": "work"}],
        "displayName": "Okta User",
        "locale": "en-US",
        "externalId": "00u1",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
    }
    made = call("POST", "/Users", sent, 201)
    assert {each: made[each] for each in sent if each not in ("schemas", "groups", "password")} == {
        each: sent[each] for each in sent if each not in ("schemas", "groups", "password")
    }
    assert "password" not in made
    call("POST", "/Users", sent, 409)
    first = call("GET", "/Users?count=1&startIndex=1", None, 200)
    assert (first["itemsPerPage"], first["startIndex"], len(first["Resources"])) == (1, 1, 1)
    assert call("GET", "/Users/010101001010101011001010101011", None, 404)["detail"]

    whole = {**made, "name": {"givenName": "Another", "familyName": "Name"}}
    changed = call("PUT", f"/Users/{made['id']}", whole, 200)
    assert (changed["name"]["givenName"], changed["active"]) == ("Another", True)
    off = call("PATCH", f"/Users/{made['id']}", patch({"op": "replace", "value": {"active": False}}), 200)
    assert off["active"] is False
    call("PUT", f"/Users/{made['id']}", {**whole, "active": True}, 200)

    group = call("POST", "/Groups", {"schemas": [GROUP], "displayName": "Okta Group", "members": []}, 201)["id"]
    member = {"value": made["id"], "display": name}
    put = {"schemas": [GROUP], "id": group, "displayName": "Okta Group", "members": [member]}
    assert [each["value"] for each in call("PUT", f"/Groups/{group}", put, 200)["members"]] == [made["id"]]
    operations = (
        {"op": "remove", "path": f'members[value eq "{made["id"]}"]'},
        {"op": "replace", "value": {"id": group, "displayName": "Okta 2"}},
    )
    changed = call("PATCH", f"/Groups/{group}", patch(*operations), 200)
    assert (changed.get("members", []), changed["displayName"]) == ([], "Okta 2")
    call("PATCH", f"/Groups/{group}", patch({"op": "add", "path": "members", "value": [member]}), 200)
    call("PATCH", f"/Groups/{group}", patch({"op": "replace", "path": "members", "value": []}), 200)
    assert "members" not in call("GET", f"/Groups/{group}", None, 200)
    for path in (f"/Groups/{group}", f"/Users/{made['id']}"):
        call("DELETE", path, None, 204)
