"""Whatever comes in, the answer is the right 4xx problem, and never a 500."""

from typing import Any

import pytest

from platforma.edge.endpoints import ENDPOINTS
from tests.world import Tenant

JSON = {"Content-Type": "application/json"}
WITH_BODY = [row for row in ENDPOINTS if row.body and row.wire == "problem"]


def refused(reply, status: int) -> None:
    assert reply.status == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code", "request_id"} <= reply.json.keys()
    assert reply.json["request_id"] == reply.request_id


def filled(path: str) -> str:
    return path.replace("{id}", "usr_01m86h9kkteqdtv79ft12yh2bc").replace("{secret_id}", "none")


def send(tenant: Tenant, row, raw: bytes, headers: dict[str, str] = JSON):
    return tenant.world.call(row.method, filled(row.path), token=tenant.token, raw=raw, headers={**headers, "If-Match": "*"})


@pytest.fixture(scope="module")
def shared():
    from tests.world import running

    with pytest.MonkeyPatch.context() as patch, running(patch) as world:
        yield world.tenant()


@pytest.mark.parametrize("row", WITH_BODY, ids=lambda row: row.operation)
@pytest.mark.parametrize(
    "raw", [b"", b"{", b'{"a":1,"a":2}', b"[NaN]", b"\xff", b'"\\ud800"', b"[" * 5000], ids=lambda raw: repr(raw[:12])
)
def test_what_is_not_json_is_malformed(shared: Tenant, row, raw: bytes):
    reply = send(shared, row, raw)

    if row.may_be_empty and not raw:
        assert reply.status != 400, reply.text
    else:
        refused(reply, 403 if (row.permission or "").startswith("platform:") else 400)


@pytest.mark.parametrize("row", WITH_BODY, ids=lambda row: row.operation)
@pytest.mark.parametrize("raw", [b"[]", b"1", b'"x"', b"null", b'{"no_such_field": 1}'], ids=repr)
def test_what_does_not_fit_the_schema_is_unprocessable(shared: Tenant, row, raw: bytes):
    reply = send(shared, row, raw)

    refused(reply, 403 if (row.permission or "").startswith("platform:") else 422)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/json; charset=latin-1", "", "json"])
def test_another_content_type_is_unsupported(shared: Tenant, kind: str):
    refused(shared.world.call("POST", "/v1/users", token=shared.token, raw=b"{}", headers={"Content-Type": kind}), 415)


def test_a_body_over_a_mebibyte_is_too_large(shared: Tenant):
    refused(shared.world.call("POST", "/v1/users", token=shared.token, raw=b" " * (1 << 20) + b"{}", headers=JSON), 413)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "limit=-1", "cursor=zz", "no_such=1", "limit=1&limit=2"]
)
def test_a_query_that_says_nothing_is_unprocessable(shared: Tenant, query: str):
    refused(shared.call("GET", f"/v1/users?{query}"), 422)


@pytest.mark.parametrize("row", [row for row in ENDPOINTS if row.if_match], ids=lambda row: row.operation)
def test_a_change_without_if_match_is_refused(shared: Tenant, row):
    body: Any = {} if row.body else None

    reply = shared.call(row.method, filled(row.path), body)

    refused(reply, 403 if (row.permission or "").startswith("platform:") else 428)


@pytest.mark.parametrize(
    "identity", ["x", "usr_", "cli_01m86h9kkteqdtv79ft12yh2bc", "usr_" + "z" * 26, "é", "a" * 300, "%00"]
)
def test_an_id_that_is_none_is_not_found(shared: Tenant, identity: str):
    refused(shared.call("GET", f"/v1/users/{identity}"), 404)


def test_an_unknown_field_is_named(shared: Tenant):
    reply = shared.call("POST", "/v1/users", {"email": "a@b.test", "name": "A", "admin": True})

    refused(reply, 422)
    assert [error["pointer"] for error in reply.json["errors"]] == ["/admin"]


@pytest.mark.parametrize(
    "form", [{}, {"grant_type": "password"}, {"grant_type": "client_credentials", "scope": "platform:manage"}]
)
def test_the_token_endpoint_speaks_rfc_6749(shared: Tenant, form: dict[str, str]):
    reply = shared.world.call("POST", "/oauth2/token", form=form or {"x": "y"}, headers=shared.world.basic(shared.client))

    assert reply.status == 400
    assert reply.json["error"] in {"invalid_request", "unsupported_grant_type", "invalid_scope"}


@pytest.mark.parametrize(
    ("path", "body", "pointers"),
    [
        ("/v1/authorize", {"action": "a:read", "resource": {"type": "cluster", "id": ""}}, ["/resource/id"]),
        ("/v1/authorize", {"action": "a:read", "resource": {"id": "x"}}, ["/resource/type"]),
        ("/v1/authorize", {"action": "a:read", "resource": {"type": "c", "x": 1}}, ["/resource/x"]),
        ("/v1/authorize", {"action": "a:read", "resource": 1}, ["/resource", "/resource"]),
        (
            "/v1/authorize/batch",
            {"requests": [{"action": "a:read", "resource": {"type": ""}}]},
            ["/requests/0/resource/type"],
        ),
        ("/v1/groups", {"name": "x", "a/b~": 1}, ["/a~1b~0"]),
    ],
)
def test_a_pointer_names_a_place_of_the_body_that_was_sent(shared: Tenant, path: str, body: dict, pointers: list[str]):
    reply = shared.call("POST", path, body)

    refused(reply, 422)
    assert [error["pointer"] for error in reply.json["errors"]] == pointers


@pytest.mark.parametrize(
    ("path", "body", "detail"),
    [
        ("/v1/groups", [], "Input should be an object"),
        ("/v1/authorize/batch", {"requests": []}, "List should have at least 1 item"),
        ("/v1/policies/analyze", {}, "Either before and after, or changes."),
    ],
)
def test_a_fault_is_told_in_words_of_the_api_and_not_of_its_library(shared: Tenant, path: str, body: Any, detail: str):
    assert shared.call("POST", path, body, expect=422).json["errors"][0]["detail"] == detail


@pytest.mark.parametrize("key", ["", "x", "x" * 5000, "pk_live_", "\u00e9"])
def test_whatever_text_is_shown_as_a_key_is_checked_and_found_malformed(shared: Tenant, key: str):
    checked = shared.call("POST", "/v1/api-keys/verify", {"key": key}, expect=200).json

    assert (checked["valid"], checked["code"], checked["key_id"]) == (False, "malformed", None)
