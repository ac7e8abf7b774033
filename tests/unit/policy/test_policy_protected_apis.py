"""Other APIs, with the routes and domains that they register, and what is known of resources."""

import pytest

from platforma.kernel.errors import PreconditionFailed, Unprocessable
from platforma.policy import (
    create_protected_api,
    put_resource,
)
from platforma.policy.decide import decide
from platforma.policy.snapshots import FRESH
from tests.unit.policy.worlds import TENANT, request, user


def an_api(office, routes, domains=()):
    fields = {"name": "x", "audience": f"https://{len(office.events)}.test", "environment": "live"}
    return create_protected_api(TENANT, **fields, routes=routes, domains=domains, **office.ports, attempt=office.attempt())


def test_a_registered_domain_is_known_to_decisions_and_routes(warm):
    route = {"method": "GET", "path": "/widgets/{id}", "action": "widgets.widgets.get"}
    asked = request("widgets.widgets.get", "widget:1")
    before = decide(warm.snapshots.of(TENANT).policy_set, user("viewer"), asked)

    api = an_api(warm, [route], ["widgets"])
    warm.now += FRESH
    snapshot = warm.snapshots.of(TENANT)

    assert (before.cause, decide(snapshot.policy_set, user("viewer"), asked).kind) == ("unknown_domain", "allow")
    assert snapshot.api(api.audience) == api


GOOD = {"method": "GET", "path": "/a/{id}", "action": "orders.orders.get", "resource": {"type": "order", "id": "{id}"}}


@pytest.mark.parametrize(
    ("route", "pointer"),
    [
        ({**GOOD, "method": "get"}, "/routes/0/method"),
        ({**GOOD, "path": "a"}, "/routes/0/path"),
        ({**GOOD, "path": "/a//{id}"}, "/routes/0/path"),
        ({**GOOD, "path": "/../{id}"}, "/routes/0/path"),
        ({**GOOD, "path": "/{id+}/b"}, "/routes/0/path"),
        ({**GOOD, "path": "/{id}/{id}"}, "/routes/0/path"),
        ({**GOOD, "path": "/x{id}"}, "/routes/0/path"),
        ({**GOOD, "path": "/%61/{id}"}, "/routes/0/path"),
        ({**GOOD, "action": "orders.*"}, "/routes/0/action"),
        ({**GOOD, "action": "widgets.widgets.get"}, "/routes/0/action"),
        ({**GOOD, "action": "platform.tenants.get"}, "/routes/0/action"),
        ({**GOOD, "resource": {"type": "a:b", "id": "{id}"}}, "/routes/0/resource/type"),
        ({**GOOD, "resource": {"type": "order", "id": "{name}"}}, "/routes/0/resource/id"),
        ({**GOOD, "resource": {"type": "order", "id": "{id"}}, "/routes/0/resource/id"),
        ({**GOOD, "resource": {"type": "order", "attributes": {"a": ""}}}, "/routes/0/resource/attributes/a"),
        ({**GOOD, "auth": False}, "/routes/0/auth"),
    ],
)
def test_a_route_that_cannot_be_meant_is_pointed_at(office, route, pointer):
    with pytest.raises(Unprocessable) as refused:
        an_api(office, [route])

    assert [fault["pointer"] for fault in refused.value.errors] == [pointer]


def test_two_routes_for_the_same_requests_are_refused(office):
    with pytest.raises(Unprocessable):
        an_api(office, [GOOD, {**GOOD, "path": "/a/{name}", "resource": None}])


@pytest.mark.parametrize("domain", ["settings", "platform", "Orders", "", 7])
def test_no_api_takes_a_domain_that_is_the_platforms_own(office, domain):
    with pytest.raises(Unprocessable):
        an_api(office, [GOOD], [domain])


def test_what_is_known_of_a_resource_is_kept_in_versions(office):
    ports = {"store": office.store, "attempt": office.attempt()}
    put_resource(TENANT, "cluster", "cls_1", attributes={"region": "eu"}, if_match=None, **ports)

    second = put_resource(TENANT, "cluster", "cls_1", attributes={}, environment="test", if_match=1, **ports)

    assert office.store.resource(TENANT, "cluster", "cls_1") == second
    with pytest.raises(PreconditionFailed):
        put_resource(TENANT, "cluster", "cls_1", attributes={}, if_match=1, **ports)
    with pytest.raises(Unprocessable):
        put_resource(TENANT, "cluster", "cls_1", attributes={"a": {}}, if_match=None, **ports)
