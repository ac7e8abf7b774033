"""Directories on the deployed system: the conformance checker, many users and a group of them, how soon an end bites."""

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from platforma.sso.scim.query import SEARCH_REQUEST
from tests.fakes.identity_provider import FakeIdentityProvider
from tests.integration.test_sign_in import REDIRECT_URI, refreshing, token_of, tokens
from tests.integration.test_single_sign_on import signed_in
from tests.saml_peer import saml_peer
from tests.scim_checker import checked
from tests.scim_dialects import as_entra_id, as_okta, patch
from tests.visiting import Person

METADATA = FakeIdentityProvider().metadata()
DOMAIN = "scim-tests.test"
APP = {
    "name": "app",
    "type": "confidential",
    "grant_types": ["authorization_code", "refresh_token"],
    "redirect_uris": [REDIRECT_URI],
    "scopes": ["openid", "profile", "email", "offline_access", "infrastructure:read"],
    "first_party": True,
}
USERS = 100
"""How many are made here one by one, as directories do."""


@dataclass
class Directory:
    """A directory as it calls."""

    client: httpx.Client

    def call(self, method: str, path: str, body: Any = None, expect: int | None = None) -> httpx.Response:
        answer = self.client.request(method, f"/scim/v2{path}", json=body, headers={"Content-Type": "application/scim+json"})
        assert expect is None or answer.status_code == expect, answer.text
        return answer


def settles(holds: Callable[[], bool], within: float = 60) -> None:
    """See that it holds, now or soon."""
    until = time.monotonic() + within
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.2)


@pytest.fixture(scope="module")
def directory(running, token):
    platform = running.token(running.stack["platform_client"])
    tenant = running.stack["tenant"]["id"]
    vouched = {"domain": DOMAIN, "tenant_id": tenant, "vouched": True}
    assert running.call("POST", "/v1/domains", token=platform, json=vouched).status_code == 201
    body = {"name": "Directory", "type": "saml", "domains": [DOMAIN], "saml": {"metadata_xml": METADATA}}
    body["group_mappings"] = [{"group": "Everybody", "role": "operator"}]
    connection = running.call("POST", "/v1/sso-connections", token=token, json=body).json()["id"]
    made = running.call("POST", f"/v1/sso-connections/{connection}/scim-tokens", token=token)
    assert made.status_code == 201, made.text
    headers = {"Authorization": f"Bearer {made.json()['token']}"}
    client = httpx.Client(base_url=running.stack["url"], verify=running.trusted(), headers=headers, timeout=40)
    with client:
        yield Directory(client)
    running.call("DELETE", f"/v1/sso-connections/{connection}", token=token, headers={"If-Match": "*"})


@pytest.mark.filterwarnings("default")
def test_the_conformance_checker_finds_no_fault(running, directory):
    base, headers = f"{running.stack['url']}/scim/v2", dict(directory.client.headers)
    with httpx.Client(base_url=base, headers=headers, verify=running.trusted(), timeout=40) as http:
        well, faults = checked(http)

    assert faults == {}
    assert well >= 118


def test_who_is_deactivated_loses_keys_within_5_seconds(running, token, directory):
    user = directory.call("POST", "/Users", {"userName": f"leaver-{uuid.uuid4()}"}, expect=201).json()
    key = {
        "name": "k",
        "environment": "live",
        "scopes": ["infrastructure:read"],
        "owner": {"type": "user", "id": user["id"]},
    }
    key = running.call("POST", "/v1/api-keys", token=token, json=key).json()["key"]
    assert running.call("GET", "/v1/me", token=key).status_code == 200

    operation = {"op": "Replace", "path": "active", "value": "False"}
    directory.call("PATCH", f"/Users/{user['id']}", patch(operation), expect=200)

    settles(lambda: running.call("GET", "/v1/me", token=key).status_code == 401, within=5)


@pytest.mark.parametrize("dialect", [as_entra_id, as_okta])
def test_a_directory_provisions_in_its_own_way(directory, dialect):
    def call(method: str, path: str, body: Any, expect: int) -> Any:
        reply = directory.call(method, path, body, expect=expect)
        return reply.json() if reply.content else None

    dialect(call, DOMAIN)


def test_a_directory_governs_those_alone_whom_it_made(running, token, directory):
    admin = running.stack["admin"]["user_id"]
    by_hand = running.call("POST", "/v1/groups", token=token, json={"name": f"hand-{uuid.uuid4()}"}).json()["id"]

    for path in (f"/Users/{admin}", f"/Groups/{by_hand}"):
        directory.call("GET", path, expect=404)
        directory.call("PATCH", path, patch({"op": "replace", "value": {"displayName": "x", "active": False}}), expect=404)
        directory.call("DELETE", path, expect=404)
    everybody = directory.call("POST", "/Users/.search", {"schemas": [SEARCH_REQUEST], "count": 200}, expect=200).json()
    assert admin not in {each["id"] for each in everybody["Resources"]}
    directory.call("POST", "/Groups", {"displayName": "Takers", "members": [{"value": admin}]}, expect=400)
    directory.call("POST", "/Users", {"userName": running.stack["admin"]["email"]}, expect=400)
    assert running.call("GET", f"/v1/users/{admin}", token=token).json()["status"] == "active"


def test_what_a_directory_changes_says_who_keeps_it_and_is_audited(running, token, directory):
    user = directory.call("POST", "/Users", {"userName": f"told-{uuid.uuid4()}"}, expect=201).json()["id"]
    group = directory.call("POST", "/Groups", {"displayName": "Everybody", "members": [{"value": user}]}, expect=201).json()
    directory.call("PATCH", f"/Users/{user}", patch({"op": "replace", "path": "displayName", "value": "Told"}), expect=200)

    sources = running.call("GET", f"/v1/users/{user}/roles?explain=true", token=token).json()["sources"]
    assert [(each["role"], each["group_id"], each["managed_by"]) for each in sources] == [("operator", group["id"], "scim")]
    assert running.call("GET", f"/v1/users/{user}", token=token).json()["managed_by"] == "scim"
    changed, made = (
        running.call("GET", "/v1/audit/events", token=token, params={"resource": user, "action": action}).json()["items"][0]
        for action in ("scim.users.update", "scim.users.create")
    )
    assert changed["changes"]["before"]["profile"] == {"displayName": None}
    assert changed["changes"]["after"]["profile"] == {"displayName": "Told"}
    assert (made["changes"]["before"], made["changes"]["after"]["managed_by"]) == (None, "scim")
    assert (made["principal_type"], made["result"]) == ("directory", "success")

    directory.call("PATCH", f"/Groups/{group['id']}", patch({"op": "remove", "path": "members", "value": [{"value": user}]}))
    assert running.call("GET", f"/v1/users/{user}/roles", token=token).json()["roles"] == []
    left = running.call("GET", "/v1/audit/events", token=token, params={"resource": group["id"]}).json()["items"][0]
    assert left["changes"] == {"before": {"members": [user]}, "after": {"members": []}}
    directory.call("DELETE", f"/Groups/{group['id']}", expect=204)


def test_with_a_person_of_saml_ends_all_they_hold_and_who_was_removed_is_not_made_again(running, token):
    """Signed in by the directory's provider, deactivated, removed, and signing in again: session, tokens and a key."""
    client = running.call("POST", "/v1/oauth-clients", token=token, json=APP).json()
    with saml_peer(running, token, "assertion") as peer, Person(running, peer.email) as person:
        made = running.call("POST", f"/v1/sso-connections/{peer.connection_id}/scim-tokens", token=token).json()["token"]
        headers = {"Authorization": f"Bearer {made}"}
        with httpx.Client(base_url=running.stack["url"], verify=running.trusted(), headers=headers, timeout=40) as http:
            mine = Directory(http)
            user = mine.call("POST", "/Users", {"userName": peer.email}, expect=201).json()["id"]
            assert signed_in(person, peer).status_code == 303
            cookie = f"__Host-platforma={person.http.cookies['__Host-platforma']}"
            given = tokens(running, client, cookie)
            body = {"name": "k", "environment": "live", "scopes": ["infrastructure:read"]}
            body["owner"] = {"type": "user", "id": user}
            key = running.call("POST", "/v1/api-keys", token=token, json=body)
            assert key.status_code == 201, key.text
            held = (given["access_token"], key.json()["key"])
            assert running.call("GET", "/oauth2/userinfo", token=held[0]).json()["sub"] == user
            assert [running.call("GET", "/v1/me", token=each).status_code for each in held] == [200, 200]
            assert person.http.get("/factors").status_code == 200

            mine.call("PATCH", f"/Users/{user}", patch({"op": "Replace", "path": "active", "value": "False"}), expect=200)

            assert token_of(running, client, refreshing(given)).json()["error"] == "invalid_grant"
            for each in held:
                settles(lambda each=each: running.call("GET", "/v1/me", token=each).status_code == 401)
            settles(lambda: "/login" in person.http.get("/factors").headers.get("location", ""))
            refused(signed_in(person, peer))

            mine.call("DELETE", f"/Users/{user}", expect=204)
            refused(signed_in(person, peer))
            assert running.call("GET", "/v1/users", token=token, params={"email": peer.email}).json()["items"] == []

            again = mine.call("POST", "/Users", {"userName": peer.email}, expect=201).json()["id"]
            assert signed_in(person, peer).status_code == 303
            mine.call("DELETE", f"/Users/{again}", expect=204)


def refused(reply: httpx.Response) -> None:
    """A sign-in that gave nothing."""
    assert 400 <= reply.status_code < 500, reply.text
    assert "set-cookie" not in reply.headers


def test_users_and_a_group_of_them_are_made_listed_and_deleted(running, token, directory):
    def create(number: int) -> str:
        return directory.call("POST", "/Users", {"userName": f"many-{number}"}, expect=201).json()["id"]

    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(create, range(USERS)))
    body = {"displayName": "Everybody", "members": [{"value": each} for each in ids]}
    group = directory.call("POST", "/Groups", body, expect=201).json()["id"]

    assert len(directory.call("GET", f"/Groups/{group}", expect=200).json()["members"]) == USERS
    told = running.call("GET", f"/v1/users/{ids[-1]}/roles", token=token).json()
    assert told["roles"] == ["operator"]
    total = directory.call("GET", "/Users?count=0", expect=200).json()["totalResults"]
    assert total >= USERS
    last = directory.call("GET", f"/Users?startIndex={total}&count=1", expect=200).json()["Resources"]
    assert len(last) == 1
    found = directory.call("GET", '/Users?filter=userName sw "many-" and active eq true&count=1', expect=200).json()
    assert found["totalResults"] == USERS

    directory.call("DELETE", f"/Groups/{group}", expect=204)
    assert running.call("GET", f"/v1/users/{ids[-1]}/roles", token=token).json()["roles"] == []
