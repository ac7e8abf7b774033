"""What a policy's author may not have meant: told exactly, and never where it is not so."""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platforma.kernel.clock import rfc3339
from platforma.policy import validate_policy
from platforma.policy.analysis import useless
from platforma.policy.attributes import MISSING, attribute_test
from platforma.policy.compile import compile_rules
from platforma.policy.decide import decide
from platforma.policy.document import read_document
from platforma.policy.never import never_holds
from platforma.policy.ports import Member, Rules
from tests.unit.policy import reference
from tests.unit.policy.strategies import (
    ACTIONS,
    ODD_VALUES,
    RESOURCES,
    a_statement,
    a_subject,
    a_test,
    requests,
    some_circumstances,
    some_rules,
)
from tests.unit.policy.worlds import NOON, SAMPLE, TENANT, user

QUICK = settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
EVERYTHING = {"effect": "allow", "actions": ["*"], "resources": ["*"]}
SPRING = datetime(2026, 3, 1, tzinfo=UTC)
OVER = {"date_range": {"not_after": "1900-01-01T00:00:00Z"}}


def warnings(office, document, *attachments):
    attached = [{"type": kind, "id": name} for kind, name in attachments]
    ports = {"snapshots": Now(office), "holders": office.holders, "clock": lambda: NOON}
    return validate_policy(TENANT, document=document, attachments=attached, **ports)["warnings"]


class Now:
    """What stands in the store at this moment."""

    def __init__(self, office):
        self.store = office.store

    def of(self, tenant_id):
        return self

    @property
    def policy_set(self):
        return compile_rules(TENANT, self.store.load(TENANT))


def with_conditions(**conditions):
    return {**SAMPLE, "conditions": conditions}


def never(statement):
    return [pointer for pointer, _ in never_holds(read_document(statement)[0], NOON)]


# Never matching


@pytest.mark.parametrize(
    ("wanted", "allows", "denies"),
    [
        ({"equals": "a", "not_equals": "a"}, False, True),
        ({"in": ["a", 1], "not_in": [1, "a"]}, False, True),
        ({"in": ["a", 1], "not_in": ["a"]}, True, True),
        ({"lt": 1, "gt": 1}, False, True),
        ({"lte": 1, "gte": 1}, True, True),
        ({"gt": 1, "lt": 1.5}, True, True),
        ({"gt": "a", "lt": "a\0"}, False, True),
        ({"gt": "a", "lt": "b"}, True, True),
        ({"lt": 1, "gt": "a"}, False, True),
        ({"lt": 1e300}, True, True),
        ({"gt": 10**400}, True, True),
        ({"exists": False, "equals": "a"}, False, True),
        ({"exists": False, "not_equals": "a"}, False, True),
        ({"exists": True, "in": [True]}, True, True),
        ({"equals": 1, "in": [True]}, False, True),
        ({"like": "a*", "not_like": "a*"}, True, True),
        ("a", True, True),
    ],
)
def test_a_test_that_no_value_passes_never_matches(wanted, allows, denies):
    """A deny is stopped by what is false alone, and a value of no type is never that."""
    place = ["resource_attributes/a~1b"]
    statement = with_conditions(resource_attributes={"a/b": wanted})

    assert never(statement) == ([] if allows else place)
    assert never({**statement, "effect": "deny"}) == ([] if denies else place)


def test_a_deny_that_asks_for_what_is_not_there_and_is_denied_its_absence_never_matches():
    wanted = {"exists": False, "equals": "a"}

    assert never({**with_conditions(principal_attributes={"x": wanted}), "effect": "deny"}) == []


@QUICK
@given(wanted=a_test, value=st.one_of(st.sampled_from([*ODD_VALUES, MISSING]), st.text(max_size=3), st.floats(-3, 3)))
def test_what_is_said_to_match_never_matches_nothing_by_chance(wanted, value):
    answer = attribute_test(wanted)(value)
    statement = with_conditions(action_attributes={"x": wanted})

    assert not (answer is True and never(statement))
    assert not (answer is not False and never({**statement, "effect": "deny"}))


def span(first, last):
    return {"not_before": rfc3339(NOON + first), "not_after": rfc3339(NOON + last)}


NIGHT = {"start": "22:00", "end": "06:00", "timezone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("conditions", "matches"),
    [
        ({"date_range": span(timedelta(days=-2), timedelta(seconds=-1))}, False),
        ({"date_range": span(timedelta(days=-2), timedelta())}, True),
        ({"date_range": [span(timedelta(days=-2), timedelta(days=-1)), span(timedelta(1), timedelta(2))]}, True),
        ({"date_range": span(timedelta(hours=1), timedelta(hours=9)), "time_window": NIGHT}, False),
        ({"date_range": span(timedelta(hours=1), timedelta(hours=10)), "time_window": NIGHT}, True),
        ({"date_range": span(timedelta(hours=1), timedelta(days=3)), "time_window": {**NIGHT, "days": ["sat"]}}, False),
        ({"date_range": span(timedelta(hours=1), timedelta(days=9)), "time_window": {**NIGHT, "days": ["sat"]}}, True),
        ({"date_range": span(timedelta(hours=-9), timedelta(hours=9)), "time_window": NIGHT}, False),
        ({"time_window": NIGHT}, True),
    ],
)
def test_dates_and_windows_that_are_over_or_never_meet_never_match(conditions, matches):
    assert never(with_conditions(**conditions)) == ([] if matches else ["date_range"])


# Shadowed


@QUICK
@given(
    pair=st.lists(a_statement, min_size=2, max_size=2),
    rules=some_rules(),
    subject=a_subject(),
    actions=st.lists(st.sampled_from(ACTIONS), min_size=6, max_size=6, unique=True),
    resources=st.lists(st.sampled_from(RESOURCES), min_size=6, max_size=6, unique=True),
    circumstances=st.lists(some_circumstances, min_size=2, max_size=2),
)
def test_that_a_shadowed_statement_never_applied_would_change_no_decision(
    pair, rules, subject, actions, resources, circumstances
):
    """It is drawn from the other where chance made them too unlike. What could go could all go at once."""
    shadow, statement = pair
    likely = {**shadow, "resources": statement["resources"] if shadow["resources"] == ["*"] else shadow["resources"]}
    likely["conditions"] = {**statement.get("conditions", {}), **shadow.get("conditions", {})}
    for candidate in (statement, likely, {**likely, "effect": "allow"}):
        both = [shadow, candidate]
        found = useless([read_document(one)[0] for one in both], domains=reference.DOMAINS, now=SPRING).shadowed
        if not found or not rules.policies:
            continue
        left = [_stopped(one) if place in found else one for place, one in enumerate(both)]
        before, after = (_with(replace(rules, apis=()), statements) for statements in (both, left))
        for asked in requests(actions, resources, circumstances):
            if asked.context.time >= SPRING:
                assert decide(before, subject, asked).kind == decide(after, subject, asked).kind, asked


def _stopped(statement):
    return {**statement, "conditions": {**statement.get("conditions", {}), **OVER}}


def test_several_statements_may_shadow_one_together(office):
    halves = [{**SAMPLE, "conditions": {"ip_range": network}} for network in ("10.0.0.0/9", "10.128.0.0/9")]
    statements = [*halves, {**SAMPLE, "conditions": {"ip_range": "10.0.0.0/8"}}]

    told = warnings(office, {"statements": statements})

    assert [(one["pointer"], one["detail"]) for one in told if "Shadowed" in one["detail"]] == [
        ("/document/statements/2", "Shadowed: statements 0, 1 together already decide all that this one could.")
    ]


def test_what_is_too_much_to_tell_is_said_to_be(office, monkeypatch):
    monkeypatch.setattr(sys.modules["platforma.policy.validate_policy"], "_EFFORT", 1)

    told = warnings(office, {"statements": [SAMPLE, SAMPLE, SAMPLE]})

    assert [one["pointer"] for one in told if "too much" in one["detail"]] == ["/document"]


def _with(rules: Rules, statements):
    first, *others = rules.policies
    changed = replace(first, document={"statements": statements})
    return compile_rules(TENANT, replace(rules, policies=(changed, *others)))


# Over-broad


@pytest.mark.parametrize(
    ("document", "attachments", "expected"),
    [
        (EVERYTHING, [], True),
        ({**EVERYTHING, "actions": ["*:manage"]}, [], True),
        ({**EVERYTHING, "conditions": {"mfa": True}}, [], False),
        ({**EVERYTHING, "effect": "deny"}, [], False),
        ({**EVERYTHING, "actions": ["settings:manage"]}, [("tenant", TENANT)], True),
        ({**EVERYTHING, "actions": ["settings:*"]}, [("tenant", TENANT)], True),
        ({**EVERYTHING, "actions": ["settings:manage"]}, [("role", "viewer")], False),
        ({**EVERYTHING, "actions": ["settings:read"]}, [("tenant", TENANT)], False),
    ],
)
def test_what_allows_nearly_anything_or_administering_to_everybody_is_over_broad(office, document, attachments, expected):
    office.people = []

    assert any("Over-broad" in one["detail"] for one in warnings(office, document, *attachments)) is expected


# Whom it narrows


def narrowed(office, document, *attachments):
    found = [one["detail"] for one in warnings(office, document, *attachments) if one["detail"].startswith("Narrows")]
    return int(found[0].split()[1]) if found else 0


def test_it_is_counted_how_many_users_a_policy_would_narrow(office):
    operators = [user("operator", id=f"usr_o{n}", groups=frozenset(["grp_1"][:n])) for n in range(2)]
    both = user("operator", "viewer", id="usr_b")
    office.people = [Member(one, able=True) for one in (*operators, both, user("viewer", id="usr_v"), user("admin"))]

    assert narrowed(office, SAMPLE, ("tenant", TENANT)) == 3
    assert narrowed(office, SAMPLE, ("role", "viewer")) == 1
    assert narrowed(office, SAMPLE) == 0
    assert narrowed(office, {**SAMPLE, "effect": "deny"}, ("tenant", TENANT)) == 0
    assert narrowed(office, {**SAMPLE, "actions": ["infrastructure:read"]}, ("tenant", TENANT)) == 0
    assert narrowed(office, {**SAMPLE, "actions": ["*:read", "*"]}, ("tenant", TENANT)) == 3


def test_whom_another_policy_narrows_already_is_not_counted(office):
    office.people = [Member(user("operator", id=f"usr_{n}", groups=frozenset()), able=True) for n in range(3)]
    office.create(SAMPLE, [("role", "operator")])

    assert narrowed(office, SAMPLE, ("tenant", TENANT)) == 0
    assert narrowed(office, {**SAMPLE, "actions": ["billing:read"]}, ("tenant", TENANT)) == 3
