"""Whatever a directory with a genuine token sends: never a 500, always an answer of SCIM's that the document describes."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platforma.edge.scim_bulk import BULK_REQUEST
from platforma.sso.scim.patch import PATCH_OP
from platforma.sso.scim.query import SEARCH_REQUEST
from platforma.sso.scim.schema import ENTERPRISE
from tests.directories import Directory, connect
from tests.world import Tenant, World, as_documented, running

NAMES = [
    *("userName", "emails", "name", "active", "externalId", "members", "displayName", "id", "meta", "groups", "schemas"),
    *("emails[type eq", 'emails[type eq "work"].value', "name.givenName", ENTERPRISE, f"{ENTERPRISE}:manager", "password"),
]
SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "type", *NAMES]), inner),
    max_leaves=6,
)
DOCUMENT = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=10), VALUE, max_size=6)
OPERATION = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "Replace", "remove", "x"])},
    optional={"path": st.sampled_from(NAMES) | VALUE, "value": VALUE | DOCUMENT},
)
BULK = st.fixed_dictionaries(
    {"method": st.sampled_from(["POST", "PUT", "PATCH", "DELETE", "GET"])},
    optional={
        "path": st.sampled_from(["/Users", "/Groups", "/Users/bulkId:a", "/Users/x", "/x"]) | VALUE,
        "bulkId": st.sampled_from(["a", "b"]) | VALUE,
        "data": DOCUMENT | VALUE,
        "version": VALUE,
    },
)
QUERY = st.dictionaries(
    st.sampled_from(["filter", "sortBy", "sortOrder", "startIndex", "count", "attributes", "excludedAttributes", "x"]),
    st.sampled_from(['userName eq "a"', "emails[", *NAMES, "-1", "0", "descending"]) | st.text(max_size=30),
    max_size=4,
)
FEW = settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def directory(world: World) -> Directory:
    tenant: Tenant = world.tenant()
    return connect(world, tenant)


@pytest.fixture(scope="module")
def things(directory: Directory) -> dict[str, str]:
    user = directory.user("fuzzed")["id"]
    body = {"displayName": "fuzzed", "members": [{"value": user}]}
    return {"Users": user, "Groups": directory.call("POST", "/Groups", body, expect=201).json["id"]}


def answered(directory: Directory, method: str, path: str, body: Any = None) -> None:
    resource = path.partition("?")[0]
    for kind in ("Users", "Groups"):
        if resource.startswith(f"/{kind}/") and not resource.endswith("/.search"):
            resource = f"/{kind}/{{id}}"
    headers = {"Content-Type": "application/scim+json"}
    raw = None if body is None else json.dumps(body).encode()
    reply = directory.world.call(method, f"/scim/v2{path}", token=directory.token, raw=raw, headers=headers)
    assert reply.status < 500, f"{method} {path} {body}: {reply.text}"
    as_documented(method, f"/scim/v2{resource}", reply)


@pytest.mark.parametrize("kind", ["Users", "Groups"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_document_of_any_shape(directory, things, kind, method):
    @FEW
    @given(document=DOCUMENT)
    def send(document: Any) -> None:
        answered(directory, method, f"/{kind}" if method == "POST" else f"/{kind}/{things[kind]}", document)

    send()


@pytest.mark.parametrize("kind", ["Users", "Groups"])
def test_operations_of_any_shape(directory, things, kind):
    @FEW
    @given(operations=st.lists(OPERATION, max_size=3) | VALUE)
    def send(operations: Any) -> None:
        answered(directory, "PATCH", f"/{kind}/{things[kind]}", {"schemas": [PATCH_OP], "Operations": operations})

    send()


def test_bulk_operations_of_any_shape(directory):
    @FEW
    @given(operations=st.lists(BULK, max_size=4) | VALUE, failures=VALUE)
    def send(operations: Any, failures: Any) -> None:
        body = {"schemas": [BULK_REQUEST], "Operations": operations, "failOnErrors": failures}
        answered(directory, "POST", "/Bulk", body)

    send()


@pytest.mark.parametrize("kind", ["Users", "Groups"])
def test_queries_of_any_shape(directory, things, kind):
    @FEW
    @given(query=QUERY, search=st.dictionaries(st.sampled_from(["filter", "count", "attributes", "sortBy"]), VALUE))
    def send(query: dict[str, str], search: dict[str, Any]) -> None:
        answered(directory, "GET", f"/{kind}?{urlencode(query, quote_via=quote)}")
        answered(directory, "GET", f"/{kind}/{things[kind]}?{urlencode(query, quote_via=quote)}")
        answered(directory, "POST", f"/{kind}/.search", {"schemas": [SEARCH_REQUEST], **search})

    send()
