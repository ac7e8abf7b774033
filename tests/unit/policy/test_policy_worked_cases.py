"""The worked cases of the decision rules, by the engine and by the reference."""

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from platforma.policy.compile import compile_rules
from platforma.policy.decide import decide
from platforma.policy.model import Context, Request, Subject
from platforma.policy.ports import Rules
from tests.unit.policy.reference import reference_decision
from tests.unit.policy.worlds import TENANT, policy

VECTORS = json.loads(Path("tests/vectors/policy_cases.json").read_text())
CREDENTIALS = {"api_key": "key_1", "oauth_client": "cli_1"}


def asked(case) -> tuple[Rules, Subject, Request]:
    owner = Subject(type="user", id="usr_1", tenant_id=TENANT, roles=frozenset(case["roles"]))
    scopes = tuple(case["scopes"]) if "scopes" in case else None
    subject = owner
    if case.get("via") == "api_key":
        subject = Subject(type="api_key", id="key_1", tenant_id=TENANT, owner=owner, scopes=scopes)
    elif case.get("via") == "oauth_client":
        subject = Subject(type="user", id="usr_1", tenant_id=TENANT, roles=owner.roles, client_id="cli_1", scopes=scopes)
    places = {"user": ("user", "usr_1"), "tenant": ("tenant", TENANT)}
    if "via" in case:
        places["credential"] = (case["via"], CREDENTIALS[case["via"]])
    policies = tuple(
        policy(number, VECTORS["sample"] if one["statement"] == "sample" else one["statement"], places[one["to"]])
        for number, one in enumerate(case["statements"])
    )
    kind, _, name = (case["resource"] or "").partition(":")
    time = datetime.fromisoformat(f"2026-11-24T{case['berlin_time']}").replace(tzinfo=ZoneInfo("Europe/Berlin"))
    context = Context(time=time, ip_address=case["ip_address"])
    request = Request(action=case["action"], resource_type=kind or None, resource_id=name or None, context=context)
    return Rules(policies=policies), subject, request


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_the_engine_answers_as_the_rules_say(case):
    rules, subject, request = asked(case)

    decision = decide(compile_rules(TENANT, rules), subject, request)

    assert ("allow" if decision.allowed else "deny") == case["answer"]
    assert decision.kind == case.get("kind", "allow")


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_the_reference_answers_as_the_rules_say(case):
    rules, subject, request = asked(case)

    assert reference_decision(TENANT, rules, subject, request) == case.get("kind", "allow")
