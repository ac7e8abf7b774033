"""
Another API behind gateways of its own: a REST API with REQUEST and TOKEN authorizers and an HTTP API, asked with real HTTP,
by tokens, by tokens that are bound to a key (DPoP), and by API keys.

Each call names a cluster of its own, so that its audit event is found by it. The emulated REST gateway believes the first
element of `X-Forwarded-For`, which stands in for the caller's network; the HTTP gateway sees this machine's own address.
"""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local import application, sample
from infra.local.ports import Ports
from infra.local.stack import Stack
from tests.integration.conftest import Running
from tests.proving import Holder

AUDIENCE, OTHER_AUDIENCE = "https://clusters.example", "https://others.example"
INSIDE, OUTSIDE, HERE = "10.1.2.3", "203.0.113.42", "127.0.0.1"
GATEWAYS = ("rest", "token", "http")
BY = {"token": "", "bound token": ", by bound token", "key": ", by key"}
READ, DELETE = "infrastructure.clusters.get", "infrastructure.clusters.delete"
ON_CLUSTER = {"type": "cluster", "id": "{id}"}
ROUTES = [
    {"method": "GET", "path": "/v1/clusters", "action": "infrastructure.clusters.list", "resource": {"type": "cluster"}},
    {
        "method": "GET",
        "path": "/v1/clusters/{id}",
        "action": READ,
        "resource": {**ON_CLUSTER, "attributes": {"region": "{query.region}"}},
    },
    {"method": "DELETE", "path": "/v1/clusters/{id}", "action": DELETE, "resource": ON_CLUSTER},
    {"method": "GET", "path": "/token/v1/clusters/{id}", "action": READ, "resource": ON_CLUSTER},
]


def allow(**more: Any) -> dict[str, Any]:
    """A statement that lets clusters be read."""
    return {"effect": "allow", "actions": ["infrastructure:read"], "resources": ["cluster:*"], **more}


def window(begins: datetime) -> dict[str, str]:
    """The two hours from *begins* on, every day."""
    return {"start": f"{begins:%H:%M}", "end": f"{begins + timedelta(hours=2):%H:%M}", "timezone": "UTC"}


@dataclass
class Sample:
    """The sample API as its callers see it, and what its owner has told us of it."""

    running: Running
    admin: str
    outputs: dict[str, str]
    credentials: dict[str, dict[str, str]]
    holder: Holder

    def url(self, gateway: str, path: str) -> str:
        """The address of a path at one of the gateways."""
        return self.outputs["HttpUrl" if gateway == "http" else "RestUrl"] + ("/token" if gateway == "token" else "") + path

    def call(
        self,
        gateway: str,
        path: str,
        *,
        as_: str | None = None,
        method: str = "GET",
        ip: str = INSIDE,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        sent = {"X-Forwarded-For": ip, "User-Agent": "sample/1.0"}
        sent |= self.credentials[as_] if as_ else {}
        if sent.get("Authorization", "").startswith("DPoP "):
            sent["DPoP"] = self.proof(sent["Authorization"].removeprefix("DPoP "), path, method)
        return httpx.request(method, self.url(gateway, path), headers=sent | (headers or {}), timeout=30)

    def proof(self, token: str, path: str, method: str = "GET") -> str:
        """A proof for this request to the API, by the name that it is registered under."""
        return self.holder.proof(method, AUDIENCE + path.partition("?")[0], token=token)

    def event(self, cluster: str) -> dict[str, Any]:
        """The one event about a cluster."""
        found = self.running.call("GET", f"/v1/audit/events?resource={cluster}", token=self.admin).json()["items"]
        assert len(found) == 1, found
        return dict(found[0])


def cluster(prefix: str = "cls_eu") -> str:
    return f"{prefix}_{secrets.token_hex(8)}"


def made(running: Running, path: str, token: str, body: dict[str, Any]) -> dict[str, Any]:
    reply = running.call("POST", path, token=token, json=body)
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


@dataclass
class Principals:
    """Makes callers of the sample, each with what is attached to it alone."""

    running: Running
    admin: str
    holder: Holder

    def client(self, *statements: dict[str, Any], roles: tuple[str, ...] = ()) -> dict[str, str]:
        """A client that has these roles, and a policy of these statements."""
        body = {"name": "caller", "roles": list(roles), "scopes": ["infrastructure:*"]}
        client = made(self.running, "/v1/oauth-clients", self.admin, body)
        self._attach({"type": "oauth_client", "id": client["client_id"]}, *statements)
        return client

    def user(self, *statements: dict[str, Any], roles: tuple[str, ...] = ()) -> str:
        """A user that has these roles, and a policy of these statements."""
        body = {"email": f"{secrets.token_hex(8)}@demo.test", "name": "Caller", "roles": list(roles)}
        user = made(self.running, "/v1/users", self.admin, body)
        self._attach({"type": "user", "id": user["id"]}, *statements)
        return str(user["id"])

    def _attach(self, to: dict[str, str], *statements: dict[str, Any]) -> None:
        if statements:
            policy = {"name": "sample", "document": {"statements": list(statements)}, "attachments": [to]}
            made(self.running, "/v1/policies", self.admin, policy)

    def token(self, client: dict[str, str], audience: str | None = AUDIENCE) -> dict[str, str]:
        """A token of the client's."""
        return bearer(self.running.token(client, **({"resource": audience} if audience else {})))

    def bound_token(self, client: dict[str, str]) -> dict[str, str]:
        """A token of the client's that is good with the holder's key alone (RFC 9449 section 5)."""
        form = {"grant_type": "client_credentials", "resource": AUDIENCE}
        nonce = None
        for _ in range(2):  # the first is told which nonce to sign
            proof = self.holder.proof("POST", f"{self.running.stack['url']}/oauth2/token", nonce=nonce)
            auth = (client["client_id"], client["client_secret"])
            reply = self.running.call("POST", "/oauth2/token", data=form, auth=auth, headers={"DPoP": proof})
            nonce = reply.headers.get("dpop-nonce")
        assert (reply.status_code, reply.json()["token_type"]) == (200, "DPoP"), reply.text
        return {"Authorization": f"DPoP {reply.json()['access_token']}"}

    def key(self, environment: str, owner: str, scopes: tuple[str, ...] = ("infrastructure:*",), **more: Any) -> str:
        """A key that acts for a user."""
        body = {"name": "key", "environment": environment, "scopes": list(scopes), "owner": {"type": "user", "id": owner}}
        return str(made(self.running, "/v1/api-keys", self.admin, {**body, **more})["key"])


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


def protect(running: Running, token: str, audience: str, routes: list[dict[str, Any]]) -> None:
    """Register the API of this audience anew."""
    for old in running.call("GET", "/v1/protected-apis?limit=200", token=token).json()["items"]:
        if old["audience"] == audience:
            running.call("DELETE", f"/v1/protected-apis/{old['id']}", token=token, headers={"If-Match": "*"})
    body = {"name": "sample", "audience": audience, "environment": "live", "routes": routes}
    made(running, "/v1/protected-apis", token, body)


def stack_of(running: Running) -> Stack:
    def port(url: str) -> int:
        return int(url.rpartition(":")[2])

    told = running.stack
    ports = Ports(*map(port, (told["url"], told["internal_url"], told["aws"]["endpoint_url"], told["vault"]["addr"])))
    return Stack(Path(running.home), ports)


@pytest.fixture(scope="module")
def guarded(running: Running, token: str) -> Sample:
    """The sample deployed and registered, and every caller of these tests; a change bites within five seconds."""
    outputs = sample.deploy(stack_of(running))
    assert outputs["SampleAudience"] == AUDIENCE
    protect(running, token, AUDIENCE, ROUTES)
    protect(running, token, OTHER_AUDIENCE, ROUTES)
    for known, region in (("cls_known_eu", "eu"), ("cls_known_us", "us")):
        body = {"attributes": {"region": region}}
        assert running.call("PUT", f"/v1/resources/cluster/{known}", token=token, json=body).status_code in {200, 201, 428}
    time.sleep(5)

    some, now = Principals(running, token, holder := Holder()), datetime.now(UTC)
    owner = some.user(roles=("operator",))
    narrowed = {"effect": "allow", "actions": ["infrastructure:manage"], "resources": ["cluster:cls_eu*"]}
    freeze = {"effect": "deny", "actions": ["infrastructure:manage"], "resources": ["*"]}
    viewer = some.client(roles=("viewer",))
    live = some.key("live", owner)
    day = timedelta(days=1)
    statements = {
        "of servers": allow(resources=["server:*"]),
        "of eu clusters": allow(resources=["cluster:cls_eu*"]),
        "of region eu": allow(conditions={"resource_attributes": {"region": "eu"}}),
        "from inside": allow(conditions={"ip_range": ["10.0.0.0/8"]}),
        "from here": allow(conditions={"ip_range": ["127.0.0.0/8"]}),
        "at this hour": allow(conditions={"time_window": window(now - timedelta(hours=1))}),
        "at another hour": allow(conditions={"time_window": window(now + timedelta(hours=6))}),
        "until yesterday": allow(conditions={"date_range": {"not_after": f"{now - day:%Y-%m-%dT%H:%M:%SZ}"}}),
    }
    clients = {name: some.client(statement) for name, statement in statements.items()}
    credentials = {
        **{name: some.token(client) for name, client in clients.items()},
        **{f"{name}, by bound token": some.bound_token(client) for name, client in clients.items()},
        **{f"{name}, by key": bearer(some.key("live", some.user(statement))) for name, statement in statements.items()},
        "viewer": some.token(viewer),
        "viewer, by bound token": some.bound_token(viewer),
        "nobody, by bound token": some.bound_token(some.client()),
        "operator": some.token(some.client(roles=("operator",))),
        "nobody": some.token(some.client()),
        "for us": some.token(viewer, None),
        "for another": some.token(viewer, OTHER_AUDIENCE),
        "frozen": some.token(some.client(freeze, roles=("operator",))),
        "live key": bearer(live),
        "live key by X-API-Key": {"X-API-Key": live},
        "test key": bearer(some.key("test", owner)),
        "reading key": bearer(some.key("live", owner, ("infrastructure:read",))),
        "narrowed user's key": bearer(some.key("live", some.user(narrowed, roles=("operator",)))),
        "key bound inside": bearer(some.key("live", owner, ip_range=["10.0.0.0/8"])),
        "key bound here": bearer(some.key("live", owner, ip_range=["127.0.0.0/8"])),
    }
    time.sleep(5)
    return Sample(running, token, outputs, credentials, holder)


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("caller", ["viewer", "live key"])
def test_whoever_may_reaches_the_api_which_learns_who_it_is(guarded: Sample, gateway: str, caller: str):
    named = cluster()

    reply = guarded.call(gateway, f"/v1/clusters/{named}", as_=caller)

    assert reply.status_code == 200, reply.text
    told, event = reply.json()["caller"], guarded.event(named)
    assert reply.json()["cluster"] == named
    assert told["tenant_id"] == guarded.running.stack["tenant"]["id"]
    assert (told["principal_type"], told["principal_id"]) == (event["principal_type"], event["principal_id"])
    assert told["principal_type"] == ("oauth_client" if caller == "viewer" else "api_key")
    assert (told["roles"], told["scopes"]) == ("viewer" if caller == "viewer" else "operator", "infrastructure:*")
    assert (told["decision_id"], told["request_id"]) == (event["decision"]["id"], event["request_id"])
    assert all(isinstance(value, str) for value in told.values())


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_the_event_of_an_allowed_call_tells_of_it(guarded: Sample, gateway: str):
    named = cluster()

    guarded.call(gateway, f"/v1/clusters/{named}", as_="viewer", headers={"X-Request-Id": f"mine-{named}"})

    event = guarded.event(named)
    assert (event["source"], event["action"], event["result"]) == ("gateway", READ, "success")
    assert (event["resource"], event["resource_type"]) == (named, "cluster")
    assert (event["decision"]["result"], event["decision"]["kind"]) == ("allow", "allow")
    # A TOKEN event has neither an address nor other headers.
    seen = (event["ip_address"], event["user_agent"], event.get("client_request_id"))
    address = HERE if gateway == "http" else INSIDE
    assert seen == ((None, None, None) if gateway == "token" else (address, "sample/1.0", f"mine-{named}"))


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_whoever_may_not_is_stopped_and_that_is_recorded(guarded: Sample, gateway: str):
    named = cluster()

    assert guarded.call(gateway, f"/v1/clusters/{named}", as_="nobody").status_code == 403

    event = guarded.event(named)
    assert (event["source"], event["action"], event["result"]) == ("gateway", READ, "denied")
    assert (event["reason"], event["decision"]["result"], event["decision"]["kind"]) == ("no_match", "deny", "no_match")
    assert event["decision"]["policy_set"]


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize(
    "headers",
    [{}, bearer("junk"), bearer("a.b.c"), bearer(f"pk_live_{'0' * 83}"), {"Authorization": "Basic YTpi"}],
    ids=["none", "junk", "no token", "forged key", "basic"],
)
def test_without_a_good_credential_nobody_passes(guarded: Sample, gateway: str, headers: dict[str, str]):
    """An HTTP API has one answer for all that its authorizer refuses; a REST API tells 401 from 403."""
    reply = guarded.call(gateway, f"/v1/clusters/{cluster()}", headers=headers)

    assert reply.status_code in ({401, 403} if gateway == "http" else {401})


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_token_for_our_own_api_is_none_here(guarded: Sample, gateway: str):
    reply = guarded.call(gateway, f"/v1/clusters/{cluster()}", as_="for us")

    assert reply.status_code == (403 if gateway == "http" else 401)


@pytest.mark.parametrize("gateway", ["rest", "http"])
def test_a_token_for_another_api_of_the_tenant_is_for_none(guarded: Sample, gateway: str):
    since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    assert guarded.call(gateway, f"/v1/clusters/{cluster()}", as_="for another").status_code == 403

    query = f"/v1/audit/events?action=gateway.requests.unmatched&from={since}"
    event = guarded.running.call("GET", query, token=guarded.admin).json()["items"][0]
    assert (event["source"], event["result"], event["reason"]) == ("gateway", "denied", "no_such_route")


@pytest.mark.parametrize(
    ("caller", "path", "status"),
    [
        ("of servers", "/v1/clusters/cls_eu_{}", 403),
        ("of eu clusters", "/v1/clusters/cls_eu_{}", 200),
        ("of eu clusters", "/v1/clusters/cls_us_{}", 403),
        ("of region eu", "/v1/clusters/cls_{}?region=eu", 200),
        ("of region eu", "/v1/clusters/cls_{}?region=us", 403),
        ("of region eu", "/v1/clusters/cls_{}", 403),
        ("of region eu", "/v1/clusters/cls_known_eu?region=us", 200),
        ("of region eu", "/v1/clusters/cls_known_us?region=eu", 403),
        ("at this hour", "/v1/clusters/cls_{}", 200),
        ("at another hour", "/v1/clusters/cls_{}", 403),
        ("until yesterday", "/v1/clusters/cls_{}", 403),
    ],
)
@pytest.mark.parametrize("gateway", ["rest", "http"])
@pytest.mark.parametrize("by", BY.values(), ids=BY)
def test_policies_decide_by_type_attribute_and_time(
    guarded: Sample, gateway: str, caller: str, by: str, path: str, status: int
):
    reply = guarded.call(gateway, path.format(secrets.token_hex(8)), as_=caller + by)

    assert reply.status_code == status, reply.text


@pytest.mark.parametrize(
    ("gateway", "caller", "ip", "status"),
    [
        ("rest", "from inside", INSIDE, 200),
        ("rest", "from inside", OUTSIDE, 403),
        ("rest", "from inside", f"::ffff:{INSIDE}", 200),
        ("rest", "from inside, by bound token", INSIDE, 200),
        ("rest", "from inside, by bound token", OUTSIDE, 403),
        ("rest", "from inside, by key", INSIDE, 200),
        ("rest", "from inside, by key", OUTSIDE, 403),
        ("rest", "key bound inside", INSIDE, 200),
        ("rest", "key bound inside", OUTSIDE, 401),
        ("http", "from here", HERE, 200),
        ("http", "from inside", HERE, 403),
        ("http", "from here, by bound token", HERE, 200),
        ("http", "from inside, by bound token", HERE, 403),
        ("http", "from here, by key", HERE, 200),
        ("http", "from inside, by key", HERE, 403),
        ("http", "key bound here", HERE, 200),
        ("http", "key bound inside", HERE, 403),
    ],
)
def test_policies_and_keys_decide_by_network(guarded: Sample, gateway: str, caller: str, ip: str, status: int):
    assert guarded.call(gateway, f"/v1/clusters/{cluster()}", as_=caller, ip=ip).status_code == status


@pytest.mark.parametrize(
    ("caller", "path", "status"),
    [
        ("of servers", "/v1/clusters/cls_eu_{}", 403),
        ("of eu clusters", "/v1/clusters/cls_eu_{}", 200),
        ("of eu clusters", "/v1/clusters/cls_us_{}", 403),
        ("at this hour", "/v1/clusters/cls_{}", 200),
        ("at another hour", "/v1/clusters/cls_{}", 403),
        ("of region eu", "/v1/clusters/cls_known_eu", 200),
        ("of region eu", "/v1/clusters/cls_known_us", 403),
    ],
)
@pytest.mark.parametrize("by", ["", ", by key"], ids=["token", "key"])
def test_a_token_event_is_decided_by_type_attribute_and_time_alike(
    guarded: Sample, caller: str, by: str, path: str, status: int
):
    assert guarded.call("token", path.format(secrets.token_hex(8)), as_=caller + by).status_code == status


def test_a_token_event_has_no_network_so_what_asks_for_one_is_denied(guarded: Sample):
    named = cluster()

    assert guarded.call("token", f"/v1/clusters/{named}", as_="from inside").status_code == 403
    assert guarded.event(named)["ip_address"] is None


@pytest.mark.parametrize(
    ("caller", "path", "status"),
    [
        ("viewer", "/v1/clusters/cls_eu_{}", 403),
        ("operator", "/v1/clusters/cls_eu_{}", 200),
        ("frozen", "/v1/clusters/cls_eu_{}", 403),
        ("live key", "/v1/clusters/cls_eu_{}", 200),
        ("reading key", "/v1/clusters/cls_eu_{}", 403),
        ("narrowed user's key", "/v1/clusters/cls_eu_{}", 200),
        ("narrowed user's key", "/v1/clusters/cls_us_{}", 403),
    ],
)
@pytest.mark.parametrize("gateway", ["rest", "http"])
def test_deleting_takes_more_than_reading(guarded: Sample, gateway: str, caller: str, path: str, status: int):
    named = path.format(secrets.token_hex(8))

    reply = guarded.call(gateway, named, as_=caller, method="DELETE")

    assert reply.status_code == status, reply.text
    event = guarded.event(named.rpartition("/")[2])
    assert (event["action"], event["result"]) == (DELETE, "success" if status == 200 else "denied")


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_test_key_is_refused_by_a_live_api(guarded: Sample, gateway: str):
    named = cluster()

    assert guarded.call(gateway, f"/v1/clusters/{named}", as_="test key").status_code == 403

    event = guarded.event(named)
    assert (event["principal_type"], event["decision"]["kind"], event["reason"]) == ("api_key", "cap", "cap")


def test_a_key_may_come_in_its_own_header(guarded: Sample):
    """The emulator's HTTP API asks for `Authorization` where no identity source is named, so REST alone shows it here."""
    assert guarded.call("rest", f"/v1/clusters/{cluster()}", as_="live key by X-API-Key").status_code == 200


@pytest.mark.parametrize("gateway", ["rest", "http"])
def test_a_bound_token_reaches_the_api_by_a_proof_of_its_key(guarded: Sample, gateway: str):
    named, other = cluster(), cluster()

    reply = guarded.call(gateway, f"/v1/clusters/{named}", as_="viewer, by bound token")

    assert reply.status_code == 200, reply.text
    assert reply.json()["caller"]["principal_id"] == guarded.event(named)["principal_id"]
    assert guarded.call(gateway, f"/v1/clusters/{other}", as_="nobody, by bound token").status_code == 403
    assert guarded.event(other)["reason"] == "no_match"


@pytest.mark.parametrize("gateway", ["rest", "http"])
def test_a_bound_token_is_nothing_without_a_proof_for_this_request(guarded: Sample, gateway: str):
    """Stolen alone, shown as a bearer token, with another's key, another request's proof, or one that was shown before."""
    path = f"/v1/clusters/{cluster()}"
    shown = guarded.credentials["viewer, by bound token"]["Authorization"]
    token = shown.removeprefix("DPoP ")
    spent = guarded.proof(token, path)
    headers = {"Authorization": shown, "X-Forwarded-For": INSIDE}

    def asked(**more: str) -> int:
        return httpx.get(guarded.url(gateway, path), headers={**headers, **more}, timeout=30).status_code

    assert asked(DPoP=spent) == 200
    refused = [
        asked(),
        asked(Authorization=f"Bearer {token}"),
        asked(Authorization=f"Bearer {token}", DPoP=guarded.proof(token, path)),
        asked(DPoP=Holder().proof("GET", AUDIENCE + path, token=token)),
        asked(DPoP=guarded.proof(token, f"/v1/clusters/{cluster()}")),
        asked(DPoP=guarded.proof(token, path, "DELETE")),
        asked(DPoP=guarded.holder.proof("GET", f"https://other.example{path}", token=token)),
        asked(DPoP=guarded.holder.proof("GET", AUDIENCE + path)),
        asked(DPoP=spent),
    ]
    assert refused == [403 if gateway == "http" else 401] * len(refused)


def test_a_token_event_has_no_proof_so_bound_tokens_are_refused(guarded: Sample):
    assert guarded.call("token", f"/v1/clusters/{cluster()}", as_="viewer, by bound token").status_code == 401


def test_a_list_is_about_the_type_as_a_whole(guarded: Sample):
    assert guarded.call("rest", "/v1/clusters", as_="viewer").status_code == 200
    assert guarded.call("rest", "/v1/clusters", as_="of eu clusters").status_code == 403


def test_an_answer_holds_for_one_request(guarded: Sample):
    """Nothing is cached between a client that may and the next that may not, nor between methods."""
    path = f"/v1/clusters/{cluster()}"

    answers = [guarded.call("rest", path, as_=caller).status_code for caller in ("viewer", "nobody", "viewer")]

    assert answers == [200, 403, 200]
    assert guarded.call("rest", path, as_="viewer", method="DELETE").status_code == 403


def test_another_tenants_key_finds_nothing_of_ours(guarded: Sample):
    """The gateway names the tenant whose API it is, and that is all that another's learns."""
    running = guarded.running
    platform = running.token(running.stack["platform_client"])
    admin = {"email": f"admin@{secrets.token_hex(6)}.test", "name": "Admin"}
    other = made(running, "/v1/tenants", platform, {"name": "other", "admin": admin})["id"]
    first_key = {"name": "key", "environment": "live", "scopes": ["*"]}
    event = {"tenant_id": other, "first_client": {"name": "c", "roles": ["admin"]}, "first_key": first_key}
    key = application.invoke(stack_of(running), event)["api_key"]["key"]
    named = cluster()

    assert guarded.call("rest", f"/v1/clusters/{named}", headers=bearer(key)).status_code == 403

    found = running.call("GET", f"/v1/audit/events?resource={named}", token=guarded.admin).json()["items"]
    assert found == []


def test_a_revoked_key_ends_here_too(guarded: Sample):
    some = Principals(guarded.running, guarded.admin, guarded.holder)
    body = {"name": "short", "environment": "live", "scopes": ["infrastructure:read"]}
    body |= {"owner": {"type": "user", "id": some.user(roles=("viewer",))}}
    key = made(guarded.running, "/v1/api-keys", guarded.admin, body)
    assert guarded.call("rest", f"/v1/clusters/{cluster()}", headers=bearer(key["key"])).status_code == 200

    headers = {"If-Match": "*"}
    guarded.running.call("DELETE", f"/v1/api-keys/{key['id']}", token=guarded.admin, headers=headers)

    assert guarded.call("rest", f"/v1/clusters/{cluster()}", headers=bearer(key["key"])).status_code == 401
