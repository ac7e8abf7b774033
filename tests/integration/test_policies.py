"""Policies, decisions and AuthZEN through the URL: the gateway's routes, each function's role, what Vault lets it do."""

import secrets
from typing import Any

import httpx
import pytest

from tests.integration.conftest import Running

FREEZE = {"effect": "deny", "actions": ["infrastructure:manage"], "resources": ["*"]}
ANY = {"If-Match": "*"}


@pytest.fixture
def user(running: Running, token: str) -> str:
    """An operator."""
    body = {"email": f"{secrets.token_hex(8)}@demo.test", "name": "Operator", "roles": ["operator"]}
    return str(asked(running, token, "POST", "/v1/users", body, expect=201).json()["id"])


def asked(
    running: Running, token: str, method: str, path: str, body: Any = None, *, expect: int = 200, **headers: str
) -> httpx.Response:
    reply = running.call(method, path, token=token, json=body, headers=headers)
    assert reply.status_code == expect, reply.text
    return reply


def test_a_policy_is_simulated_written_rolled_back_and_listed(running: Running, token: str, user: str):
    attachment = {"type": "user", "id": user}
    change = {"op": "put", "document": FREEZE, "attachments": [attachment]}
    about = {"principal": attachment, "action": "infrastructure.clusters.update", "resource": "cluster:c"}

    tried = asked(running, token, "POST", "/v1/policies/simulate", {"changes": [change], "requests": [about]}).json()
    (one,) = tried["decisions"]
    assert (one["before"]["decision"], one["after"]["decision"]) == ("allow", "deny")
    replayed = asked(running, token, "POST", "/v1/policies/simulate", {"changes": [change], "limit": 5}).json()
    assert replayed["decided"] == 5

    body = {"name": "freeze", "document": FREEZE, "attachments": [attachment]}
    policy = asked(running, token, "POST", "/v1/policies", body, expect=201).json()["id"]
    asked(running, token, "PUT", f"/v1/policies/{policy}", {**body, "name": "f"}, **ANY)
    back = asked(running, token, "POST", f"/v1/policies/{policy}/rollback", {"version": 1}, **ANY).json()
    assert (back["name"], back["version"]) == ("freeze", 3)
    listed = asked(running, token, "GET", f"/v1/policies?attachment_type=user&attachment_id={user}").json()["items"]
    assert [each["id"] for each in listed] == [policy]


def test_a_protected_api_is_changed(running: Running, token: str):
    route = {"method": "GET", "path": "/things", "action": "infrastructure.things.list"}
    body = {"name": "a", "audience": f"https://{secrets.token_hex(8)}.test", "environment": "live", "routes": [route]}
    path = f"/v1/protected-apis/{asked(running, token, 'POST', '/v1/protected-apis', body, expect=201).json()['id']}"

    assert asked(running, token, "PATCH", path, {"name": "b"}, **ANY).json()["name"] == "b"
    asked(running, token, "DELETE", path, expect=204, **ANY)


def test_authzen_answers_and_echoes_the_request_id(running: Running, token: str, user: str):
    told = asked(running, token, "GET", "/.well-known/authzen-configuration").json()
    assert told["policy_decision_point"] == running.stack["url"]
    question = {
        "subject": {"type": "user", "id": user},
        "action": {"name": "infrastructure:manage"},
        "resource": {"type": "cluster", "id": "c"},
        "future": True,
    }
    path = told["access_evaluation_endpoint"].removeprefix(running.stack["url"])

    reply = asked(running, token, "POST", path, question, **{"X-Request-ID": "mine-1"})
    assert (reply.json()["decision"], reply.headers["x-request-id"]) == (True, "mine-1")
    path = told["access_evaluations_endpoint"].removeprefix(running.stack["url"])
    both = {**question, "evaluations": [{}, {"action": {"name": "billing:manage"}}]}
    assert [one["decision"] for one in asked(running, token, "POST", path, both).json()["evaluations"]] == [True, False]
    refused = asked(running, token, "POST", path, {"evaluations": {}}, expect=400, **{"X-Request-ID": "mine-2"})
    assert (refused.json()["error"]["status"], refused.headers["x-request-id"]) == (400, "mine-2")


def test_authzen_searches_page_by_page(running: Running, token: str, user: str):
    """Subjects of each type, resources and actions; a user named by its address."""
    kind = f"box_{secrets.token_hex(8)}"
    for name in ("a", "b", "c"):
        asked(running, token, "PUT", f"/v1/resources/{kind}/{name}", {"attributes": {"size": name}})
    email = asked(running, token, "GET", f"/v1/users/{user}").json()["email"]
    subject, action = {"type": "user", "id": email}, {"name": "infrastructure.boxes.open"}

    def search(what: str, body: dict[str, Any]) -> tuple[list[dict[str, str]], str]:
        told = asked(running, token, "POST", f"/access/v1/search/{what}", body).json()
        return told["results"], told["page"]["next_token"]

    boxes = {"subject": subject, "action": action, "resource": {"type": kind}}
    first, onward = search("resource", {**boxes, "page": {"limit": 2}})
    assert [each["id"] for each in first] == ["a", "b"]
    assert search("resource", {**boxes, "page": {"token": onward}}) == ([{"type": kind, "id": "c"}], "")

    a_box = {"type": kind, "id": "a"}
    for found in ("user", "oauth_client", "api_key"):
        page: dict[str, Any] = {}
        ids: list[str] = []
        while page.get("token") != "":
            some, onward = search("subject", {"subject": {"type": found}, "action": action, "resource": a_box, "page": page})
            ids, page = [*ids, *(each["id"] for each in some)], {"token": onward}
        assert (user in ids) is (found == "user")
        assert ids or found == "api_key"
    myself = {"type": "oauth_client", "id": running.stack["service_client"]["client_id"]}
    names, onward = search("action", {"subject": myself, "resource": a_box, "page": {"limit": 1}})
    assert (len(names), bool(onward)) == (1, True)


def test_me_tells_what_the_caller_holds(running: Running, token: str):
    told = asked(running, token, "GET", "/v1/me").json()

    assert "settings:manage" in told["permissions"]
    assert told["limited"] == []
