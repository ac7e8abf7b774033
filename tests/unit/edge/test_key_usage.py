"""What a key was used for, told from the log."""

from datetime import timedelta

import pytest

from platforma.audit.search import Found
from platforma.edge import key_usage
from platforma.kernel.clock import rfc3339
from tests.unit.apikeys.world import World

KEY = {"name": "k", "environment": "live", "scopes": ["settings:read", "orders:*", "infrastructure:manage"]}
CLUSTER = {"type": "cluster", "id": "cls_eu01"}


@pytest.fixture
def tenant(world):
    return world.tenant()


@pytest.fixture(params=["client", "user"])
def key(request, tenant):
    owner = {"owner": {"type": "user", "id": tenant.admin_id}} if request.param == "user" else {}
    return tenant.call("POST", "/v1/api-keys", {**KEY, **owner}, expect=201)


def usage(tenant, key, query=""):
    return tenant.call("GET", f"/v1/api-keys/{key.json['id']}/usage{query}", expect=200).json


def test_operations_denials_and_addresses_are_those_of_the_key(world, tenant, key):
    text = key.json["key"]
    world.call("GET", "/v1/users", token=text, ip="192.0.2.1")
    world.call("GET", "/v1/users", token=text, ip="192.0.2.2")
    world.call("GET", "/v1/policies", token=text, ip="192.0.2.1")
    world.call("POST", "/v1/users", token=text, json_body={}, ip="192.0.2.1")
    world.call("GET", "/v1/me", token=text, ip="192.0.2.1")
    tenant.call("GET", "/v1/roles")

    told = usage(tenant, key)

    counts = {each["action"]: (each["allowed"], each["denied"]) for each in told["operations"]}
    assert counts == {
        "settings.users.list": (2, 0),
        "settings.policies.list": (1, 0),
        "settings.users.create": (0, 1),
        "settings.me.get": (1, 0),
    }
    assert told["complete"] is True
    assert told["denials"] == 1
    assert told["addresses"] == [
        {"ip_address": "192.0.2.1", "requests": 4},
        {"ip_address": "192.0.2.2", "requests": 1},
    ]
    assert told["unused_scopes"] == ["orders:*", "infrastructure:manage"]
    assert told["narrowest_scopes"] == ["settings.policies.list", "settings.users.list"]


def test_one_call_narrows_the_key_to_what_did(world, tenant, key):
    text = key.json["key"]
    world.call("GET", "/v1/users", token=text)
    narrowest = usage(tenant, key)["narrowest_scopes"]

    tenant.call(
        "PATCH",
        f"/v1/api-keys/{key.json['id']}",
        {"scopes": narrowest},
        headers={"If-Match": key.headers["etag"]},
        expect=200,
    )

    assert world.call("GET", "/v1/users", token=text).status == 200
    assert world.call("GET", "/v1/policies", token=text).status == 403


def test_what_others_had_decided_about_the_key_counts(world, tenant, key):
    for action in ("infrastructure.clusters.update", "billing.invoices.get"):
        body = {"key": key.json["key"], "action": action, "resource": CLUSTER}
        tenant.call("POST", "/v1/api-keys/verify", body, expect=200)

    told = usage(tenant, key)

    assert [(each["action"], each["allowed"], each["denied"]) for each in told["operations"]] == [
        ("billing.invoices.get", 0, 1),
        ("infrastructure.clusters.update", 1, 0),
    ]
    assert told["narrowest_scopes"] == ["infrastructure.clusters.update"]


def test_a_key_that_was_never_used_needs_nothing(tenant, key):
    told = usage(tenant, key)

    assert (told["operations"], told["narrowest_scopes"]) == ([], [])
    assert told["unused_scopes"] == KEY["scopes"]


def test_use_outside_of_the_window_is_not_told(world, tenant, key):
    world.call("GET", "/v1/users", token=key.json["key"])
    world.clock.move(hours=2)

    told = usage(tenant, key, f"?from={rfc3339(world.clock() - timedelta(hours=1))}")

    assert told["operations"] == []


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ("?from=x", "/from"),
        ("?to=x", "/to"),
        ("?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "/from"),
        ("?since=1", "/since"),
    ],
)
def test_a_window_that_is_none_is_refused_and_the_error_points_at_the_parameter(tenant, key, query, at):
    refused = tenant.call("GET", f"/v1/api-keys/{key.json['id']}/usage{query}", expect=422).json

    assert [error["pointer"] for error in refused["errors"]] == [at]


def test_another_tenants_or_persons_key_is_not_found(world, tenant, key):
    other = world.tenant("other", "admin@other.test")
    plain = world.token(tenant.client_with(roles=(), scopes=("infrastructure:read",)))

    assert other.call("GET", f"/v1/api-keys/{key.json['id']}/usage").status == 404
    assert world.call("GET", f"/v1/api-keys/{key.json['id']}/usage", token=plain).status == 404


def test_where_the_log_is_too_long_no_scopes_are_advised():
    world = World()
    key = world.issue().key

    def endless(query):
        return Found((), "more")

    told = key_usage.key_usage(key, world.now - timedelta(days=1), world.now, search=endless)

    assert (told["complete"], told["narrowest_scopes"]) == (False, None)
