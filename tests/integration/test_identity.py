"""Users through the URL: made, mailed, suspended, gone; who administers, whatever happens at once; and a tenant's end."""

import json
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Barrier
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from tests.integration.conftest import Running
from tests.visiting import Person, somebody
from tests.world import PASSWORD

ANY = {"If-Match": "*"}
NEW = "seven grey herons at sea"


@dataclass
class House:
    """A tenant of its own, as its administrating client sees it."""

    running: Running
    id: str
    admin_id: str
    email: str
    token: str

    def call(self, method: str, path: str, *, expect: int | None = None, **more: Any) -> httpx.Response:
        reply = self.running.call(method, path, token=more.pop("token", self.token), **more)
        assert expect is None or reply.status_code == expect, reply.text
        return reply

    def user(self, **more: Any) -> dict[str, Any]:
        body = {"email": f"u-{secrets.token_hex(4)}@house.test", "name": "U", "password": PASSWORD, **more}
        return dict(self.call("POST", "/v1/users", json=body, expect=201).json())


@pytest.fixture
def house(running: Running) -> House:
    platform, email = running.token(running.stack["platform_client"]), f"a-{secrets.token_hex(4)}@house.test"
    body = {"name": "house", "admin": {"email": email, "name": "A", "password": PASSWORD}}
    made = running.call("POST", "/v1/tenants", token=platform, json=body)
    assert made.status_code == 201, made.text
    asked = {"tenant_id": made.json()["id"], "first_client": {"name": "service", "roles": ["admin"]}}
    answer = running.aws("lambda").invoke(FunctionName="platforma-platform_setup", Payload=json.dumps(asked).encode())
    token = running.token(json.loads(answer["Payload"].read()))
    return House(running, made.json()["id"], made.json()["admin"]["user_id"], email, token)


def link_in(text: str) -> str:
    return re.findall(r"https://\S+token=[\w-]{43}", text)[0]


def within_five_seconds(ended: Callable[[], bool]) -> bool:
    until = monotonic() + 5
    while not (over := ended()) and monotonic() < until:
        sleep(0.1)
    return over


def test_a_user_is_made_found_changed_and_gone(house: House):
    user = house.user(roles=["viewer"])
    where = f"/v1/users/{user['id']}"

    assert (
        house.call("POST", "/v1/users", json={"email": user["email"].upper(), "name": "U"}).json()["code"] == "email_taken"
    )
    for query, found in ((f"email={user['email']}", True), ("role=viewer", True), ("status=suspended", False)):
        ids = [each["id"] for each in house.call("GET", f"/v1/users?{query}", expect=200).json()["items"]]
        assert (user["id"] in ids) == found
    first = house.call("GET", "/v1/users?limit=1", expect=200).json()
    second = house.call("GET", f"/v1/users?limit=1&cursor={first['next_cursor']}", expect=200).json()
    assert {first["items"][0]["id"], second["items"][0]["id"]} == {user["id"], house.admin_id}

    seen = house.call("GET", where, expect=200).headers["etag"]
    assert house.call("PATCH", where, json={"name": "Una"}).status_code == 428
    assert house.call("PATCH", where, json={"name": "Una"}, headers={"If-Match": seen}, expect=200).json()["name"] == "Una"
    assert house.call("PATCH", where, json={"name": "Uno"}, headers={"If-Match": seen}).status_code == 412
    assert house.call("PUT", f"{where}/roles", json={"roles": []}, headers=ANY, expect=200).json()["roles"] == []
    house.call("DELETE", where, headers=ANY, expect=204)
    assert house.call("GET", where).status_code == 404


def test_who_is_invited_sets_a_password_and_is_in(running: Running, token: str):
    email = f"eve-{secrets.token_hex(4)}@demo.test"
    made = running.call("POST", "/v1/users", token=token, json={"email": email, "name": "Eve"}).json()
    assert made["status"] == "invited"
    link = link_in(running.mails(email)[0])

    with Person(running, email, NEW) as eve:
        assert "Your password is set." in eve.visit(link).text
        assert eve.visit(link).status_code == 404
        reply = eve.visit(f"/login?tenant={running.stack['tenant']['id']}")
        assert reply.url.path == "/factors" and email in reply.text

    assert running.call("GET", f"/v1/users/{made['id']}", token=token).json()["status"] == "active"


def test_who_forgot_the_password_asks_by_address_and_every_session_ends(running: Running, token: str):
    tenant = running.stack["tenant"]["id"]
    with somebody(running, token) as ada, Person(running, ada.email, NEW) as again:
        ada.visit(f"/login?tenant={tenant}")
        assert ada.http.get("/factors").status_code == 200
        asking = again.http.get(f"/forgot-password?tenant={tenant}")
        form_token = re.findall(r'name="token" value="(\w+)"', asking.text)[0]

        def ask(email: str) -> str:
            form = {"token": form_token, "tenant": tenant, "email": email}
            return again.http.post("/forgot-password", data=form).text

        assert ask(ada.email) == ask(f"nobody-{secrets.token_hex(4)}@demo.test")
        assert "Your password is set." in again.visit(link_in(running.mails(ada.email)[0])).text

        assert ada.http.get("/factors").status_code == 303
        assert ada.visit(f"/login?tenant={tenant}").status_code == 403, "by the old password"
        assert again.visit(f"/login?tenant={tenant}").url.path == "/factors"


def test_a_role_that_was_just_made_can_be_given_at_once(house: House):
    house.user(roles=["viewer"])  # an instance that knows the tenant's roles as they were
    house.call("POST", "/v1/roles", json={"name": "crew", "actions": ["infrastructure.clusters.*"]}, expect=201)

    assert house.user(roles=["crew"])["roles"] == ["crew"]


def test_why_a_user_has_a_role_is_told(house: House):
    user = house.user(roles=["viewer"])
    group = house.call("POST", "/v1/groups", json={"name": "crew", "roles": ["operator"]}, expect=201).json()
    house.call("PUT", f"/v1/groups/{group['id']}/members/{user['id']}", expect=204)

    told = house.call("GET", f"/v1/users/{user['id']}/roles?explain=true", expect=200).json()

    assert told["roles"] == ["operator", "viewer"]
    assert {(each["role"], each["source"], each["group_id"]) for each in told["sources"]} == {
        ("viewer", "direct", None),
        ("operator", "group", group["id"]),
    }


def test_two_administrators_who_take_each_other_away_at_once_leave_one(house: House):
    other = house.user(roles=["admin"])
    start = Barrier(2)

    def demote(user_id: str) -> int:
        start.wait()
        path, body = f"/v1/users/{user_id}/roles", {"roles": ["viewer"]}
        return house.call("PUT", path, json=body, headers=ANY).status_code

    with ThreadPoolExecutor(2) as both:
        answers = sorted(both.map(demote, (house.admin_id, other["id"])))

    assert answers == [200, 409]
    held = [house.call("GET", f"/v1/users/{each}", expect=200).json()["roles"] for each in (house.admin_id, other["id"])]
    assert sorted(held) == [["admin"], ["viewer"]]


@pytest.mark.parametrize("way", ["roles", "suspend", "delete", "policy"])
def test_the_last_administrator_is_not_lost_in_any_way(house: House, way: str):
    where = f"/v1/users/{house.admin_id}"
    deny = {"effect": "deny", "actions": ["settings:manage"], "resources": ["*"]}
    attached = [{"type": "user", "id": house.admin_id}]
    ways: dict[str, Callable[[], httpx.Response]] = {
        "roles": lambda: house.call("PUT", f"{where}/roles", json={"roles": []}, headers=ANY),
        "suspend": lambda: house.call("PATCH", where, json={"status": "suspended"}, headers=ANY),
        "delete": lambda: house.call("DELETE", where, headers=ANY),
        "policy": lambda: house.call("POST", "/v1/policies", json={"name": "no", "document": deny, "attachments": attached}),
    }

    refused = ways[way]()

    assert (refused.status_code, refused.json()["code"]) == (409, "would_lock_out")


def test_with_a_user_end_key_session_and_token_within_five_seconds(running: Running, token: str):
    tenant = running.stack["tenant"]["id"]
    with somebody(running, token) as ada:
        ada.visit(f"/login?tenant={tenant}")
        body = {
            "name": "k",
            "environment": "live",
            "scopes": ["infrastructure:read"],
            "owner": {"type": "user", "id": ada.id},
        }
        key = running.call("POST", "/v1/api-keys", token=token, json=body).json()["key"]
        assert running.call("GET", "/v1/me", token=key).json()["principal"]["id"]

        suspended = running.call("PATCH", f"/v1/users/{ada.id}", token=token, json={"status": "suspended"}, headers=ANY)
        assert suspended.status_code == 200, suspended.text

        assert within_five_seconds(lambda: running.call("GET", "/v1/me", token=key).status_code == 401)
        assert ada.http.get("/factors").status_code == 303
        assert running.call("POST", "/v1/api-keys/verify", token=token, json={"key": key}).json()["code"] != "valid"
        running.call("PATCH", f"/v1/users/{ada.id}", token=token, json={"status": "active"}, headers=ANY)
        assert within_five_seconds(lambda: running.call("GET", "/v1/me", token=key).status_code == 200)


def test_a_tenant_that_is_suspended_or_deleted_is_out_of_use_and_its_days_end_by_the_schedule(
    running: Running, house: House
):
    platform, where = running.token(running.stack["platform_client"]), f"/v1/tenants/{house.id}"

    def alive() -> bool:
        return house.call("GET", "/v1/me").status_code == 200

    running.call("PATCH", where, token=platform, json={"status": "suspended"}, headers=ANY)
    assert within_five_seconds(lambda: not alive())
    running.call("PATCH", where, token=platform, json={"status": "active"}, headers=ANY)
    assert within_five_seconds(alive)
    deleted = running.call("DELETE", where, token=platform, headers=ANY)
    assert (deleted.status_code, deleted.json()["status"]) == (202, "pending_deletion")
    assert within_five_seconds(lambda: not alive())
    assert running.call("POST", f"{where}/restore", token=platform, headers=ANY).status_code == 200
    assert within_five_seconds(alive)

    running.call("DELETE", where, token=platform, headers=ANY)
    running.aws("dynamodb").update_item(  # seven days go by
        TableName=running.output["IdentityTable"],
        Key={"pk": {"S": "ten_01j0000000e008000000000000"}, "sk": {"S": f"TENANT#{house.id}"}},
        UpdateExpression="SET purge_after = :then",
        ExpressionAttributeValues={":then": {"S": _rfc3339(datetime.now(UTC) - timedelta(minutes=1))}},
    )
    run = running.aws("lambda").invoke(
        FunctionName="platforma-identity_tenants", Payload=b'{"source": "schedule", "job": "purge"}'
    )
    assert json.loads(run["Payload"].read())["ended"] >= 1

    assert running.call("GET", where, token=platform).json()["status"] == "deleted"
    assert running.call("POST", f"{where}/restore", token=platform, headers=ANY).status_code == 409
    stated = running.call("GET", f"{where}/shredding", token=platform)
    assert stated.status_code == 200, stated.text


def test_factors_are_listed_and_reset(running: Running, token: str):
    with somebody(running, token) as ada:
        listed = running.call("GET", f"/v1/users/{ada.id}/factors", token=token)
        assert (listed.status_code, listed.json()["items"]) == (200, [])
        assert running.call("DELETE", f"/v1/users/{ada.id}/factors", token=token, headers=ANY).status_code == 204


def _rfc3339(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
