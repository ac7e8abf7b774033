"""`/openapi.json` is true: what it lists answers as it says, and nothing else answers."""

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.integration.conftest import Running


@pytest.fixture(scope="module")
def document(running: Running) -> dict[str, Any]:
    return dict(running.call("GET", "/openapi.json").json())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method.upper(), path, each) for path, methods in document["paths"].items() for method, each in methods.items()]


def fits(document: dict[str, Any], operation: dict[str, Any], reply: Any) -> None:
    """The reply has a documented status, and a body of one of that status's types, by its schema."""
    status = str(reply.status_code)
    assert status in operation["responses"], f"{status} is not documented: {reply.text}"
    if contents := operation["responses"][status].get("content"):
        media_type = reply.headers["content-type"]
        assert media_type in contents
        if "json" in media_type:  # pages and bytes have no schema
            schema = {**contents[media_type]["schema"], "components": document["components"]}
            Draft202012Validator(schema).validate(reply.json())


def test_every_operation_answers_an_administrator_as_documented(running: Running, token: str, document: dict[str, Any]):
    asked = 0
    for method, path, operation in operations(document):
        where = path.replace("{id}", "usr_01m86h9kkteqdtv79ft12yh2bc").replace("{secret_id}", "none")
        headers = {"If-Match": "*"} if any(each["name"] == "If-Match" for each in operation["parameters"]) else {}
        body = {"json": {}} if "application/json" in operation.get("requestBody", {}).get("content", {}) else {}
        form = {"data": {"grant_type": "client_credentials"}} if path == "/oauth2/token" else {}

        fits(document, operation, running.call(method, where, token=token, headers=headers, **body, **form))
        asked += 1
    assert asked == len(operations(document)) > 40


def test_every_protected_operation_refuses_a_stranger(running: Running, document: dict[str, Any]):
    for method, path, operation in operations(document):
        if operation["security"] and "access_token" in operation["security"][0]:
            reply = running.call(method, path.replace("{id}", "x").replace("{secret_id}", "y"))
            assert reply.status_code == 401, f"{method} {path}: {reply.status_code}"
            assert "www-authenticate" in reply.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1"),
        ("GET", "/v1/nothing"),
        ("GET", "/_ministack/health"),
    ],
)
def test_what_is_not_documented_is_refused(running: Running, token: str, method: str, path: str):
    assert running.call(method, path, token=token).status_code in {403, 404}


def test_a_method_that_a_path_does_not_take_is_a_405_that_tells_those_that_it_takes(
    running: Running, document: dict[str, Any]
):
    """One such method of each path; none needs a credential, and none is taken for another's."""
    forms = {"/v1/": "application/problem+json", "/scim/": "application/scim+json", "/access/": "application/json"}
    for number, (path, operations) in enumerate(document["paths"].items()):
        taken = {method.upper() for method in operations}
        others = [method for method in ("DELETE", "PATCH", "PUT", "OPTIONS", "POST", "GET") if method not in taken]
        if path != "/scim/v2/{path}":  # where there is nothing
            reply = running.call(others[number % len(others)], re.sub(r"{\w+}", "x", path))
            assert reply.status_code == 405, (path, reply.text)
            assert set(reply.headers["allow"].split(", ")) - {"HEAD"} == taken - {"HEAD"}, path
            for prefix, media_type in forms.items():
                assert not path.startswith(prefix) or reply.headers["content-type"] == media_type, path


def test_head_tells_of_what_is_read_as_get_would(running: Running, token: str):
    public = ("/.well-known/jwks.json", "/.well-known/openid-configuration", "/.well-known/api-key-format", "/openapi.json")
    for path in (*public, "/v1/me", "/login"):
        asked, read = (running.call(method, path, token=token) for method in ("HEAD", "GET"))
        assert (asked.status_code, asked.content) == (200, b""), path
        for name in ("content-type", "cache-control", "etag"):
            assert asked.headers.get(name) == read.headers.get(name), path
        assert asked.headers.get("content-length", "0") in ("0", read.headers.get("content-length")), path


def test_operations_lists_the_same(running: Running, document: dict[str, Any]):
    listed = {each["operation"] for each in running.call("GET", "/v1/operations").json()["items"]}

    assert listed == {each["x-platforma-operation"] for _, _, each in operations(document)}
