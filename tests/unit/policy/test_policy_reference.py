"""The engine against the reference, on tenants by chance: a hundred thousand decisions a run, more with PLATFORMA_FUZZ=n."""

import os
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platforma.policy import index
from platforma.policy.compile import compile_rules
from platforma.policy.decide import decide
from tests.unit.policy.reference import reference_decision
from tests.unit.policy.strategies import ACTIONS, RESOURCES, a_subject, requests, some_circumstances, some_rules
from tests.unit.policy.worlds import TENANT

RUNS = 400 * int(os.environ.get("PLATFORMA_FUZZ", "1"))
FUZZ = settings(max_examples=RUNS, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@FUZZ
@given(
    rules=some_rules(),
    subjects=st.lists(a_subject(), min_size=2, max_size=2),
    actions=st.lists(st.sampled_from(ACTIONS), min_size=8, max_size=8, unique=True),
    resources=st.lists(st.sampled_from(RESOURCES), min_size=7, max_size=7, unique=True),
    circumstances=st.lists(some_circumstances, min_size=3, max_size=3),
    crowd=st.sampled_from([0, 8]),
)
def test_the_engine_agrees_with_the_reference(rules, subjects, actions, resources, circumstances, crowd):
    """Also where any two statements are a crowd, to be told apart by their networks."""
    with mock.patch.object(index, "CROWD", crowd):
        policy_set = compile_rules(TENANT, rules)
    asked = [(subject, request) for subject in subjects for request in requests(actions, resources, circumstances)]

    for subject, request in asked:
        expected = reference_decision(TENANT, rules, subject, request)
        assert decide(policy_set, subject, request).kind == expected, (subject, request)
