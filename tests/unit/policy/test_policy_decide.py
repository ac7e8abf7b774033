"""Decisions: what the worked cases leave open, and properties that hold for all."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platforma.kernel.tenancy import PLATFORM
from platforma.policy.compile import compile_rules
from platforma.policy.decide import decide
from platforma.policy.effective import effective_permissions
from platforma.policy.model import MAX_MATCHED, Match, Subject
from platforma.policy.ports import Rules
from tests.unit.policy.strategies import (
    ACTION_PATTERNS,
    ACTIONS,
    RESOURCES,
    a_statement,
    a_subject,
    requests,
    some_circumstances,
    some_rules,
)
from tests.unit.policy.worlds import NOON, SAMPLE, TENANT, key, policy, policy_set, request, user

EVERYTHING = {"effect": "allow", "actions": ["*"], "resources": ["*"]}
GET, DELETE = "infrastructure.clusters.get", "infrastructure.clusters.delete"


def decision(subject, asked, *policies, **rules):
    return decide(policy_set(*policies, **rules), subject, asked)


def test_the_answer_names_the_grants_and_statements_that_decided():
    found = decision(user("admin", "viewer"), request(GET, "cluster:cls_eu01"), policy(3, SAMPLE, ("user", "usr_1")))

    assert found.matched == (
        Match("allow", "*", role="admin"),
        Match("allow", "*:read", role="viewer"),
        Match("allow", 0, policy_id=policy(3, SAMPLE).id),
    )


def test_the_answer_is_told_as_the_contract_says():
    found = decision(user("operator"), request(GET, "cluster:cls_eu01"))._replace(decision_id="dec_1")

    assert found.as_json() == {
        "decision": "allow",
        "decision_id": "dec_1",
        "kind": "allow",
        "reason": "A role of the principal allows this.",
        "matched": [{"role": "operator", "statement": "infrastructure:manage", "effect": "allow"}],
        "policy_set": policy_set().hash,
    }


def test_a_statement_that_is_reached_twice_is_named_once():
    twice = {
        "effect": "allow",
        "actions": ["infrastructure:read", "infrastructure.*"],
        "resources": ["cluster:*", "*:cls_eu01"],
    }

    found = decision(user("gone"), request(GET, "cluster:cls_eu01"), policy(1, twice, ("user", "usr_1"), ("role", "gone")))

    assert found.matched == (Match("allow", 0, policy_id=policy(1, twice).id),)


def test_of_many_that_decide_some_are_named():
    many = [policy(number, EVERYTHING, ("user", "usr_1")) for number in range(100)]

    assert len(decision(user(), request(GET), *many).matched) == MAX_MATCHED


@pytest.mark.parametrize("standing", ["suspended", "unknown", "expired"])
def test_who_does_not_stand_may_nothing(standing):
    found = decision(user("admin", standing=standing), request(GET))

    assert (found.kind, found.cause) == ("suspended", standing)


def test_a_key_falls_with_its_owner():
    assert decision(key(user("admin", standing="suspended")), request(GET)).kind == "suspended"


def test_who_is_of_another_tenant_is_not_known():
    assert decision(user("admin", tenant_id=PLATFORM), request(GET)).cause == "unknown"


@pytest.mark.parametrize(
    ("environment", "where", "expected"),
    [
        ("test", "live", "cap"),
        ("live", "test", "cap"),
        ("test", "test", "allow"),
        ("live", "live", "allow"),
        ("test", None, "allow"),
    ],
)
def test_a_key_is_good_in_its_environment(environment, where, expected):
    assert decision(key(user("admin"), environment=environment), request(DELETE, environment=where)).kind == expected


@pytest.mark.parametrize(
    ("action", "own_api", "expected"),
    [
        ("settings.users.list", True, "allow"),
        ("settings.users.create", True, "cap"),
        ("settings.users.create", False, "cap"),
        ("objects.objects.put", True, "cap"),
        ("objects.objects.put", False, "allow"),
        ("crypto.data.decrypt", False, "allow"),
    ],
)
def test_a_test_key_changes_nothing_of_this_api(action, own_api, expected):
    assert decision(key(user("admin"), environment="test"), request(action, own_api=own_api)).kind == expected


def test_a_clients_own_token_is_not_capped_by_what_is_attached_to_the_client():
    client = Subject(type="oauth_client", id="cli_1", tenant_id=TENANT, client_id="cli_1", scopes=("*",))

    assert decision(client, request(GET, "cluster:cls_eu01"), policy(1, SAMPLE, ("oauth_client", "cli_1"))).allowed


def test_a_deny_attached_to_a_key_is_in_force_for_it_alone():
    deny = policy(1, {"effect": "deny", "actions": ["*"], "resources": ["*"]}, ("api_key", "key_1"))

    assert decision(key(user("admin")), request(GET), deny).kind == "explicit_deny"
    assert decision(user("admin"), request(GET), deny).allowed


def test_a_grant_replaced_by_a_keys_statement_is_replaced_for_the_key():
    narrow = policy(1, SAMPLE, ("api_key", "key_1"))

    assert decision(key(user("operator")), request(GET, "cluster:cls_us01"), narrow).kind == "no_match"
    assert decision(key(user("operator")), request(GET, "cluster:cls_eu01"), narrow).allowed
    assert decision(user("operator"), request(GET, "cluster:cls_us01"), narrow).allowed


def test_a_role_of_the_tenants_own_grants_its_actions_and_never_replaces_a_built_in_one():
    from platforma.policy.model import Role

    roles = (
        Role(tenant_id=TENANT, name="clerk", actions=("orders.orders.*",)),
        Role(tenant_id=TENANT, name="viewer", actions=("*",)),
    )

    assert decision(user("clerk"), request("orders.orders.create"), roles=roles).allowed
    assert not decision(user("viewer"), request("orders.orders.create"), roles=roles).allowed


def test_an_unknown_domain_is_reached_by_no_wildcard():
    assert decision(user("admin"), request("nonsense.things.get")).cause == "unknown_domain"


def test_an_unknown_domain_is_reached_by_name_within_a_scope_of_any_domain():
    by_name = policy(1, {"effect": "allow", "actions": ["nonsense:read"], "resources": ["*"]}, ("user", "usr_1"))

    assert decision(user(), request("nonsense.things.get"), by_name).allowed
    assert decision(key(user(), "*"), request("nonsense.things.get"), by_name).allowed
    assert decision(key(user(), "orders:read"), request("nonsense.things.get"), by_name).cause == "scope"


@pytest.mark.parametrize("action", ["", "nonsense", "infrastructure.clusters", "*", "infrastructure:*", "x" * 1000])
def test_what_is_no_action_is_denied(action):
    assert decision(user("admin"), request(action)).kind == "no_match"


def test_the_domain_platform_is_for_platform_clients_alone():
    everything = policy(1, {"effect": "allow", "actions": ["platform:manage", "*"], "resources": ["*"]}, ("user", "usr_1"))
    client = Subject(
        type="oauth_client", id="cli_1", tenant_id=PLATFORM, roles=frozenset({"platform"}), scopes=("platform:manage",)
    )

    assert not decision(user("admin"), request("platform.tenants.create"), everything).allowed
    assert decide(compile_rules(PLATFORM, Rules()), client, request("platform.tenants.create")).allowed
    user_there = replace(client, type="user", id="usr_1")
    assert not decide(compile_rules(PLATFORM, Rules()), user_there, request("platform.tenants.create")).allowed


def test_a_deny_that_cannot_be_read_denies_and_an_allow_does_not_allow():
    later = {**EVERYTHING, "conditions": {"phase_of_the_moon": "full"}}

    assert (
        decision(user("admin"), request(GET), policy(1, {**later, "effect": "deny"}, ("tenant", TENANT))).kind
        == "explicit_deny"
    )
    assert decision(user(), request(GET), policy(1, later, ("tenant", TENANT))).kind == "no_match"


@pytest.mark.parametrize(
    "document", [None, 7, {}, {"statements": 7}, {"effect": "allow"}, {**EVERYTHING, "actions": [7, "**"]}]
)
def test_a_broken_policy_changes_no_other_ones_result(document):
    broken, whole = policy(1, document, ("tenant", TENANT)), policy(2, SAMPLE, ("user", "usr_1"))

    assert decision(user(), request(GET, "cluster:cls_eu01"), broken, whole).allowed
    assert not decision(user(), request(GET, "cluster:cls_us01"), broken, whole).allowed


def test_a_crowd_is_told_apart_by_network_without_changing_an_answer():
    crowd = [
        policy(
            number,
            {
                "effect": effect,
                "actions": ["orders:read"],
                "resources": ["*"],
                "conditions": {"ip_range": [f"10.{number}.0.0/16"]},
            },
            ("user", "usr_1"),
        )
        for number in range(200)
        for effect in (["allow"] if number < 100 else ["deny"])
    ]

    kinds = {
        ip: decision(user(), request("orders:read", ip_address=ip), *crowd).kind
        for ip in ("10.7.0.1", "10.150.0.1", "11.0.0.1")
    }

    assert kinds == {"10.7.0.1": "allow", "10.150.0.1": "explicit_deny", "11.0.0.1": "no_match"}
    assert decision(user("admin"), request("orders:read", ip_address=None), *crowd).kind == "explicit_deny"


def test_effective_permissions_are_grants_left_and_statements_in_force():
    held = policy_set(policy(1, SAMPLE, ("user", "usr_1")), policy(2, EVERYTHING, ("role", "viewer")))

    assert effective_permissions(held, user("operator")) == ("billing:read", "infrastructure:manage")
    assert effective_permissions(held, user("operator"), unconditional=True) == ("billing:read",)
    assert effective_permissions(held, user("viewer"), unconditional=True) == ("*", "*:read")


# What held back, and what it saw


def nearest(subject, asked, *policies):
    return decide(policy_set(*policies), subject, asked, explain=True).nearest


def test_a_denial_tells_what_was_wanted_and_what_was_seen():
    (miss, replaced) = nearest(
        user("operator"), request(GET, "cluster:cls_us01", ip_address=None), policy(1, SAMPLE, ("user", "usr_1"))
    )

    assert miss == {
        "policy_id": policy(1, SAMPLE).id,
        "statement": 0,
        "effect": "allow",
        "misses": [
            {"wants": "resources", "of": ["cluster:cls_eu*"], "saw": "cluster:cls_us01"},
            {"wants": "ip_range", "of": ["10.0.0.0/8"], "missing": True},
        ],
    }
    assert replaced == {"role": "operator", "statement": "infrastructure:manage", "effect": "allow", "replaced": True}


def test_the_nearest_is_the_one_that_missed_by_least():
    far = {**SAMPLE, "resources": ["node:*"]}

    (miss,) = nearest(
        user(),
        request(GET, "cluster:cls_eu01", ip_address="203.0.113.42"),
        policy(1, far, ("user", "usr_1")),
        policy(2, SAMPLE, ("user", "usr_1")),
    )

    assert miss["policy_id"] == policy(2, SAMPLE).id
    assert miss["misses"] == [{"wants": "ip_range", "of": ["10.0.0.0/8"], "saw": "203.0.113.42"}]


def test_of_very_many_the_ones_about_the_resource_are_looked_at_first():
    """Whatever networks they ask for; the others only as far as a bound."""
    others = [
        policy(number, {**SAMPLE, "resources": [f"cluster:cls_us{number}"]}, ("user", "usr_1")) for number in range(600)
    ]
    asked = request(GET, "cluster:cls_eu01", ip_address=None, time=NOON + timedelta(hours=12))

    (miss,) = nearest(user(), asked, *others, policy(999, SAMPLE, ("user", "usr_1")))
    assert (miss["policy_id"], len(miss["misses"])) == (policy(999, SAMPLE).id, 2)

    (miss,) = nearest(user(), asked, *others)
    assert miss["policy_id"] == policy(0, SAMPLE).id


def test_a_denial_by_statement_names_it_and_what_it_could_not_know():
    deny = {**SAMPLE, "effect": "deny", "conditions": {"resource_attributes": {"tier": "gold"}}}

    (found,) = nearest(user("admin"), request(DELETE, "cluster:cls_eu01"), policy(1, deny, ("tenant", TENANT)))

    assert (found["effect"], found["misses"]) == (
        "deny",
        [{"wants": "resource_attributes.tier", "of": "gold", "missing": True}],
    )


def test_nothing_is_told_where_nothing_is_about_the_action():
    assert nearest(user(), request(GET, "cluster:cls_eu01")) is None


def test_an_allowed_answer_has_no_nearest():
    assert nearest(user("admin"), request(GET)) is None


# Properties

some = settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
some_scopes = st.lists(st.sampled_from(ACTION_PATTERNS), max_size=2)
asked = st.builds(
    requests,
    st.lists(st.sampled_from(ACTIONS), min_size=6, max_size=6, unique=True),
    st.lists(st.sampled_from(RESOURCES), min_size=5, max_size=5, unique=True),
    st.lists(some_circumstances, min_size=2, max_size=2),
)


def kinds(rules, subject, all_asked, **options):
    compiled = compile_rules(TENANT, rules)
    return [decide(compiled, subject, one, **options).kind for one in all_asked]


@some
@given(rules=some_rules(), subject=a_subject(), all_asked=asked, statement=a_statement)
def test_deny_trumps_allow(rules, subject, all_asked, statement):
    denied = policy(99, {**statement, "effect": "deny", "conditions": {}, "resources": ["*"]}, ("tenant", TENANT))

    before = kinds(Rules(policies=(denied,)), replace(subject, owner=None, type="user"), all_asked)
    after = kinds(replace(rules, policies=(*rules.policies, denied)), subject, all_asked)

    assert all(now != "allow" for was, now in zip(before, after, strict=True) if was == "explicit_deny")


@some
@given(rules=some_rules(), subject=a_subject(), all_asked=asked)
def test_removing_a_policy_never_adds_what_a_deny_that_stays_took(rules, subject, all_asked):
    whole = kinds(rules, subject, all_asked)

    for gone in rules.policies:
        left = replace(rules, policies=tuple(one for one in rules.policies if one is not gone))
        denies = replace(left, policies=tuple(one for one in left.policies if "allow" not in str(one.document)))
        still = kinds(denies, subject, all_asked)
        now = kinds(left, subject, all_asked)
        assert all(
            after != "allow"
            for before, stays, after in zip(whole, still, now, strict=True)
            if before == stays == "explicit_deny"
        )


@some
@given(rules=some_rules(), subject=a_subject(), all_asked=asked, chance=st.randoms(use_true_random=False))
def test_order_never_matters(rules, subject, all_asked, chance):
    policies = list(rules.policies)
    chance.shuffle(policies)
    shuffled = compile_rules(TENANT, replace(rules, policies=tuple(policies)))
    compiled = compile_rules(TENANT, rules)

    assert [decide(shuffled, subject, one) for one in all_asked] == [decide(compiled, subject, one) for one in all_asked]


@some
@given(
    rules=some_rules(), subject=a_subject(), all_asked=asked, scope=st.lists(st.sampled_from(ACTION_PATTERNS), max_size=2)
)
def test_narrowing_a_scope_never_adds(rules, subject, all_asked, scope):
    narrowed = replace(subject, scopes=tuple(one for one in subject.scopes or scope if one in scope))

    wide, narrow = kinds(rules, subject, all_asked), kinds(rules, narrowed, all_asked)

    assert all(was == "allow" for was, now in zip(wide, narrow, strict=True) if now == "allow")


@some
@given(rules=some_rules(), subject=a_subject(), all_asked=asked)
def test_a_warm_answer_is_the_cold_one_and_explaining_changes_nothing(rules, subject, all_asked):
    compiled = compile_rules(TENANT, rules)
    warm = [decide(compiled, subject, one) for one in all_asked + all_asked][len(all_asked) :]

    cold = [
        decide(compile_rules(TENANT, rules), subject, one, explain=True)._replace(nearest=None) for one in all_asked[:10]
    ]

    assert warm[:10] == cold
