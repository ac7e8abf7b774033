"""OpenID AuthZEN 1.0: several evaluations at once, by the numbers of the certification scenario, level Batch."""

from typing import Any

import pytest

from tests.unit.edge.authzen.scenario import ACTIVE, ARCHIVED, ONE, READ, SEVERAL, TWO, WRITE, Fixture


def test_3_2_1_to_3_2_2_defaults_stand_in_for_what_is_left_out_and_answers_are_in_order(fixture: Fixture):
    resources = [{"resource": ONE}, {"resource": TWO}]

    assert len(fixture.decisions(subject=fixture.alice, action=READ, evaluations=resources)) == 2
    actions = [{"action": READ}, {"action": WRITE}]
    assert fixture.decisions(subject=fixture.bob, resource=ONE, evaluations=actions) == [True, False]


def test_3_2_3_to_3_2_4_properties_decide_each(fixture: Fixture):
    records = [{"resource": {**ONE, **ACTIVE}}, {"resource": {**TWO, **ARCHIVED}}]
    assert fixture.decisions(subject=fixture.alice, action=WRITE, evaluations=records) == [True, False]

    subjects = [{"subject": fixture.alice}, {"subject": {**fixture.bob, "properties": {"role": "admin"}}}]
    assert fixture.decisions(action=WRITE, resource={**TWO, **ARCHIVED}, evaluations=subjects) == [False, True]


def test_3_2_5_questions_may_be_whole(fixture: Fixture):
    whole = [fixture.question(), fixture.question(subject=fixture.bob, action=WRITE)]

    assert fixture.decisions(evaluations=whole) == [True, False]


def test_3_2_6_a_context_is_inherited_or_replaced(fixture: Fixture):
    whole = {"subject": fixture.alice, "action": READ, "context": {"time": "2025-06-27T18:03-07:00"}}
    own = {"time": "2025-06-27T19:00-07:00", "source": "batch-override"}

    assert len(fixture.decisions(**whole, evaluations=[{"resource": ONE}, {"resource": TWO, "context": own}])) == 2


def test_3_2_7_of_an_entity_only_what_it_needs_is_inherited(fixture: Fixture):
    records = [{"resource": {"id": "record-1", **ACTIVE}}, {"resource": {**TWO, **ARCHIVED}}]
    whole = {"subject": fixture.alice, "action": WRITE}

    assert fixture.decisions(**whole, resource={"type": "record"}, evaluations=records) == [True, False]
    archived = {"type": "record", "id": "record-1", **ARCHIVED}
    assert fixture.decisions(**whole, resource=archived, evaluations=[{"resource": {"id": "record-1"}}, {}]) == [True, False]


def test_3_4_1_what_is_no_question_is_denied_in_its_place(fixture: Fixture):
    broken: list[Any] = [{"resource": ONE}, {}, "read", {"resource": {"type": "record"}}, {"resource": ONE}]

    answers = fixture.post(SEVERAL, {"subject": fixture.alice, "action": READ, "evaluations": broken}).json["evaluations"]

    assert [each["decision"] for each in answers] == [True, False, False, False, True]
    assert [each["context"]["error"]["status"] for each in answers[1:4]] == [400] * 3


@pytest.mark.parametrize("more", [{}, {"evaluations": []}])
def test_3_4_2_to_3_4_3_without_questions_the_defaults_are_the_one(fixture: Fixture, more: dict[str, Any]):
    reply = fixture.post(SEVERAL, fixture.question(**more))

    assert (reply.status, reply.json["decision"]) == (200, True)
    assert "evaluations" not in reply.json


@pytest.mark.parametrize(
    ("semantic", "expected"),
    [
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_each_semantic_stops_where_it_says(fixture: Fixture, semantic: str, expected: list[bool]):
    questions = [fixture.question(), fixture.question(subject=fixture.bob, action=WRITE), fixture.question()]

    assert fixture.decisions(evaluations=questions, options={"evaluations_semantic": semantic, "other": 1}) == expected


def test_what_is_no_question_stops_at_the_first_denial(fixture: Fixture):
    options = {"evaluations_semantic": "deny_on_first_deny"}

    assert fixture.decisions(evaluations=[{}, fixture.question()], options=options) == [False]


@pytest.mark.parametrize("options", [{"evaluations_semantic": "maybe"}, "execute_all", {"evaluations_semantic": 1}])
def test_another_semantic_is_a_400(fixture: Fixture, options: Any):
    assert fixture.post(SEVERAL, {"evaluations": [fixture.question()], "options": options}).status == 400


def test_more_than_a_hundred_questions_are_a_400(fixture: Fixture):
    assert fixture.post(SEVERAL, fixture.question(evaluations=[{}] * 101)).status == 400
