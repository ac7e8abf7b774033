"""AuthZEN gives the answers of our own endpoint, trusts nobody further than that one, and leaves the same events."""

from typing import Any

import pytest

from tests.unit.edge.authzen.scenario import _COUNT, ONE, READ, RECORD, SEARCH, SEVERAL, SINGLE, USERS, WRITE, Fixture
from tests.world import Reply, World


def test_the_answer_is_that_of_our_own_endpoint(fixture: Fixture):
    """An operation by its whole name, too; the answer's context is what ours says."""
    ours = {"principal": fixture.bob, "action": "resources.record.write", "resource": "record:record-1"}
    expected = fixture.post("/v1/authorize", ours).json

    named = fixture.question(subject=fixture.bob, action={"name": "resources.record.write"})
    for question in (fixture.question(subject=fixture.bob, action=WRITE), named):
        context = fixture.post(SINGLE, question).json["context"]
        assert {**context, "decision_id": ""} == {
            name: "" if name == "decision_id" else value for name, value in expected.items() if name != "decision"
        }


@pytest.mark.parametrize(
    "subject", [{"type": "user", "id": "alice"}, {"type": "robot", "id": "r2d2"}, {"type": "service", "id": "s"}]
)
def test_who_is_not_known_is_denied(fixture: Fixture, subject: dict[str, str]):
    reply = fixture.post(SINGLE, fixture.question(subject=subject))

    assert (reply.status, reply.json["decision"], reply.json["context"]["kind"]) == (200, False, "suspended")


def test_what_is_no_action_is_denied(fixture: Fixture):
    assert not fixture.decision(fixture.alice, {"name": "Read All"}, ONE)
    assert not fixture.decision(fixture.alice, READ, {"type": "Record Type", "id": "x"})


@pytest.mark.parametrize("context", [{"time": 1}, {"time": "soon"}, {"time": None}])
def test_a_time_that_is_none_is_not_known(fixture: Fixture, context: dict[str, Any]):
    """An allow that asks for a time does not apply then, and a deny does."""
    tenant, user = fixture.tenant, fixture.tenant.user(f"{next(_COUNT)}@time.test")
    window = {"time_window": {"start": "00:00", "end": "00:00", "timezone": "UTC"}}
    statements = [
        {"effect": "allow", "actions": ["orders:read"], "resources": ["*"], "conditions": window},
        {"effect": "allow", "actions": ["billing:read"], "resources": ["*"]},
        {
            "effect": "deny",
            "actions": ["billing:read"],
            "resources": ["*"],
            "conditions": {"date_range": {"not_after": "2000-01-01T00:00:00Z"}},
        },
    ]
    policy = {"name": "p", "document": {"statements": statements}, "attachments": [{"type": "user", "id": user}]}
    tenant.call("POST", "/v1/policies", policy, expect=201)
    fixture.world.clock.move(seconds=5)
    subject = {"type": "user", "id": user}

    assert fixture.decision(subject, {"name": "orders:read"}, ONE)
    assert not fixture.decision(subject, {"name": "orders:read"}, ONE, context=context)
    assert fixture.decision(subject, {"name": "billing:read"}, ONE)
    assert not fixture.decision(subject, {"name": "billing:read"}, ONE, context=context)


def test_each_evaluation_has_an_event_of_its_own(fixture: Fixture):
    reply = fixture.post(SEVERAL, {"evaluations": [fixture.question(), {}, fixture.question(subject=fixture.bob)]})

    sent = reply.headers["x-request-id"]
    events = fixture.tenant.events(request_id=sent, order="asc")
    assert sorted(event["part"] for event in events) == [1, 2]
    assert {event["decision"]["principal"]["id"] for event in events} == {fixture.alice["id"], fixture.bob["id"]}
    assert {event["decision"]["policy_set"] for event in events} == {reply.json["evaluations"][0]["context"]["policy_set"]}


def test_who_is_not_trusted_neither_asks_about_others_nor_vouches(world_of_little: tuple[World, str, str]):
    world, token, own = world_of_little
    me = {"type": "oauth_client", "id": own}
    other = {"type": "user", "id": "usr_01m86h9kkteqdtv79ft12yh2bc"}
    question = {"action": {"name": "orders:read"}, "resource": ONE}

    def ask(path: str, body: Any) -> Reply:
        return world.call("POST", path, token=token, json_body=body)

    assert ask(SINGLE, {**question, "subject": me}).json["decision"] is True
    assert ask(SINGLE, {**question, "subject": other}).status == 403
    assert ask(SINGLE, {**question, "subject": {**me, "properties": {"role": "admin"}}}).status == 403
    assert ask(SINGLE, {**question, "subject": me, "context": {"time": "2026-01-01T00:00:00Z"}}).status == 403
    answers = ask(SEVERAL, {**question, "evaluations": [{"subject": me}, {"subject": other}]}).json["evaluations"]
    assert [each["decision"] for each in answers] == [True, False]
    assert answers[1]["context"]["error"]["status"] == 403


def test_without_a_credential_there_is_no_answer(fixture: Fixture):
    reply = fixture.world.call("POST", SINGLE, json_body=fixture.question())

    assert reply.status == 401
    assert "www-authenticate" in reply.headers


def test_a_decision_is_recorded_of_the_user_and_not_of_the_address(fixture: Fixture):
    reply = fixture.post(SINGLE, fixture.question(subject={"type": "user", "id": "alice@acme.test"}))

    (event,) = fixture.tenant.events(request_id=reply.request_id)
    assert event["decision"]["principal"]["id"] == fixture.alice["id"]


def test_who_is_not_trusted_searches_for_itself_alone(world_of_little: tuple[World, str, str], fixture: Fixture):
    world, token, own = world_of_little
    me, address = {"type": "oauth_client", "id": own}, {"type": "user", "id": "alice@acme.test"}
    nobody = {"type": "user", "id": "nobody@acme.test"}
    orders = {"name": "orders:read"}

    def ask(kind: str, body: Any) -> Reply:
        return world.call("POST", SEARCH + kind, token=token, json_body=body)

    found = ask("resource", {"subject": me, "action": orders, **RECORD})
    assert [each["id"] for each in found.json["results"]] == ["record-1", "record-2"]
    assert ask("action", {"subject": me, "resource": ONE}).status == 200
    assert ask("subject", {**USERS, "action": orders, "resource": ONE}).status == 403
    for other in (fixture.alice, address, nobody):
        told = [ask(kind, {"subject": other, "action": orders, "resource": ONE}) for kind in ("resource", "action")]
        assert [reply.status for reply in told] == [403, 403]
        assert {reply.json["error"]["message"] for reply in told} == {
            "You lack decisions:read, which asking about another principal needs."
        }
    assert ask("action", {"subject": {**me, "properties": {"role": "admin"}}, "resource": ONE}).status == 403
    times = {"context": {"time": "2026-01-01T00:00:00Z"}}
    assert ask("resource", {"subject": me, "action": orders, **RECORD, **times}).status == 403


def test_a_search_stands_in_the_log_with_what_it_was_about(fixture: Fixture):
    reply = fixture.post(SEARCH + "subject", {**USERS, "action": READ, "resource": ONE})

    (event,) = fixture.tenant.events(request_id=reply.request_id)
    assert (event["action"], event["resource"], event["resource_type"]) == (
        "decisions.subjects.search",
        "record-1",
        "record",
    )
