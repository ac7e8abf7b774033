"""
Analysis against brute force: every combination of classes, asked of the engine itself, and of Cedar where it can say it.

That the classes are all there are is tried apart, here with questions that know nothing of them.
"""

import itertools
import math
import os
from dataclasses import replace

import cedarpy
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bench import analysis
from platforma.policy.analysis import Comparison
from platforma.policy.analysis.compare import question
from platforma.policy.analysis.moments import HORIZON
from platforma.policy.compile import compile_rules
from platforma.policy.decide import decide
from platforma.policy.ports import Rules
from tests.unit.policy import cedar, reference
from tests.unit.policy.strategies import ACTIONS, RESOURCES, a_subject, requests, some_circumstances, some_rules
from tests.unit.policy.test_policy_cedar import expressible, plain_subject, rules_for_cedar
from tests.unit.policy.worlds import NOON, TENANT, key, policy, policy_set, user

RUNS = 60 * int(os.environ.get("PLATFORMA_FUZZ", "1"))
FUZZ = settings(max_examples=RUNS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
MOST = 4000


def every_question(comparison: Comparison, subject):
    """One for each combination of classes that some rule, scope or environment can tell apart."""
    space = comparison._space
    boxes = [comparison._cap(), *(box for box in comparison._of if box is not None)]
    parts = []
    for dimension, full in space.full.items():
        kinds: dict[tuple, int] = {}
        for at in range(full.bit_length()):
            if full >> at & 1:
                told = tuple(box[dimension] >> at & 1 for box in boxes if dimension in box)
                kinds.setdefault(told, 1 << at)
        parts.append([(dimension, classes) for classes in kinds.values()])
    assume(math.prod(map(len, parts)) <= MOST)
    for combination in itertools.product(*parts):
        yield question(space, dict(combination), subject, own=frozenset())


@st.composite
def two_sides(draw):
    """Rules, and others that are like them: with a policy less, more, or with its statements in another order or twice."""
    before = draw(some_rules())
    other = draw(some_rules())
    policies = [draw(st.sampled_from([one, one, None])) for one in before.policies]
    after = tuple(one for one in policies if one is not None) + draw(st.sampled_from([(), other.policies[:2]]))
    named = tuple(replace(one, id=f"pol_{number}") for number, one in enumerate(draw(st.permutations(after))))
    return before, Rules(roles=before.roles, policies=named, apis=before.apis)


@FUZZ
@given(sides=two_sides(), subject=a_subject().filter(lambda subject: subject.active))
def test_more_and_less_are_what_brute_force_finds(sides, subject):
    rules = [compile_rules(TENANT, one) for one in sides]
    comparison = Comparison(*rules, subject, now=NOON)
    more, less = comparison.more(), comparison.less()

    if comparison.same:
        assert (more, less) == (None, None)
        return
    found = set()
    for asker, request in every_question(comparison, subject):
        was, will = (decide(one, asker, request).allowed for one in rules)
        found |= {(was, will)} if was != will else set()
    assert (more is not None, less is not None) == ((False, True) in found, (True, False) in found)


def test_a_thousand_statements_a_side_are_compared_exactly():
    """Split by network they say the same; one address more is found among them all."""
    whole, halved, wider = (
        analysis.policy_set(documents)
        for documents in (
            analysis.statements(),
            analysis.statements(halved=True),
            analysis.statements(halved=True, wider=True),
        )
    )
    assert whole.statements == halved.statements == 1000

    assert analysis.compared(whole, halved) == (False, False)
    found = Comparison(whole, wider, analysis.SUBJECT, now=NOON).more()
    assert found is not None
    assert found.request.context.ip_address == "192.0.2.1"
    assert (found.before.allowed, found.after.allowed) == (False, True)


@pytest.mark.parametrize("scope", ["infrastructure.clusters.get", "infrastructure.clusters.*", "settings.users.create"])
def test_what_a_narrow_scope_leaves_of_a_wide_grant_is_found(scope):
    before = policy_set()
    after = policy_set(policy(1, {"effect": "allow", "actions": ["*"], "resources": ["*"]}, ("tenant", TENANT)))

    found = Comparison(before, after, key(user(), scope), now=NOON).more()

    assert found is not None
    assert found.request.action.startswith(scope.rstrip("*"))


@FUZZ
@given(
    sides=two_sides(),
    subject=a_subject().filter(lambda subject: subject.active),
    actions=st.lists(st.sampled_from([one for one in ACTIONS if not one.startswith("platform")]), min_size=5, max_size=5),
    resources=st.lists(st.sampled_from(RESOURCES), min_size=5, max_size=5),
    circumstances=st.lists(some_circumstances, min_size=4, max_size=4),
)
def test_no_question_is_answered_otherwise_than_analysis_says(sides, subject, actions, resources, circumstances):
    rules = [compile_rules(TENANT, one) for one in sides]
    comparison = Comparison(*rules, subject, now=NOON)
    gains, loses = comparison.more() is not None, comparison.less() is not None

    for drawn in requests(actions, resources, circumstances):
        is_ahead = drawn.context.time is not None and NOON <= drawn.context.time <= NOON + HORIZON
        asked = drawn if is_ahead else replace(drawn, context=replace(drawn.context, time=NOON))
        was, will = (decide(one, replace(subject, mfa=None), asked).allowed for one in rules)
        assert was == will or (gains if will else loses), asked


@settings(max_examples=RUNS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    before=rules_for_cedar,
    after=rules_for_cedar,
    subject=plain_subject.filter(lambda subject: expressible(subject.attributes)),
)
def test_cedar_agrees_that_what_is_the_same_is_the_same_and_what_is_not_is_not(before, after, subject):
    """Over every combination of classes that Cedar can be asked about."""
    sides = (before, Rules(roles=before.roles, policies=after.policies, apis=before.apis))
    comparison = Comparison(*(compile_rules(TENANT, one) for one in sides), subject, now=NOON)
    assume(not comparison.same)
    more, less = comparison.more(), comparison.less()
    asked = [
        one
        for one in every_question(comparison, subject)
        if all(map(expressible, (one[0].attributes, one[1].resource_attributes, one[1].action_attributes)))
    ]
    asked += [(one.subject, one.request) for one in (more, less) if one is not None and one.request.context.time is not None]
    asked = [(asker, replace(one, context=replace(one.context, time=one.context.time or NOON))) for asker, one in asked]
    domains = reference.DOMAINS.union(*(api.domains for api in before.apis))
    zones = {zone for one in sides for policy in one.policies for zone in zones_of(policy.document)}
    questions = [cedar.request(asker, one, zones) for asker, one in asked if expressible(one.resource_id)]

    answers = [
        [answer.allowed for answer in cedarpy.is_authorized_batch(questions, policies, cedar.entities(subject))]
        for policies in (cedar.translated(one, subject, domains) for one in sides)
    ]

    found = {(was, will) for was, will in zip(*answers, strict=True) if was != will}
    assert found <= {pair for pair, one in {(False, True): more, (True, False): less}.items() if one is not None}


def zones_of(value):
    if isinstance(value, dict):
        yield from [value["timezone"]] if "timezone" in value else []
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from zones_of(inner)
