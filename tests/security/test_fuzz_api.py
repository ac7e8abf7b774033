"""
Whatever is sent to any operation, by whom it may be: never a 500, always an answer that the document describes.

Requests are made from the OpenAPI document (those that fit it and those that do not), and by hand where a body is checked by
code of ours. They reach things that exist.
"""

import json
import os
import string
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from platforma.edge.endpoints import ENDPOINTS, Endpoint
from platforma.edge.openapi import openapi
from tests.world import URL, Reply, Tenant, World, as_documented

DEPTH = int(os.environ.get("PLATFORMA_FUZZ", "1"))
"""How many times the examples of an ordinary run to try."""


def bounded(examples: int) -> settings:
    return settings(
        max_examples=examples * DEPTH,
        deadline=None,
        database=None,
        derandomize=DEPTH == 1,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SCALAR = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXT)
JSON = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=8
)
HEADER = st.text(string.printable.strip(), max_size=30)


@cache
def _document() -> Any:
    return schemathesis.openapi.from_dict(openapi(URL))


class Things:
    """Ids of what there is, by the type that the endpoint table names."""

    def __init__(self, tenant: Tenant, other: Tenant) -> None:
        self.tenant = tenant
        statement = {"effect": "allow", "actions": ["infrastructure:read"], "resources": ["*"]}
        route = {"method": "GET", "path": "/clusters", "action": "infrastructure.clusters.list"}
        made = {
            "client": ("/v1/oauth-clients", {"name": "c", "scopes": ["*"]}),
            "api_key": ("/v1/api-keys", {"name": "k", "environment": "test", "scopes": ["infrastructure:read"]}),
            "user": ("/v1/users", {"email": "eve@acme.test", "name": "Eve"}),
            "group": ("/v1/groups", {"name": "g"}),
            "role": ("/v1/roles", {"name": "keeper", "actions": ["orders:read"]}),
            "policy": ("/v1/policies", {"name": "p", "document": statement}),
            "protected_api": (
                "/v1/protected-apis",
                {"name": "a", "audience": "https://a.test", "environment": "live", "routes": [route]},
            ),
        }
        self.ids: dict[str, list[str]] = {"tenant": [tenant.id, other.id], "user": [tenant.admin_id, other.admin_id]}
        for kind, (path, body) in made.items():
            told = tenant.call("POST", path, body, expect=201).json
            self.ids.setdefault(kind, []).append(told.get("id") or told.get("client_id") or told["name"])
        self.ids["event"] = [tenant.events()[0]["id"]]
        self.ids["log"] = [tenant.id, f"{tenant.id}.2", other.id]

    def path(self, row: Endpoint, filled: dict[str, Any], real: bool) -> str:
        path = row.path
        for name, value in filled.items():
            kind = {"id": row.resource, "user_id": "user", "log_id": "log"}.get(name)
            known = self.ids.get(kind or "", [])
            path = path.replace(f"{{{name}}}", known[-1] if real and known else quote(str(value), safe="") or "x")
        return path

    def credential(self, row: Endpoint) -> str:
        world = self.tenant.world
        platform = row.operation.startswith("platform.")
        return world.token(world.platform_client) if platform else self.tenant.token


@pytest.fixture(scope="module")
def things(tenant: Tenant, other: Tenant) -> Things:
    return Things(tenant, other)


def answered(row: Endpoint, reply: Reply) -> None:
    assert reply.status < 500, f"{row.operation}: {reply.text}"
    as_documented(row.method, row.path, reply)


def sent(things: Things, row: Endpoint, path: str, body: bytes | None, **headers: str) -> Reply:
    told = {"Content-Type": "application/json", "If-Match": "*", **headers}
    told.setdefault("Authorization", f"Bearer {things.credential(row)}")
    return things.tenant.world.call(row.method, path, raw=body, headers=told)


def body_of(value: Any) -> bytes | None:
    if isinstance(value, bytes):
        return value
    try:
        return json.dumps(value).encode()
    except (TypeError, ValueError):
        return None  # the generator's own sign for no body


DESTRUCTIVE = frozenset({"platform.tenants.delete", "platform.tenants.update", "settings.clients.delete"})
ROWS = [row for row in ENDPOINTS if row.operation not in DESTRUCTIVE]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.operation)
def test_what_the_document_describes_and_what_it_does_not(things: Things, row: Endpoint):
    operation = _document()[row.path.replace("+}", "}")][row.method]
    cases = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if row.body or row.query:
        cases |= operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @bounded(4)
    @given(case=cases, real=st.booleans())
    def send(case: Any, real: bool) -> None:
        query = {name: value if isinstance(value, list) else str(value) for name, value in (case.query or {}).items()}
        path = things.path(row, case.path_parameters or {}, real) + (f"?{urlencode(query, doseq=True)}" if query else "")
        answered(row, sent(things, row, path, body_of(case.body) if row.body else None))

    send()


def test_headers_of_any_kind(things: Things):
    names = ["Authorization", "X-API-Key", "If-Match", "If-None-Match", "Idempotency-Key", "Content-Type", "X-Request-Id"]

    @bounded(150)
    @given(row=st.sampled_from(ROWS), headers=st.dictionaries(st.sampled_from(names), HEADER, max_size=4))
    def send(row: Endpoint, headers: dict[str, str]) -> None:
        path = things.path(row, {"id": "x", "user_id": "x", "secret_id": "x", "log_id": "x", "type": "t"}, real=True)
        answered(row, sent(things, row, path, b"{}" if row.body else None, **headers))

    send()


ACTIONS = st.one_of(
    st.sampled_from(["*", "infrastructure:manage", "infrastructure.clusters.*", "*:read", "settings:manage", "platform:*"]),
    TEXT,
)
CONDITION = st.one_of(
    st.fixed_dictionaries({"ip_range": st.lists(st.sampled_from(["10.0.0.0/8", "::/0", "1.2.3.4/99"]) | TEXT, max_size=3)}),
    st.fixed_dictionaries(
        {
            "time_window": st.fixed_dictionaries(
                {
                    "start": st.sampled_from(["00:00", "24:00", "7:5"]) | TEXT,
                    "end": st.just("23:59"),
                    "timezone": st.just("UTC") | TEXT,
                },
                optional={"days": st.lists(st.sampled_from(["mon", "x"]), max_size=2) | SCALAR},
            )
        }
    ),
    st.fixed_dictionaries({"date_range": st.dictionaries(st.sampled_from(["not_before", "not_after"]), SCALAR, max_size=2)}),
    st.fixed_dictionaries(
        {
            "resource_attributes": st.dictionaries(
                TEXT,
                SCALAR
                | st.dictionaries(st.sampled_from(["equals", "like", "lt", "exists", "in", "not_in"]), JSON, max_size=3),
                max_size=3,
            )
        }
    ),
    st.dictionaries(TEXT, JSON, max_size=3),
)
STATEMENT = st.fixed_dictionaries(
    {
        "effect": st.sampled_from(["allow", "deny"]),
        "actions": st.lists(ACTIONS, max_size=4) | JSON,
        "resources": st.lists(st.sampled_from(["*", "cluster:*", "*:a?b", ":"]) | TEXT, max_size=4) | JSON,
    },
    optional={"conditions": CONDITION | JSON},
)
ROUTE = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "*", "DELETE"]),
        "path": st.sampled_from(["/a/{id}", "/a/{rest+}", "/{a}/{a}", "/a//b", "/../x"]) | TEXT.map(lambda text: f"/{text}"),
        "action": ACTIONS,
    },
    optional={
        "resource": st.fixed_dictionaries({"type": TEXT}, optional={"id": TEXT, "attributes": st.dictionaries(TEXT, TEXT)})
    },
)
WHEN = (
    st.sampled_from(["2026-11-24T00:00:00Z", "2026-11-24", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", ""])
    | TEXT
)
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "id": TEXT | SCALAR,
        "timestamp": WHEN | SCALAR,
        "action": st.sampled_from(["orders.invoices.create", "settings.users.create"]) | TEXT,
        "result": st.sampled_from(["success", "denied", "x"]),
        "ip_address": st.sampled_from(["10.0.0.1", "::1", "fe80::1%eth0"]) | TEXT,
        "changes": JSON,
        "resource": TEXT,
        "user_id": TEXT,
    },
)
QUESTION = st.fixed_dictionaries(
    {"action": ACTIONS, "resource": TEXT | st.fixed_dictionaries({"type": TEXT}, optional={"id": TEXT, "attributes": JSON})},
    optional={
        "principal": st.fixed_dictionaries(
            {"type": st.sampled_from(["user", "api_key", "oauth_client"]), "id": TEXT}, optional={"attributes": JSON}
        ),
        "context": st.fixed_dictionaries(
            {}, optional={"ip_address": TEXT, "time": WHEN, "mfa": st.booleans() | st.none(), "environment": st.just("live")}
        ),
    },
)
BY_HAND: dict[str, tuple[str, str, st.SearchStrategy[Any]]] = {
    "policies": (
        "POST",
        "/v1/policies",
        st.fixed_dictionaries({"name": TEXT, "document": STATEMENT}, optional={"attachments": JSON}),
    ),
    "validation": (
        "POST",
        "/v1/policies/validate",
        st.fixed_dictionaries(
            {"document": STATEMENT | st.fixed_dictionaries({"statements": st.lists(STATEMENT, max_size=3)})}
        ),
    ),
    "protected APIs": (
        "POST",
        "/v1/protected-apis",
        st.fixed_dictionaries(
            {"name": st.just("a"), "audience": TEXT, "environment": st.just("live"), "routes": st.lists(ROUTE, max_size=3)},
            optional={"domains": st.lists(TEXT | st.sampled_from(["shop", "settings"]), max_size=3)},
        ),
    ),
    "questions": ("POST", "/v1/authorize", QUESTION),
    "external events": ("POST", "/v1/audit/events", EVENT | st.lists(EVENT, max_size=3)),
    "resources": (
        "PUT",
        "/v1/resources/cluster/cls_x",
        st.fixed_dictionaries({"attributes": st.dictionaries(TEXT, JSON, max_size=4)}),
    ),
    "users": (
        "POST",
        "/v1/users",
        st.fixed_dictionaries(
            {"email": st.emails() | TEXT, "name": TEXT},
            optional={
                "password": TEXT,
                "attributes": st.dictionaries(TEXT, JSON, max_size=3),
                "roles": st.lists(TEXT, max_size=2),
            },
        ),
    ),
    "roles": ("POST", "/v1/roles", st.fixed_dictionaries({"name": TEXT, "actions": st.lists(ACTIONS, max_size=4)})),
    "keys": (
        "POST",
        "/v1/api-keys",
        st.fixed_dictionaries(
            {"name": TEXT, "environment": st.just("live"), "scopes": st.lists(ACTIONS, max_size=3)},
            optional={
                "ip_range": st.lists(TEXT | st.sampled_from(["::/0", "10.0.0.1/8"]), max_size=3),
                "expires_at": WHEN,
                "expires_in": st.integers(1, 315_360_000),
                "rate_limit": st.fixed_dictionaries({"limit": st.integers(), "period_seconds": st.integers()}),
            },
        ),
    ),
}


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_what_is_checked_by_hand(things: Things, name: str):
    method, path, strategy = BY_HAND[name]
    template = "/v1/resources/{type}/{id+}" if name == "resources" else path
    row = next(row for row in ENDPOINTS if (row.method, row.path) == (method, template))

    @bounded(30)
    @given(body=strategy)
    def send(body: Any) -> None:
        answered(row, sent(things, row, path, json.dumps(body).encode()))

    send()


def test_searches_of_the_log(things: Things):
    (row,) = [row for row in ENDPOINTS if row.operation == "audit.events.search"]
    names = ["user_id", "action", "resource", "result", "request_id", "q", "order", "limit", "cursor"]

    @bounded(30)
    @given(
        asked=st.dictionaries(st.sampled_from(names), TEXT, max_size=4),
        times=st.dictionaries(st.sampled_from(["from", "to"]), WHEN, max_size=2),
        network=st.sampled_from(["10.0.0.0/8", "::/0", "1.1.1.1/33"]) | TEXT,
    )
    def send(asked: dict[str, str], times: dict[str, str], network: str) -> None:
        answered(row, sent(things, row, f"{row.path}?{urlencode(asked | times | {'ip_address': network})}", None))

    send()


def test_forms_of_any_kind_at_the_token_endpoint(world: World, tenant: Tenant):
    (row,) = [row for row in ENDPOINTS if row.operation == "oauth.tokens.issue"]
    names = ["grant_type", "client_id", "client_secret", "scope", "resource", "audience", "client_assertion"]

    @bounded(30)
    @given(
        form=st.dictionaries(st.sampled_from(names), TEXT | st.sampled_from(["client_credentials", "*", URL]), max_size=5),
        raw=st.binary(max_size=60) | st.none(),
        basic=st.booleans(),
    )
    def send(form: dict[str, str], raw: bytes | None, basic: bool) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded", **(world.basic(tenant.client) if basic else {})}
        answered(row, world.call("POST", row.path, raw=urlencode(form).encode() if raw is None else raw, headers=headers))

    send()


EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "version": st.sampled_from(["1.0", "2.0"]) | SCALAR,
        "type": st.sampled_from(["TOKEN", "REQUEST"]) | SCALAR,
        "methodArn": st.sampled_from(
            ["arn:aws:execute-api:eu-central-1:1:a/v1/GET/x", "arn:aws:execute-api:eu-central-1:1:a/v1/GET"]
        )
        | TEXT,
        "authorizationToken": HEADER,
        "rawPath": TEXT,
        "path": TEXT,
        "headers": st.dictionaries(st.sampled_from(["Authorization", "X-API-Key", "Host"]), HEADER) | st.none(),
        "queryStringParameters": st.dictionaries(TEXT, TEXT) | st.none(),
        "rawQueryString": TEXT,
        "stageVariables": st.dictionaries(st.just("platforma_audience"), TEXT) | st.none(),
        "requestContext": st.fixed_dictionaries({}, optional={"domainName": TEXT, "stage": TEXT, "requestId": TEXT})
        | st.none(),
    },
)


def test_no_event_makes_the_authorizer_allow_a_stranger(world: World, tenant: Tenant):
    authorizer = world.function("policy_authorizer")
    context = type("Context", (), {"aws_request_id": "fuzz"})()

    @bounded(30)
    @given(event=EVENTS)
    def ask(event: dict[str, Any]) -> None:
        try:
            answer = authorizer.handler(event, context)
        except Exception as error:  # noqa: BLE001  the gateway's word for a 401 is an exception of no class of its own
            answer = {"raised": str(error)}
        assert answer.get("raised", "Unauthorized") == "Unauthorized"
        assert answer.get("isAuthorized") is not True
        assert '"Allow"' not in json.dumps(answer)

    ask()
