"""Which action and resource a request to a protected API is about."""

import pytest

from platforma.policy.protected_api import Asked, ProtectedAPI, Route, asked
from tests.unit.policy.worlds import TENANT

ROUTES = (
    Route("GET", "/clusters", "infrastructure.clusters.list", "cluster"),
    Route("GET", "/clusters/{id}", "infrastructure.clusters.get", "cluster", "{id}", {"region": "{query.region}"}),
    Route("GET", "/clusters/new", "infrastructure.templates.get"),
    Route("*", "/clusters/{id}", "infrastructure.clusters.update", "cluster", "{id}"),
    Route("GET", "/files/{path+}", "objects.objects.get", "file", "f/{path}", {"who": "{header.x-who}"}),
)
API = ProtectedAPI(
    id="api_1",
    tenant_id=TENANT,
    name="",
    audience="",
    environment="live",
    domains=(),
    routes=ROUTES,
    created_at="",
)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/clusters", Asked("infrastructure.clusters.list", "cluster", None, {})),
        ("GET", "/clusters/cls_1", Asked("infrastructure.clusters.get", "cluster", "cls_1", {"region": "eu"})),
        ("get", "/clusters/cls%201", Asked("infrastructure.clusters.get", "cluster", "cls 1", {"region": "eu"})),
        ("GET", "/clusters/new", Asked("infrastructure.templates.get", None, None, {})),
        ("GET", "/clusters/n%65w", Asked("infrastructure.templates.get", None, None, {})),
        ("DELETE", "/clusters/new", Asked("infrastructure.clusters.update", "cluster", "new", {})),
        ("GET", "/files/a/b", Asked("objects.objects.get", "file", "f/a/b", {})),
        ("GET", "/clusters/", None),
        ("GET", "/clusters/a/b", None),
        ("GET", "/clusters/a%2Fb", None),
        ("GET", "/clusters/..", None),
        ("GET", "/clusters/%2e%2e", None),
        ("GET", "/files/", None),
        ("GET", "/files/a/../b", None),
        ("GET", "/clusters/%ff", None),
        ("GET", "clusters", None),
        ("POST", "/clusters", None),
    ],
)
def test_a_request_is_about_its_most_literal_route_or_nothing(method, path, expected):
    assert asked(API, method, path, query={"region": "eu"}) == expected


def test_an_attribute_that_cannot_be_filled_is_left_out():
    assert asked(API, "GET", "/clusters/cls_1").resource_attributes == {}


def test_a_header_can_tell_an_attribute():
    assert asked(API, "GET", "/files/a", headers={"x-who": "me"}).resource_attributes == {"who": "me"}
