"""The engine against Cedar, for everything that Cedar can express."""

import os

import cedarpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platforma.policy.compile import compile_rules
from platforma.policy.decide import decide
from platforma.policy.ports import Rules
from tests.unit.policy import cedar, reference
from tests.unit.policy.strategies import ACTIONS, RESOURCES, ZONES, a_subject, requests, some_circumstances, some_rules
from tests.unit.policy.worlds import SAMPLE, TENANT, key, policy, request, user

RUNS = 150 * int(os.environ.get("PLATFORMA_FUZZ", "1"))


def expressible(value) -> bool:
    """Whether there is no `?`, no null, no fraction, no order of strings and no mapped network anywhere in *value*."""
    if isinstance(value, dict):
        ordered = ("lt", "lte", "gt", "gte")
        return not any(isinstance(value.get(name), str) for name in ordered) and all(map(expressible, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(expressible, value))
    if isinstance(value, str):
        return "?" not in value and "::ffff" not in value
    return isinstance(value, (bool, dict)) or (isinstance(value, int) and abs(value) < 2**63)


rules_for_cedar = some_rules().filter(lambda rules: all(expressible(policy.document) for policy in rules.policies))
plain_subject = a_subject().filter(
    lambda subject: subject.owner is None and subject.scopes is None and subject.client_id is None and subject.active
)
a_credential = a_subject().filter(
    lambda subject: (
        (subject.owner is not None or subject.client_id is not None)
        and subject.active
        and (subject.owner is None or subject.owner.active)
    )
)
some_actions = st.lists(st.sampled_from([one for one in ACTIONS if one != "nonsense"]), min_size=6, max_size=6, unique=True)
some_resources = st.lists(st.sampled_from([one for one in RESOURCES if one[1] != ""]), min_size=5, max_size=5, unique=True)
three_circumstances = st.lists(
    some_circumstances.filter(lambda them: expressible(them[1]) and expressible(them[2])), min_size=3, max_size=3
)
FEW = settings(max_examples=RUNS, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@FEW
@given(
    rules=rules_for_cedar,
    subject=plain_subject.filter(lambda subject: expressible(subject.attributes)),
    actions=some_actions,
    resources=some_resources,
    circumstances=three_circumstances,
)
def test_the_engine_agrees_with_cedar(rules, subject, actions, resources, circumstances):
    _agree(rules, subject, requests(actions, resources, circumstances))


@FEW
@given(
    rules=rules_for_cedar,
    subject=a_credential.filter(lambda subject: expressible((subject.owner or subject).attributes)),
    actions=some_actions,
    resources=some_resources,
    circumstances=three_circumstances,
)
def test_the_engine_agrees_with_cedar_on_keys_and_tokens_and_what_caps_them(
    rules, subject, actions, resources, circumstances
):
    """Scopes, a key's environment, and the owner or subject without what is attached to the key or client."""
    _agree(rules, subject, requests(actions, resources, circumstances))


@pytest.mark.parametrize(
    "subject", [key(user("viewer")), user("viewer", scopes=("*",), client_id="cli_1")], ids=["a key", "a client"]
)
def test_both_cap_what_is_attached_to_a_key_or_client_by_what_its_subject_may(subject):
    """The worked case: the statement adds nothing to the credential that the viewer lacks, and is no bar to the owner's."""
    attached = ("api_key", "key_1") if subject.owner is not None else ("oauth_client", "cli_1")
    rules = Rules(policies=(policy(1, SAMPLE, attached),))
    asked = [request(f"infrastructure.clusters.{verb}", "cluster:cls_eu01") for verb in ("update", "get")]

    assert [decide(compile_rules(TENANT, rules), subject, one).kind for one in asked] == ["cap", "allow"]
    _agree(rules, subject, asked)


def _agree(rules, subject, questions):
    domains = reference.DOMAINS.union(*(api.domains for api in rules.apis))
    policies, entities = cedar.translated(rules, subject, domains), cedar.entities(subject)
    asked = [one for one in questions if not one.action.startswith("platform")]
    policy_set = compile_rules(TENANT, rules)

    answers = cedarpy.is_authorized_batch([cedar.request(subject, one, ZONES) for one in asked], policies, entities)

    for one, answer in zip(asked, answers, strict=True):
        assert not answer.diagnostics.errors, answer.diagnostics.errors
        assert decide(policy_set, subject, one).allowed == answer.allowed, one
