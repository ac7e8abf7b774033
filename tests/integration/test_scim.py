"""Directories on the deployed system: the conformance checker, many users and a group of them, how soon an end bites."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.fakes.identity_provider import FakeIdentityProvider
from tests.scim_checker import checked

METADATA = FakeIdentityProvider().metadata()
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
DOMAIN = "scim-tests.test"
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
    directory.call("PATCH", f"/Users/{user['id']}", {"schemas": [PATCH_OP], "Operations": [operation]}, expect=200)
    until = time.monotonic() + 5
    while (answer := running.call("GET", "/v1/me", token=key).status_code) != 401 and time.monotonic() < until:
        time.sleep(0.2)

    assert answer == 401


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
