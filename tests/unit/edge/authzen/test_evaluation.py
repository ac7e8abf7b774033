"""OpenID AuthZEN 1.0: one evaluation, by the numbers of the certification scenario, level Basic; and the metadata."""

from typing import Any

import pytest

from tests.unit.edge.authzen.scenario import ARCHIVED, ONE, READ, SEARCH, SEVERAL, SINGLE, TWO, WRITE, Fixture
from tests.world import URL


def test_2_2_1_to_2_2_2_identifiers_decide(fixture: Fixture):
    assert fixture.decision(fixture.alice, READ, ONE)
    assert fixture.decision(fixture.alice, WRITE, ONE)
    assert fixture.decision(fixture.bob, READ, ONE)
    assert not fixture.decision(fixture.bob, WRITE, ONE)


def test_2_2_3_a_context_is_accepted_even_with_a_time_that_is_none(fixture: Fixture):
    assert fixture.decision(fixture.alice, READ, ONE, context={"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"})


def test_2_2_4_to_2_2_7_properties_decide(fixture: Fixture):
    assert not fixture.decision(fixture.alice, WRITE, {**TWO, **ARCHIVED})
    assert fixture.decision({**fixture.bob, "properties": {"role": "admin"}}, WRITE, {**TWO, **ARCHIVED})
    assert fixture.decision(fixture.alice, {"name": "delete", "properties": {"soft": True}}, ONE)
    assert not fixture.decision(fixture.alice, {"name": "delete", "properties": {"soft": False}}, ONE)


def test_2_2_8_further_properties_are_accepted(fixture: Fixture):
    subject = {**fixture.alice, "properties": {"department": "Sales", "role": "manager"}}
    resource = {**ONE, "properties": {"status": "active", "owner": "bob"}}

    assert fixture.decision(subject, {**READ, "properties": {"method": "GET"}}, resource)


def test_2_2_9_unknown_fields_are_ignored(fixture: Fixture):
    assert fixture.decision({**fixture.alice, "x": 1}, READ, ONE, foo="bar", futureField={"nested": True})


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": None},
        {"action": None},
        {"resource": None},
        {"subject": {"id": "alice"}},
        {"subject": {"type": "user"}},
        {"action": {}},
        {"resource": {"id": "record-1"}},
        {"resource": {"type": "record"}},
        {"subject": "alice"},
        {"action": {"name": 123}},
        {"context": "now"},
        {"subject": {"type": "", "id": "alice"}},
    ],
)
@pytest.mark.parametrize("path", [SINGLE, SEVERAL])
def test_2_4_what_is_missing_or_of_another_type_is_a_400(fixture: Fixture, path: str, changed: dict[str, Any]):
    reply = fixture.post(path, fixture.question(**changed))

    assert reply.status == 400
    assert reply.json["error"]["status"] == 400
    assert all(fault["pointer"].startswith("/") for fault in reply.json["error"]["errors"])


@pytest.mark.parametrize("path", [SINGLE, SEVERAL])
@pytest.mark.parametrize(
    ("raw", "media_type"),
    [(b"{}", "text/plain"), (b"{", "application/json"), (b"", "application/json"), (b"[]", "application/json")],
)
def test_2_4_a_body_of_another_type_broken_or_empty_is_a_400(fixture: Fixture, path: str, raw: bytes, media_type: str):
    assert fixture.post(path, raw=raw, headers={"Content-Type": media_type}).status == 400


@pytest.mark.parametrize("sent", ["7f0c6a1e", 'a b;c="d"', "x" * 300])
def test_2_5_1_the_request_id_comes_back_with_answers_and_refusals(fixture: Fixture, sent: str):
    headers = {"X-Request-ID": sent}

    assert fixture.post(SINGLE, fixture.question(), headers=headers).request_id == sent
    assert fixture.post(SINGLE, {}, headers=headers).request_id == sent
    assert fixture.world.call("POST", SINGLE, json_body={}, headers=headers).request_id == sent


def test_2_5_2_without_a_request_id_there_is_our_own(fixture: Fixture):
    assert fixture.post(SINGLE, fixture.question()).request_id.startswith("request-")


def test_2_6_the_same_question_has_the_same_answer(fixture: Fixture):
    assert {fixture.decision(fixture.bob, WRITE, ONE) for _ in range(3)} == {False}


def test_6_the_metadata_names_the_place_it_was_got_from(fixture: Fixture):
    reply = fixture.world.call("GET", "/.well-known/authzen-configuration")

    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json["policy_decision_point"] == URL
    assert (reply.json["access_evaluation_endpoint"], reply.json["access_evaluations_endpoint"]) == (
        URL + SINGLE,
        URL + SEVERAL,
    )
    for kind in ("subject", "resource", "action"):
        assert reply.json[f"search_{kind}_endpoint"] == URL + SEARCH + kind
