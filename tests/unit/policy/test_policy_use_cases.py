"""Writing policies: checked, guarded against locking everybody out, told as events; and what a warm instance sees of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platforma.adapters.memory.policies import MemoryPolicies
from platforma.kernel.errors import Conflict, NotFound, PreconditionFailed, Unavailable, Unprocessable
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.policy import (
    create_policy,
    create_protected_api,
    delete_policy,
    get_policy,
    list_policies,
    list_policy_versions,
    put_resource,
    replace_policy,
    validate_policy,
)
from platforma.policy.decide import decide
from platforma.policy.errors import Moved, WouldLockOut
from platforma.policy.model import Role, Versions
from platforma.policy.ports import Member
from platforma.policy.snapshots import BOUND, FRESH, MAX_TENANTS, Snapshots
from tests.unit.policy.worlds import NOON, SAMPLE, TENANT, request, user

FREEZE = {"effect": "deny", "actions": ["settings.users.*"], "resources": ["user:usr_7"], "conditions": {"mfa": True}}


class Office:
    """A tenant with its people, its rules, its events and a clock."""

    def __init__(self):
        self.now = NOON
        self.events = []
        self.store = MemoryPolicies(self.events.append)
        self.store.set_versions(TENANT, Versions(policy=1, revocation=1, status="active"))
        self.people = [Member(user("admin", id="usr_1"), able=True), Member(user("viewer", id="usr_2"), able=True)]
        self.ports = {"store": self.store, "clock": lambda: self.now}

    def holders(self, tenant_id, roles):
        return [member for member in self.people if member.subject.roles & roles]

    def attempt(self):
        return Attempt("req", "settings.policies.create", lambda: self.now, tenant_id=TENANT, principal_id="usr_1")

    def create(self, document=SAMPLE, attachments=(("tenant", TENANT),), **more):
        attached = [{"type": kind, "id": name} for kind, name in attachments]
        fields = {"name": "x", "document": document, "attachments": attached, **more}
        return create_policy(TENANT, **fields, **self.ports, holders=self.holders, attempt=self.attempt())

    def replace(self, policy, *, if_match=None, document=SAMPLE, attachments=(("tenant", TENANT),)):
        attached = [{"type": kind, "id": name} for kind, name in attachments]
        fields = {"name": "y", "document": document, "attachments": attached, "if_match": if_match}
        return replace_policy(TENANT, policy.id, **fields, **self.ports, holders=self.holders, attempt=self.attempt())


@pytest.fixture
def office():
    return Office()


def test_a_new_policy_is_kept_with_its_event(office):
    policy = office.create()

    assert get_policy(TENANT, policy.id, store=office.store) == policy
    (event,) = office.events
    assert (event.resource, event.resource_type, event.changes["after"]["document"]) == (policy.id, "policy", SAMPLE)


def test_a_long_document_is_told_by_its_hash(office):
    office.create({**SAMPLE, "resources": [f"cluster:{n:0100}" for n in range(100)]})

    assert office.events[0].changes["after"]["document"].keys() == {"sha256", "bytes"}


def test_a_policy_that_is_not_valid_is_not_kept(office):
    with pytest.raises(Unprocessable) as refused:
        office.create({**SAMPLE, "effect": "maybe"})

    assert [fault["pointer"] for fault in refused.value.errors] == ["/document/effect"]
    assert not office.events


def test_each_version_is_a_write_that_named_or_did_not_name_the_one_before(office):
    first = office.create()
    second = office.replace(first, if_match=1)
    third = office.replace(first)

    with pytest.raises(PreconditionFailed):
        office.replace(first, if_match=2)

    assert list_policy_versions(TENANT, first.id, store=office.store).items == (third, second, first)
    assert list_policies(TENANT, store=office.store).items == (third,)


def test_a_change_that_names_no_version_comes_after_one_that_came_first(office, monkeypatch):
    policy, get, others = office.create(), office.store.get, iter([2, 3])

    def slow_get(tenant_id, policy_id):
        found = get(tenant_id, policy_id)
        if number := next(others, None):
            office.store.replace(replace(found, version=number), office.attempt().event("success"))
        return found

    monkeypatch.setattr(office.store, "get", slow_get)

    assert office.replace(policy).version == 4


def test_what_is_not_there_is_not_found(office):
    for policy_id in (new_id("pol"), "pol_", "../x"):
        with pytest.raises(NotFound):
            get_policy(TENANT, policy_id, store=office.store)
        with pytest.raises(NotFound):
            list_policy_versions(TENANT, policy_id, store=office.store)
        with pytest.raises(NotFound):
            delete_policy(TENANT, policy_id, if_match=None, store=office.store, attempt=office.attempt())


def test_a_deleted_policy_is_gone_and_its_versions_stay(office):
    policy = office.create()

    delete_policy(TENANT, policy.id, if_match=1, store=office.store, attempt=office.attempt())

    assert office.store.get(TENANT, policy.id) is None
    assert list_policy_versions(TENANT, policy.id, store=office.store).items == (policy,)


# The lock-out guard


@pytest.mark.parametrize(
    "document",
    [
        FREEZE,
        {"effect": "deny", "actions": ["settings:manage"], "resources": ["*"]},
        {"effect": "deny", "actions": ["*"], "resources": ["user:x"]},
        {"effect": "allow", "actions": ["*"], "resources": ["cluster:*"]},
        {"statements": [SAMPLE, FREEZE]},
    ],
)
def test_a_policy_that_could_shut_out_the_last_administrator_is_refused(office, document):
    with pytest.raises(WouldLockOut):
        office.create(document)

    assert not office.events


@pytest.mark.parametrize(
    ("document", "attachments"),
    [
        (SAMPLE, [("tenant", TENANT)]),
        (
            {"effect": "deny", "actions": ["*:*", "settings:read", "settings.users.list"], "resources": ["*"]},
            [("tenant", TENANT)],
        ),
        (FREEZE, [("role", "viewer")]),
        (FREEZE, []),
        ({"effect": "allow", "actions": ["settings:manage"], "resources": ["*"]}, [("tenant", TENANT)]),
    ],
)
def test_a_policy_that_leaves_an_administrator_is_not_refused(office, document, attachments):
    assert office.create(document, attachments).version == 1


def test_a_second_administrator_out_of_its_reach_lets_it_pass(office):
    office.people.append(Member(user("admin", "operator", id="usr_3"), able=True))

    assert office.create(FREEZE, [("role", "viewer"), ("group", new_id("grp"))])
    office.people[0] = Member(user("admin", "viewer", id="usr_1"), able=True)
    assert office.create(FREEZE, [("role", "viewer")])
    office.people[1:] = [Member(user("admin", id="usr_3"), able=False)]
    with pytest.raises(WouldLockOut):
        office.create(FREEZE, [("role", "viewer")])


def test_a_role_of_the_tenants_own_can_administer(office):
    office.people = [Member(user("chief", id="usr_1"), able=True)]
    office.store.put_role(
        Role(tenant_id=TENANT, name="chief", actions=("settings:manage",)), office.attempt().event("success")
    )

    assert office.create(FREEZE, [("role", "viewer")])
    with pytest.raises(WouldLockOut):
        office.create(FREEZE, [("role", "chief")])


def test_of_two_policies_that_each_leave_the_others_administrator_one_is_refused(office):
    """Both are checked on the same rules; the second write finds them moved, looks again, and is refused."""
    office.people = [
        Member(user("admin", "left", id="usr_1"), able=True),
        Member(user("admin", "right", id="usr_2"), able=True),
    ]
    create, raced = office.store.create, []

    def create_after_the_other(policy, event, *, unmoved=None):
        if not raced:
            raced.append(True)
            office.create(FREEZE, [("role", "left")])
        create(policy, event, unmoved=unmoved)

    office.store.create = create_after_the_other

    with pytest.raises(WouldLockOut):
        office.create(FREEZE, [("role", "right")])
    assert len(office.store.load(TENANT).policies) == 1


def test_rules_that_never_stand_still_are_a_conflict(office, monkeypatch):
    def moved(*_, **__):
        raise Moved

    office.people.append(Member(user("admin", id="usr_3"), able=True))
    monkeypatch.setattr(office.store, "create", moved)

    with pytest.raises(Conflict):
        office.create(FREEZE, [("role", "viewer")])


# Validation


def validated(office, document, attachments=()):
    attached = [{"type": kind, "id": name} for kind, name in attachments]
    snapshots = Snapshots(office.store, lambda: office.now)
    return validate_policy(
        TENANT,
        document=document,
        attachments=attached,
        snapshots=snapshots,
        holders=office.holders,
        clock=lambda: office.now,
    )


def test_faults_of_document_and_attachments_are_told_together(office):
    found = validated(office, {**SAMPLE, "effect": "x"}, [("user", "nobody")])

    assert (found["valid"], [one["pointer"] for one in found["errors"]]) == (
        False,
        ["/document/effect", "/attachments/0/id"],
    )


@pytest.mark.parametrize(
    ("document", "pointer", "word"),
    [
        ({"effect": "allow", "actions": ["*"], "resources": ["*"]}, "/document", "Over-broad"),
        ({**SAMPLE, "actions": ["widgets:read"]}, "/document/actions/0", "not known"),
        (
            {**SAMPLE, "conditions": {"date_range": {"not_after": "2020-01-01T00:00:00Z"}}},
            "/document/conditions/date_range",
            "Never",
        ),
        ({"statements": [SAMPLE, {**SAMPLE, "resources": ["cluster:cls_eu01"]}]}, "/document/statements/1", "Shadowed"),
        ({"statements": [SAMPLE, SAMPLE]}, "/document/statements/1", "Shadowed"),
        (
            {"statements": [SAMPLE, {"effect": "deny", "actions": ["*"], "resources": ["cluster:*"]}]},
            "/document/statements/0",
            "Shadowed",
        ),
    ],
)
def test_what_its_author_may_not_have_meant_is_warned_of(office, document, pointer, word):
    warnings = validated(office, document)["warnings"]

    assert [one["pointer"] for one in warnings] == [pointer]
    assert word in warnings[0]["detail"]


def test_the_sample_raises_no_warning_but_of_whom_it_narrows(office):
    office.people.append(Member(user("operator", id="usr_3"), able=False))

    assert validated(office, SAMPLE)["warnings"] == []
    assert validated(office, SAMPLE, [("role", "viewer")])["warnings"] == []
    (warning,) = validated(office, SAMPLE, [("tenant", TENANT)])["warnings"]
    assert warning["detail"].startswith("Narrows 1 user:")


# What a warm instance sees


class Counted(MemoryPolicies):
    """Counts the reads, and fails them on request."""

    def __init__(self):
        super().__init__()
        self.looks, self.loads, self.fails = 0, 0, False

    def versions(self, tenant_id):
        self.looks += 1
        if self.fails:
            raise Unavailable
        return super().versions(tenant_id)

    def load(self, tenant_id):
        self.loads += 1
        return super().load(tenant_id)


@pytest.fixture
def warm(office):
    office.store = office.ports["store"] = Counted()
    office.store.set_versions(TENANT, Versions(policy=1, revocation=1, status="active"))
    office.snapshots = Snapshots(office.store, lambda: office.now)
    return office


def test_nothing_is_read_within_two_seconds_and_no_rules_until_they_move(warm):
    for seconds in range(10):
        warm.now = NOON + timedelta(seconds=seconds)
        warm.snapshots.of(TENANT)
        warm.snapshots.of(TENANT)

    assert (warm.store.looks, warm.store.loads) == (5, 1)


def test_a_change_bites_after_two_seconds(warm):
    asked = request("infrastructure.clusters.get", "cluster:cls_eu01")

    def allowed():
        return decide(warm.snapshots.of(TENANT).policy_set, user(), asked).allowed

    before = allowed()
    warm.create()
    warm.now += FRESH

    assert (before, allowed()) == (False, True)


def test_who_gives_rights_sees_what_another_instance_wrote_a_moment_ago(warm):
    asked = request("infrastructure.clusters.get", "cluster:cls_eu01")
    warm.snapshots.of(TENANT)
    warm.create()

    now = decide(warm.snapshots.current(TENANT).policy_set, user(), asked).allowed
    after = decide(warm.snapshots.of(TENANT).policy_set, user(), asked).allowed

    assert (now, after) == (True, True)


def test_who_gives_rights_is_not_answered_by_what_was_read_before_the_store_went(warm):
    warm.snapshots.of(TENANT)
    warm.store.fails = True

    with pytest.raises(Unavailable):
        warm.snapshots.current(TENANT)


def test_a_suspended_tenant_stands_suspended(warm):
    warm.snapshots.of(TENANT)
    warm.store.set_versions(TENANT, Versions(policy=1, revocation=2, status="suspended"))
    warm.now += FRESH

    assert warm.snapshots.of(TENANT).standing == "suspended"


def test_a_tenant_that_does_not_exist_is_unknown_and_not_kept(warm):
    assert [warm.snapshots.of("ten_none").standing for _ in range(2)] == ["unknown", "unknown"]
    assert warm.store.looks == 2


def test_what_was_read_stands_for_five_seconds_without_its_store_and_no_longer(warm):
    kept = warm.snapshots.of(TENANT)
    warm.store.fails = True

    warm.now = NOON + BOUND - timedelta(milliseconds=1)
    assert warm.snapshots.of(TENANT) is kept
    warm.now = NOON + BOUND
    with pytest.raises(Unavailable):
        warm.snapshots.of(TENANT)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["change", "fail", "mend", "ask", "ask"]), st.integers(0, 1), st.integers(0, 3000)),
        max_size=40,
    )
)
def test_no_instance_answers_by_rules_that_were_changed_more_than_five_seconds_ago(steps):
    """Whatever is asked when, of whichever instance, while the store comes and goes: it is by newer rules, or not at all."""
    now, store = [NOON], Counted()
    store.set_versions(TENANT, Versions(policy=1, revocation=1, status="active"))
    instances = [Snapshots(store, lambda: now[0]) for _ in range(2)]
    stood = [(NOON, 1)]

    for step, which, milliseconds in steps:
        now[0] += timedelta(milliseconds=milliseconds)
        if step == "change":
            stood.append((now[0], stood[-1][1] + 1))
            store.set_versions(TENANT, Versions(policy=stood[-1][1], revocation=1, status="active"))
        elif step != "ask":
            store.fails = step == "fail"
        else:
            oldest = max(version for at, version in stood if at <= max(now[0] - BOUND, NOON))
            try:
                answered = instances[which].of(TENANT)
            except Unavailable:
                assert store.fails
            else:
                assert answered.versions.policy >= oldest
                assert store.fails or answered.versions.policy >= max(
                    v for at, v in stood if at <= max(now[0] - FRESH, NOON)
                )


def test_a_clock_set_back_does_not_make_old_rules_new(warm):
    warm.snapshots.of(TENANT)
    warm.now -= timedelta(hours=1)
    warm.snapshots.of(TENANT)

    assert warm.store.looks == 2


def test_an_instance_keeps_a_bounded_number_of_tenants(warm):
    tenants = [f"ten_{number}" for number in range(MAX_TENANTS + 1)]
    for tenant in tenants:
        warm.store.set_versions(tenant, Versions(policy=1, revocation=1, status="active"))
        warm.snapshots.of(tenant)

    warm.snapshots.of(tenants[-1])
    warm.snapshots.of(tenants[0])

    assert warm.store.looks == MAX_TENANTS + 2


# Other APIs and what is known of resources


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
