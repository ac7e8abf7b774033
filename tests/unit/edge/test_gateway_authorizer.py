"""The authorizer of other APIs, by each form of event that a gateway sends."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from platforma import bootstrap
from platforma.edge import gateway_authorizer
from platforma.kernel.errors import Denied, Unavailable
from tests.proving import Holder
from tests.world import URL, Tenant, World, running

FORMS = ("token", "request", "http")
EVENTS = Path(__file__).parents[2] / "events"
AUDIENCE, SECOND = "https://clusters.test", "https://other.test"
READ = "infrastructure.clusters.get"
ROUTES = [
    {
        "method": "GET",
        "path": "/v1/clusters/{id}",
        "action": READ,
        "resource": {"type": "cluster", "id": "{id}", "attributes": {"region": "{query.region}", "zone": "{header.zone}"}},
    },
    {"method": "DELETE", "path": "/v1/clusters/{id}", "action": "infrastructure.clusters.delete"},
]
_COUNT = count(1)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    made = world.tenant()
    for audience, routes in ((AUDIENCE, ROUTES), (SECOND, ROUTES[:1]), (URL, ROUTES[:1])):
        body = {"name": "a", "audience": audience, "environment": "live", "routes": routes}
        made.call("POST", "/v1/protected-apis", body, expect=201)
    world.clock.move(seconds=5)
    return made


def event(
    form: str,
    credential: str | None,
    *,
    path: str = "/v1/clusters/cls_eu01",
    method: str = "GET",
    query: dict[str, list[str]] | None = None,
    headers: dict[str, str] | None = None,
    variables: dict[str, str] | None = None,
) -> dict[str, Any]:
    made = json.loads((EVENTS / f"policy_authorizer.{form}.json").read_text())
    arn = f"arn:aws:execute-api:eu-central-1:111122223333:f6g7h8i9j0/v1/{method}{path}"
    if form == "token":
        return {**made, "methodArn": arn, "authorizationToken": f"Bearer {credential}" if credential else ""}
    sent = {"Host": "gateway.test", **({"Authorization": f"Bearer {credential}"} if credential else {}), **(headers or {})}
    made |= {"headers": sent, "stageVariables": variables}
    own = "requestId" if form == "http" else "extendedRequestId"
    made["requestContext"] |= {own: f"gateway-{next(_COUNT)}", "domainName": "gateway.test"}
    first = {name: values[-1] for name, values in (query or {}).items()}
    if form == "request":
        many = {name: [value] for name, value in sent.items()}
        made |= {"methodArn": arn, "path": path, "httpMethod": method, "multiValueHeaders": many}
        return made | {"queryStringParameters": first or None, "multiValueQueryStringParameters": query}
    made["rawPath"], made["requestContext"]["http"]["method"] = path, method
    made["rawQueryString"] = "&".join(f"{name}={value}" for name, values in (query or {}).items() for value in values)
    return made | {"queryStringParameters": {name: ",".join(values) for name, values in (query or {}).items()}}


def ask(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    context = type("Context", (), {"aws_request_id": f"authorizer-{next(_COUNT)}"})()
    return world.function("policy_authorizer").handler(asked, context)


def allowed(answer: dict[str, Any]) -> bool:
    if "isAuthorized" in answer:
        return bool(answer["isAuthorized"])
    (statement,) = answer["policyDocument"]["Statement"]
    return bool(statement["Effect"] == "Allow")


def token(tenant: Tenant, *roles: str, audience: str | None = AUDIENCE, statement: dict[str, Any] | None = None) -> str:
    client = tenant.client_with(roles, ("infrastructure:*",))
    if statement is not None:
        attached = {"type": "oauth_client", "id": client["client_id"]}
        tenant.call("POST", "/v1/policies", {"name": "p", "document": statement, "attachments": [attached]}, expect=201)
    tenant.world.clock.move(seconds=5)
    return tenant.world.token(client, **({"resource": audience} if audience else {}))


def key(tenant: Tenant, environment: str = "live", **more: Any) -> dict[str, Any]:
    body = {"name": "k", "environment": environment, "scopes": ["infrastructure:*"], **more}
    return tenant.call("POST", "/v1/api-keys", body, expect=201).json


@pytest.mark.parametrize("form", FORMS)
def test_whoever_may_passes_and_the_api_learns_who_it_is(world: World, tenant: Tenant, form: str):
    answer = ask(world, event(form, token(tenant, "viewer")))

    assert allowed(answer)
    told = answer["context"]
    assert all(isinstance(value, str) for value in told.values())
    assert (told["tenant_id"], told["principal_type"], told["roles"]) == (tenant.id, "oauth_client", "viewer")
    assert told["scopes"] == "infrastructure:*"
    (found,) = tenant.events(request_id=told["request_id"])
    assert (found["action"], found["result"], found["source"]) == (READ, "success", "gateway")
    assert (found["decision"]["id"], found["resource"]) == (told["decision_id"], "cls_eu01")


@pytest.mark.parametrize("form", FORMS)
def test_whoever_may_not_is_denied_and_that_is_recorded(world: World, tenant: Tenant, form: str):
    answer = ask(world, event(form, token(tenant, "viewer"), method="DELETE"))

    assert not allowed(answer)
    (found,) = tenant.events(request_id=answer["context"]["request_id"])
    assert (found["action"], found["result"]) == ("infrastructure.clusters.delete", "denied")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("credential", [None, "junk", "a.b.c", "pk_live_" + "0" * 83])
def test_nobody_known_is_told_apart_from_nobody_allowed(world: World, tenant: Tenant, form: str, credential: str | None):
    asked = event(form, credential)

    if form == "http":
        assert ask(world, asked) == {"isAuthorized": False}
    else:
        with pytest.raises(Exception, match=r"\AUnauthorized\Z"):
            ask(world, asked)


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_is_about_one_method_and_path(world: World, tenant: Tenant, form: str):
    asked = event(form, token(tenant, "viewer"))

    answer = ask(world, asked)

    if form != "http":
        assert answer["policyDocument"]["Statement"][0]["Resource"] == asked["methodArn"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "path", ["/v1/clusters/a%2Fb", "/v1/clusters/..", "/v1/clusters/%2e%2E", "/v1//clusters/x", "/nothing"]
)
def test_a_path_that_could_be_read_otherwise_is_for_none(world: World, tenant: Tenant, form: str, path: str):
    assert not allowed(ask(world, event(form, token(tenant, "admin"), path=path)))


@pytest.mark.parametrize("form", FORMS)
def test_a_token_for_this_system_is_none_even_where_its_name_is_registered(world: World, tenant: Tenant, form: str):
    asked = event(form, token(tenant, "viewer", audience=None))

    if form == "http":
        assert ask(world, asked) == {"isAuthorized": False}
    else:
        with pytest.raises(Exception, match="Unauthorized"):
            ask(world, asked)


@pytest.mark.parametrize("form", ["request", "http"])
def test_a_gateway_that_names_its_api_takes_no_token_for_another(world: World, tenant: Tenant, form: str):
    named = {"platforma_audience": AUDIENCE}

    assert allowed(ask(world, event(form, token(tenant, "viewer"), variables=named)))
    assert not allowed(ask(world, event(form, token(tenant, "viewer", audience=SECOND), variables=named)))


@pytest.mark.parametrize("form", ["request", "http"])
def test_a_gateway_that_names_its_tenant_takes_nobody_elses(world: World, tenant: Tenant, form: str):
    stranger = world.tenant("other", f"admin@other{next(_COUNT)}.test")
    body = {"name": "a", "audience": AUDIENCE, "environment": "live", "routes": ROUTES}
    stranger.call("POST", "/v1/protected-apis", body, expect=201)
    theirs = token(stranger, "admin")
    named = {"platforma_audience": AUDIENCE, "platforma_tenant": tenant.id}

    assert allowed(ask(world, event(form, token(tenant, "viewer"), variables=named)))
    asked = event(form, theirs, variables=named)
    assert not allowed(ask(world, asked))
    (found,) = stranger.events(request_id=asked["requestContext"]["extendedRequestId" if form == "request" else "requestId"])
    assert (found["result"], found["reason"]) == ("denied", "forbidden")


@pytest.mark.parametrize("form", FORMS)
def test_a_test_key_is_refused_by_a_live_api(world: World, tenant: Tenant, form: str):
    assert allowed(ask(world, event(form, key(tenant)["key"])))
    assert not allowed(ask(world, event(form, key(tenant, "test")["key"])))


@pytest.mark.parametrize("form", FORMS)
def test_a_key_over_its_limit_is_denied_and_that_is_recorded(world: World, tenant: Tenant, form: str):
    made = key(tenant, rate_limit={"limit": 1, "period_seconds": 3600})

    assert allowed(ask(world, event(form, made["key"])))
    assert not allowed(ask(world, event(form, made["key"])))
    found = [each for each in tenant.events(result="denied") if each["principal_id"] == made["id"]]
    assert [each["reason"] for each in found] == ["rate_limited"]


@pytest.mark.parametrize("form", FORMS)
def test_without_a_record_nobody_passes(world: World, tenant: Tenant, form: str, monkeypatch: pytest.MonkeyPatch):
    credential = token(tenant, "viewer")

    def unavailable(*_: object) -> None:
        raise Unavailable

    monkeypatch.setattr("platforma.adapters.dynamodb.audit.Outbox.enter", unavailable)

    assert not allowed(ask(world, event(form, credential)))


DENY = {"effect": "deny", "actions": ["infrastructure:*"], "resources": ["*"]}
WHERE_SENT_TWICE = [
    ({"query": {"region": ["us", "eu"]}}, "region"),
    ({"query": {"region": ["eu", "us"]}}, "region"),
    ({"headers": {"zone": "us, eu"}}, "zone"),
]


@pytest.mark.parametrize("form", ["request", "http"])
@pytest.mark.parametrize(("sent", "name"), WHERE_SENT_TWICE)
def test_what_was_sent_twice_is_not_known(world: World, tenant: Tenant, form: str, sent: dict[str, Any], name: str):
    """A backend that reads the other value would do what was denied."""
    conditions = {"resource_attributes": {name: "us"}}
    credential = token(tenant, "viewer", statement={**DENY, "conditions": conditions})

    assert not allowed(ask(world, event(form, credential, **sent)))


@pytest.mark.parametrize("form", ["request", "http"])
def test_what_was_sent_once_is_known(world: World, tenant: Tenant, form: str):
    credential = token(tenant, "viewer", statement={**DENY, "conditions": {"resource_attributes": {"region": "us"}}})

    assert allowed(ask(world, event(form, credential, query={"region": ["eu"]})))
    assert not allowed(ask(world, event(form, credential, query={"region": ["us"]})))


@pytest.mark.parametrize("form", ["request", "http"])
def test_an_id_that_nothing_can_be_known_of_is_decided_all_the_same(world: World, tenant: Tenant, form: str):
    assert allowed(ask(world, event(form, token(tenant, "viewer"), path=f"/v1/clusters/{'x' * 1500}")))


def test_what_is_known_of_a_resource_is_read_only_where_policies_go_by_it(
    world: World, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
):
    """The fixture has a statement that looks at an attribute; without it nothing is read."""
    asked, reads = event("request", token(tenant, "viewer")), []
    monkeypatch.setattr(bootstrap.policies(), "resource", lambda *named: reads.append(named))
    assert allowed(ask(world, asked))
    assert reads == [(tenant.id, "cluster", "cls_eu01")]

    for policy in tenant.call("GET", "/v1/policies", expect=200).json["items"]:
        tenant.call("DELETE", f"/v1/policies/{policy['id']}", expect=204, headers={"If-Match": "*"})
    world.clock.move(seconds=5)

    assert allowed(ask(world, asked))
    assert len(reads) == 1


def test_something_else_is_no_authorizer_event():
    with pytest.raises(Denied):
        gateway_authorizer.read_event({"type": "REQUEST", "methodArn": "arn:aws:s3:::bucket"})


def test_something_else_is_answered_with_a_denial(world: World, tenant: Tenant):
    assert not allowed(ask(world, {"type": "REQUEST", "methodArn": "nonsense"}))


@pytest.fixture
def bound(world: World, tenant: Tenant) -> tuple[Holder, str]:
    """A key, and a token for the protected API that is bound to it."""
    holder = Holder(lambda: world.clock().timestamp())
    client = tenant.client_with(("viewer",), ("infrastructure:*",))
    world.clock.move(seconds=5)
    form, headers = {"grant_type": "client_credentials", "resource": AUDIENCE}, world.basic(client)
    proof = holder.proof("POST", f"{URL}/oauth2/token")
    nonce = world.call("POST", "/oauth2/token", form=form, headers={**headers, "DPoP": proof}).headers["dpop-nonce"]
    proof = holder.proof("POST", f"{URL}/oauth2/token", nonce=nonce)
    return holder, world.call("POST", "/oauth2/token", form=form, headers={**headers, "DPoP": proof}).json["access_token"]


def shown(token: str, proof: str) -> dict[str, Any]:
    return event("http", None, headers={"Authorization": f"DPoP {token}", "DPoP": proof})


@pytest.mark.parametrize("origin", [AUDIENCE, "https://CLUSTERS.test:443"])
def test_a_bound_token_passes_with_its_key_and_without_a_nonce(world: World, bound: tuple[Holder, str], origin: str):
    holder, token = bound

    assert allowed(ask(world, shown(token, holder.proof("GET", f"{origin}/v1/clusters/cls_eu01", token=token))))


def test_a_bound_token_does_not_pass_without_its_key_or_by_a_proof_for_another_place(
    world: World, bound: tuple[Holder, str]
):
    holder, token = bound
    url = f"{AUDIENCE}/v1/clusters/cls_eu01"
    once = holder.proof("GET", url, token=token)
    ask(world, shown(token, once))
    refused = [
        once,
        holder.proof("GET", "https://gateway.test/v1/clusters/cls_eu01", token=token),
        holder.proof("GET", f"{AUDIENCE}/v1/clusters/cls_eu02", token=token),
        holder.proof("DELETE", url, token=token),
        holder.proof("GET", url),
        Holder(lambda: world.clock().timestamp()).proof("GET", url, token=token),
    ]

    answers = [ask(world, shown(token, proof)) for proof in refused] + [ask(world, event("http", token))]

    assert [allowed(answer) for answer in answers] == [False] * 7
