"""One suite over where rules are kept: in memory, and in DynamoDB (moto)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Barrier

import pytest

from platforma.adapters.dynamodb.policies import DynamoPolicies
from platforma.adapters.dynamodb.versions import SK, VersionsItem
from platforma.adapters.memory.policies import MemoryPolicies
from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.policy.errors import Moved
from platforma.policy.model import Attachment, Policy, Role, Versions
from platforma.policy.protected_api import KnownResource, ProtectedAPI, Route
from tests.contract.on_moto import KeptEvents, tables_on_moto

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
TIME = "2026-11-24T10:00:00.000Z"


@dataclass
class Place:
    """An implementation, and the ids of the events that were entered with its writes."""

    store: object
    events: object


@pytest.fixture(scope="module")
def tables():
    """A table that all tests here share: each has a tenant of its own."""
    with tables_on_moto("policy") as tables:
        yield tables


@pytest.fixture(params=["memory", "dynamodb"])
def place(request):
    if request.param == "memory":
        events = []
        return Place(MemoryPolicies(events.append), lambda: {event.id for event in events})
    tables = request.getfixturevalue("tables").bind()
    outbox = KeptEvents(tables, "policy")
    return Place(DynamoPolicies(tables, outbox), outbox.ids)


@pytest.fixture
def store(place):
    return place.store


@pytest.fixture
def tenant_id(store):
    tenant_id = new_id("ten")
    if isinstance(store, MemoryPolicies):
        store.set_versions(tenant_id, Versions(policy=1, revocation=1, status="active"))
    else:
        VersionsItem(tenant_id, SK).save()
    return tenant_id


def event():
    return Attempt("req", "settings.policies.create", lambda: NOW).event("success")


def a_policy(tenant_id, **fields):
    document = {
        "effect": "allow",
        "actions": ["orders:read"],
        "resources": ["order:ü*"],
        "conditions": {"resource_attributes": {"size": {"lt": 1.5, "gte": 10**30}, "big": [1, 1.0, True, None, ""]}},
    }
    content = {
        "document": document,
        "attachments": (Attachment("tenant", tenant_id), Attachment("role", "viewer")),
        **fields,
    }
    return Policy(
        id=new_id("pol"),
        tenant_id=tenant_id,
        name="readers",
        created_at=TIME,
        updated_at=TIME,
        updated_by="usr_1",
        **content,
    )


def an_api(tenant_id, **fields):
    route = Route("GET", "/orders/{id}", "orders.orders.get", "order", "{id}", {"region": "{query.region}"})
    content = {
        "audience": "https://orders.test",
        "routes": (route, Route("POST", "/orders", "orders.orders.create")),
        **fields,
    }
    return ProtectedAPI(
        id=new_id("api"),
        tenant_id=tenant_id,
        name="orders",
        environment="live",
        domains=("orders",),
        created_at=TIME,
        **content,
    )


def a_resource(tenant_id, **fields):
    content = {"attributes": {"region": "eu", "size": 1.5}, "environment": "live", **fields}
    return KnownResource(tenant_id=tenant_id, type="cluster", id="cls_eu01", **content)


def test_a_policy_comes_back_as_it_was(store, tenant_id):
    policy = a_policy(tenant_id, description="ü")

    store.create(policy, event())

    assert store.get(tenant_id, policy.id) == policy
    assert repr(store.get(tenant_id, policy.id).document) == repr(policy.document)


def test_a_policy_of_another_tenant_is_not_there(store, tenant_id):
    policy = a_policy(tenant_id)

    store.create(policy, event())

    assert store.get(new_id("ten"), policy.id) is None


def test_every_version_stays_readable_and_the_newest_comes_first(store, tenant_id):
    first = a_policy(tenant_id)
    versions = [replace(first, version=number, name=f"v{number}") for number in range(1, 13)]
    store.create(versions[0], event())
    for policy in versions[1:]:
        store.replace(policy, event())
    store.delete(versions[-1], event())

    page = store.revisions(tenant_id, first.id, limit=10)
    rest = store.revisions(tenant_id, first.id, limit=10, after=page.next)

    assert [*page.items, *rest.items] == versions[::-1]
    assert rest.next is None
    assert store.get(tenant_id, first.id) is None


def test_a_stale_version_replaces_and_deletes_nothing(store, tenant_id):
    policy = a_policy(tenant_id)
    store.create(policy, event())
    store.replace(replace(policy, version=2), event())

    with pytest.raises(PreconditionFailed):
        store.replace(replace(policy, version=2, name="late"), event())
    with pytest.raises(PreconditionFailed):
        store.delete(policy, event())

    assert store.get(tenant_id, policy.id) == replace(policy, version=2)


def test_an_id_is_created_once(store, tenant_id):
    policy = a_policy(tenant_id)
    store.create(policy, event())

    with pytest.raises(Conflict):
        store.create(replace(policy, name="again"), event())

    assert store.get(tenant_id, policy.id) == policy


def test_pages_hold_each_policy_once_in_order(store, tenant_id):
    policies = sorted((a_policy(tenant_id) for _ in range(5)), key=lambda policy: policy.id)
    for policy in policies:
        store.create(policy, event())

    found, after = [], None
    while True:
        page = store.page(tenant_id, after=after, limit=2)
        found += page.items
        if (after := page.next) is None:
            break

    assert found == policies


def test_rules_are_all_of_the_tenant_and_nothing_else(store, tenant_id):
    policy, role, api = (
        a_policy(tenant_id),
        Role(tenant_id=tenant_id, name="clerk", actions=("orders:*",)),
        an_api(tenant_id),
    )
    store.create(policy, event())
    store.put_role(role, event())
    store.put_api(api, event())
    store.put_resource(a_resource(tenant_id), event())
    store.create(a_policy(new_id("ten")), event())

    rules = store.load(tenant_id)

    assert (rules.policies, rules.roles, rules.apis) == ((policy,), (role,), (api,))


def test_every_write_of_rules_moves_the_policy_version_and_enters_its_event(place, tenant_id):
    store, policy = place.store, a_policy(tenant_id)
    role, api = Role(tenant_id=tenant_id, name="clerk", actions=("orders:*",)), an_api(tenant_id)
    writes = [
        lambda happened: store.create(policy, happened),
        lambda happened: store.replace(replace(policy, version=2), happened),
        lambda happened: store.delete(replace(policy, version=2), happened),
        lambda happened: store.put_role(role, happened),
        lambda happened: store.put_role(replace(role, version=2), happened),
        lambda happened: store.delete_role(replace(role, version=2), happened),
        lambda happened: store.put_api(api, happened),
        lambda happened: store.put_api(replace(api, version=2), happened),
        lambda happened: store.delete_api(replace(api, version=2), happened),
    ]

    for number, write in enumerate(writes, 2):
        happened = event()
        write(happened)
        assert store.versions(tenant_id).policy == number
        assert happened.id in place.events()
        assert happened.attempt.entered


def test_a_refused_write_enters_no_event_and_moves_nothing(place, tenant_id):
    policy, refused = a_policy(tenant_id), event()
    place.store.create(policy, event())

    with pytest.raises(PreconditionFailed):
        place.store.delete(replace(policy, version=7), refused)

    assert refused.id not in place.events()
    assert not refused.attempt.entered
    assert place.store.versions(tenant_id).policy == 2


def test_what_was_checked_against_counters_is_written_only_while_they_stand(store, tenant_id):
    checked = store.versions(tenant_id)
    store.create(a_policy(tenant_id), event())
    policy = a_policy(tenant_id)

    with pytest.raises(Moved):
        store.create(policy, event(), unmoved=checked)
    store.create(policy, event(), unmoved=store.versions(tenant_id))

    assert store.get(tenant_id, policy.id) == policy


def test_of_twenty_racing_replacements_one_wins(store, tenant_id):
    policy = a_policy(tenant_id)
    store.create(policy, event())
    start = Barrier(20)

    def race(number):
        start.wait()
        try:
            store.replace(replace(policy, version=2, name=f"racer {number}"), event())
        except PreconditionFailed:
            return None
        return f"racer {number}"

    with ThreadPoolExecutor(20) as threads:
        won = [name for name in threads.map(race, range(20)) if name]

    assert won == [store.get(tenant_id, policy.id).name]


def test_a_tenant_without_counters_does_not_exist(store):
    assert store.versions(new_id("ten")) is None


def test_an_audience_is_one_apis_alone_in_its_tenant(store, tenant_id):
    api = an_api(tenant_id)
    store.put_api(api, event())

    with pytest.raises(Conflict):
        store.put_api(an_api(tenant_id), event())
    store.put_api(replace(api, version=2, audience="https://other.test"), event())
    store.put_api(successor := an_api(tenant_id), event())
    store.delete_api(successor, event())
    store.put_api(an_api(tenant_id), event())

    assert store.api(tenant_id, api.id).audience == "https://other.test"


def test_a_resource_comes_back_as_it_was_until_it_is_forgotten(store, tenant_id):
    resource = a_resource(tenant_id)
    store.put_resource(resource, event())
    newer = replace(resource, version=2, attributes={}, environment=None)
    store.put_resource(newer, event())

    assert store.resource(tenant_id, "cluster", "cls_eu01") == newer
    with pytest.raises(PreconditionFailed):
        store.put_resource(resource, event())
    store.delete_resource(newer, event())
    assert store.resource(tenant_id, "cluster", "cls_eu01") is None


def test_resources_of_a_type_are_listed_by_id_page_by_page(store, tenant_id):
    for identity in ("b", "a#1", "c", "a"):
        store.put_resource(replace(a_resource(tenant_id), type="box", id=identity), event())
    for other in (replace(a_resource(tenant_id), type="boxes"), replace(a_resource(new_id("ten")), type="box", id="x")):
        store.put_resource(other, event())

    first = store.resources(tenant_id, "box", limit=3)
    assert [one.id for one in first.items] == ["a", "a#1", "b"]
    last = store.resources(tenant_id, "box", limit=3, after=first.next)
    assert ([one.id for one in last.items], last.next) == (["c"], None)
    assert store.resources(tenant_id, "none").items == ()


def test_resources_whose_names_run_together_are_told_apart(store, tenant_id):
    store.put_resource(replace(a_resource(tenant_id), type="a", id="b#c"), event())

    assert store.resource(tenant_id, "a#b", "c") is None
