"""
OpenID AuthZEN Authorization API 1.0, and its certification scenario: levels Basic, Batch, Search and Discovery, by their
numbers.

The scenario's `alice` and `bob` stand for two users of the tenant, whose ids are ours. Its fixture is four policies, the two
records as known resources, and bob's attribute `role`. Source: openid/authzen,
certification/authorization-api-1_0-scenario.md (2026).
"""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from platforma.edge import searches
from tests.world import URL, Reply, Tenant, World, running

SINGLE, SEVERAL = "/access/v1/evaluation", "/access/v1/evaluations"
SEARCH = "/access/v1/search/"
READ, WRITE = {"name": "read"}, {"name": "write"}
ONE, TWO = {"type": "record", "id": "record-1"}, {"type": "record", "id": "record-2"}
ARCHIVED, ACTIVE = {"properties": {"status": "archived"}}, {"properties": {"status": "active"}}
_COUNT = count()
RECORDS = {"resources": ["record:*"]}
OF_ALICE = [
    {"effect": "allow", "actions": ["resources.record.read"], **RECORDS},
    {
        "effect": "allow",
        "actions": ["resources.record.write"],
        **RECORDS,
        "conditions": {"resource_attributes": {"status": {"not_equals": "archived"}}},
    },
    {
        "effect": "allow",
        "actions": ["resources.record.delete"],
        **RECORDS,
        "conditions": {"action_attributes": {"soft": True}},
    },
]
OF_BOB = {"effect": "allow", "actions": ["resources.record.read"], **RECORDS}
OF_ADMINS = {
    "effect": "allow",
    "actions": ["resources.record.write"],
    **RECORDS,
    "conditions": {"principal_attributes": {"role": "admin"}, "resource_attributes": {"status": "archived"}},
}


class Fixture:
    """The scenario's fixture in a tenant, asked as a decision point's client: one that may ask and vouch."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant, self.world = tenant, tenant.world
        self.alice, self.bob = ({"type": "user", "id": tenant.user(f"{name}@acme.test")} for name in ("alice", "bob"))
        change = {"attributes": {"role": "admin"}}
        tenant.call("PATCH", f"/v1/users/{self.bob['id']}", change, expect=200, headers={"If-Match": "*"})
        for record, told in ((ONE, ACTIVE), (TWO, ARCHIVED)):
            body = {"attributes": told["properties"]}
            tenant.call("PUT", f"/v1/resources/record/{record['id']}", body, expect=200)
        for document, attachment in (
            ({"statements": OF_ALICE}, self.alice),
            (OF_BOB, self.bob),
            (OF_ADMINS, {"type": "tenant", "id": tenant.id}),
        ):
            policy = {"name": "record", "document": document, "attachments": [attachment]}
            tenant.call("POST", "/v1/policies", policy, expect=201)
        asking = {"effect": "allow", "actions": ["decisions:manage"], "resources": ["*"]}
        self.client = tenant.client_with()
        attachment = {"type": "oauth_client", "id": self.client["client_id"]}
        tenant.call("POST", "/v1/policies", {"name": "p", "document": asking, "attachments": [attachment]}, expect=201)
        self.world.clock.move(seconds=5)

    def post(self, path: str, body: Any = None, **more: Any) -> Reply:
        """Send *body* as the decision point's client."""
        return self.world.call("POST", path, token=self.world.token(self.client), json_body=body, **more)

    def decision(self, subject: Any, action: Any, resource: Any, **more: Any) -> bool:
        """The decision on one question."""
        reply = self.post(SINGLE, {"subject": subject, "action": action, "resource": resource, **more})
        assert reply.status == 200, reply.text
        assert isinstance(reply.json["decision"], bool)
        return bool(reply.json["decision"])

    def decisions(self, **body: Any) -> list[bool]:
        """The decisions on several questions."""
        reply = self.post(SEVERAL, body)
        assert reply.status == 200, reply.text
        return [each["decision"] for each in reply.json["evaluations"]]

    def search(self, kind: str, body: Any) -> dict[str, Any]:
        """The answer to a search."""
        reply = self.post(SEARCH + kind, body)
        assert reply.status == 200, reply.text
        return dict(reply.json)

    def found(self, kind: str, body: Any, name: str = "id") -> set[str]:
        """The ids (or names) that a search of one page finds."""
        answer = self.search(kind, body)
        assert answer["page"] == {"next_token": "", "count": len(answer["results"])}
        return {each[name] for each in answer["results"]}

    def all(self, kind: str, body: dict[str, Any], limit: int) -> list[list[dict[str, str]]]:
        """The results of each page of a search."""
        pages: list[list[dict[str, str]]] = []
        page: dict[str, Any] = {"limit": limit}
        while True:
            answer = self.search(kind, {**body, "page": page})
            pages.append(answer["results"])
            if not answer["page"]["next_token"]:
                return pages
            page = {"token": answer["page"]["next_token"]}

    def question(self, **changed: Any) -> dict[str, Any]:
        """A good question with these parts in place of its own; None takes one away."""
        whole = {"subject": self.alice, "action": READ, "resource": ONE, **changed}
        return {name: part for name, part in whole.items() if part is not None}


@pytest.fixture(scope="module")
def fixture() -> Iterator[Fixture]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as world:
        yield Fixture(world.tenant())


@pytest.fixture(scope="module")
def other(fixture: Fixture) -> Tenant:
    """Another tenant of the same world."""
    return fixture.world.tenant("other", "admin@other.test")


# Basic


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


# Batch


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


# Search

USERS = {"subject": {"type": "user"}}
RECORD = {"resource": {"type": "record"}}


def test_4_2_1_to_4_2_4_subjects_are_those_who_may(fixture: Fixture):
    alice, bob = fixture.alice["id"], fixture.bob["id"]
    readers = {**USERS, "action": READ, "resource": ONE}

    answer = fixture.search("subject", readers)
    assert {(each["type"], each["id"]) for each in answer["results"]} >= {("user", alice), ("user", bob)}
    context = {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}
    assert fixture.search("subject", {**readers, "context": context}) == answer
    assert fixture.search("subject", {**readers, "subject": fixture.alice}) == answer
    assert bob in fixture.found("subject", {**USERS, "action": WRITE, "resource": {**TWO, **ARCHIVED}})
    assert bob not in fixture.found("subject", {**USERS, "action": WRITE, "resource": ONE})


def test_4_3_1_to_4_3_4_resources_are_those_on_which_the_subject_may(fixture: Fixture):
    readable = {"subject": fixture.alice, "action": READ, **RECORD}

    answer = fixture.search("resource", readable)
    assert answer["results"] == [ONE, TWO]
    context = {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}
    assert fixture.search("resource", {**readable, "context": context}) == answer
    assert fixture.search("resource", {**readable, "resource": ONE}) == answer
    assert fixture.found("resource", {**readable, "action": WRITE}) == {"record-1"}
    bob = {**fixture.bob, "properties": {"role": "admin"}}
    assert fixture.found("resource", {**readable, "subject": bob, "action": WRITE}) == {"record-2"}


def test_4_4_1_to_4_4_3_actions_are_those_that_the_subject_may_do(fixture: Fixture):
    doable = {"subject": fixture.alice, "resource": ONE}

    answer = fixture.search("action", doable)
    assert {each["name"] for each in answer["results"]} == {"read", "write"}
    context = {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}
    assert fixture.search("action", {**doable, "context": context}) == answer
    bob = {**fixture.bob, "properties": {"role": "admin"}}
    archived = {"subject": bob, "resource": {**TWO, **ARCHIVED}}
    assert fixture.found("action", archived, "name") == {"read", "write"}


SEARCHES: list[tuple[str, dict[str, Any]]] = [
    ("subject", {**USERS, "action": READ, "resource": ONE}),
    ("resource", {"action": READ, **RECORD}),
    ("action", {"resource": ONE}),
]


@pytest.mark.parametrize(("kind", "body"), SEARCHES)
@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_4_5_pages_together_are_the_whole(fixture: Fixture, kind: str, body: dict[str, Any], limit: int):
    body = {"subject": fixture.alice, **body}
    whole = fixture.search(kind, body)["results"]

    pages = fixture.all(kind, body, limit)

    assert [each for page in pages for each in page] == whole
    assert all(len(page) <= limit for page in pages)


@pytest.mark.parametrize(("kind", "body"), SEARCHES)
def test_a_page_of_nothing_goes_on_where_it_stood(fixture: Fixture, kind: str, body: dict[str, Any]):
    answer = fixture.search(kind, {"subject": fixture.alice, **body, "page": {"limit": 0}})

    assert answer["results"] == []
    assert answer["page"]["next_token"]


def test_a_page_that_looked_at_enough_says_that_there_is_more(fixture: Fixture, monkeypatch: pytest.MonkeyPatch):
    """It may be empty; nothing is left out for that."""
    monkeypatch.setattr(searches, "MAX_RESULTS", 1)
    monkeypatch.setattr(searches, "MAX_LOOKED_AT", 2)
    for name in ("a", "b", "c", "z"):
        told = {"attributes": {"status": "active" if name == "z" else "archived"}}
        fixture.tenant.call("PUT", f"/v1/resources/shelf/{name}", told, expect=200)
    shelves = {**OF_ALICE[1], "actions": ["resources.shelf.write"], "resources": ["shelf:*"]}
    policy = {"name": "shelves", "document": shelves, "attachments": [fixture.alice]}
    fixture.tenant.call("POST", "/v1/policies", policy, expect=201)
    fixture.world.clock.move(seconds=5)

    pages = fixture.all("resource", {"subject": fixture.alice, "action": WRITE, "resource": {"type": "shelf"}}, 10)

    assert pages[0] == []
    assert [each for page in pages for each in page] == [{"type": "shelf", "id": "z"}]


@pytest.mark.parametrize(
    "changed",
    [
        {"resource": TWO},
        {"action": WRITE},
        {"context": {"mfa": True}},
        {"subject": {"type": "api_key"}},
        {"page": {"limit": 2}},
        {"page": {"token": "x"}},
        {"page": {"token": ""}},
        {"page": {"token": "ü"}},
    ],
)
def test_a_token_is_good_for_its_own_question_alone(fixture: Fixture, changed: dict[str, Any]):
    question = {**USERS, "action": READ, "resource": ONE}
    token = fixture.search("subject", {**question, "page": {"limit": 1}})["page"]["next_token"]
    page = {"token": token, **changed.get("page", {})}

    reply = fixture.post(SEARCH + "subject", {**question, **changed, "page": page})

    assert (reply.status, reply.json["error"]["status"]) == (400, 400)


def test_a_token_is_no_good_to_another_tenant_or_another_search(fixture: Fixture, other: Tenant):
    question = {**USERS, "action": READ, "resource": ONE}
    token = fixture.search("subject", {**question, "page": {"limit": 1}})["page"]["next_token"]

    mine = {**question, "page": {"token": token}}
    assert other.call("POST", SEARCH + "subject", mine).status == 400
    assert fixture.post(SEARCH + "resource", {**mine, "subject": fixture.alice}).status == 400
    assert fixture.post(SEARCH + "subject", mine).status == 200


def test_4_6_what_is_not_known_finds_nothing(fixture: Fixture):
    nobody, spaceship = {"type": "user", "id": "nonexistent-user"}, {"type": "spaceship"}
    questions: list[tuple[str, dict[str, Any]]] = [
        ("action", {"subject": nobody, "resource": ONE}),
        ("action", {"subject": {**spaceship, "id": "x"}, "resource": ONE}),
        ("subject", {"subject": spaceship, "action": READ, "resource": ONE}),
        ("subject", {**USERS, "action": {"name": "Read All"}, "resource": ONE}),
        ("resource", {"subject": nobody, "action": READ, **RECORD}),
        ("resource", {"subject": fixture.alice, "action": READ, "resource": spaceship}),
        ("resource", {"subject": fixture.alice, "action": READ, "resource": {"type": "Space Ship#1"}}),
        ("action", {"subject": fixture.alice, "resource": {"type": "Space Ship", "id": "x"}}),
    ]

    assert [fixture.found(kind, body, "name" if kind == "action" else "id") for kind, body in questions] == [set()] * 8


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("subject", {"action": None}),
        ("subject", {"resource": {"type": "record"}}),
        ("subject", {"subject": None}),
        ("subject", {"subject": {"id": "alice"}}),
        ("resource", {"subject": None}),
        ("resource", {"subject": {"type": "user"}}),
        ("resource", {"resource": {"id": "record-1"}}),
        ("action", {"resource": None}),
        ("action", {"subject": {"type": "user"}}),
        ("action", {"resource": {"type": "record"}}),
        *((kind, {"page": page}) for kind in ("subject", "resource", "action") for page in (1, {"limit": -1})),
        *(("action", {"page": page}) for page in ({"limit": 1.5}, {"limit": True}, {"limit": "1"}, {"token": 1})),
        ("subject", {"context": "now"}),
    ],
)
def test_4_7_what_is_missing_or_of_another_type_is_a_400(fixture: Fixture, kind: str, changed: dict[str, Any]):
    reply = fixture.post(SEARCH + kind, fixture.question(**changed))

    assert reply.status == 400
    assert all(fault["pointer"].startswith("/") for fault in reply.json["error"]["errors"])


@pytest.mark.parametrize(("kind", "body"), SEARCHES)
def test_searches_ignore_what_they_do_not_know_and_echo_the_request_id(fixture: Fixture, kind: str, body: dict[str, Any]):
    body = {"subject": fixture.alice, **body}
    more = {**body, "foo": "bar", "page": {"future": 1, "properties": {"sort": "id"}}}

    assert fixture.search(kind, more) == fixture.search(kind, body)
    assert fixture.post(SEARCH + kind, body, headers={"X-Request-ID": "7f0c 6a1e"}).request_id == "7f0c 6a1e"
    assert fixture.post(SEARCH + kind, {}, headers={"X-Request-ID": "7f0c 6a1e"}).request_id == "7f0c 6a1e"


# Discovery


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


# Ours


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


@pytest.fixture
def world_of_little(fixture: Fixture) -> tuple[World, str, str]:
    client = fixture.tenant.client_with(("developer",), ("orders:read",))
    return fixture.world, fixture.world.token(client), client["client_id"]


def test_without_a_credential_there_is_no_answer(fixture: Fixture):
    reply = fixture.world.call("POST", SINGLE, json_body=fixture.question())

    assert reply.status == 401
    assert "www-authenticate" in reply.headers


def test_what_was_found_is_what_evaluations_say(fixture: Fixture):
    """Of every user and record, and of every action found or named by the fixture."""
    users = fixture.tenant.call("GET", "/v1/users?limit=200", expect=200).json["items"]
    for record in (ONE, TWO):
        for action in (READ, WRITE):
            found = fixture.found("subject", {**USERS, "action": action, "resource": record})
            said = {one["id"] for one in users if fixture.decision({"type": "user", "id": one["id"]}, action, record)}
            assert found == said
        names = fixture.found("action", {"subject": fixture.bob, "resource": record}, "name")
        assert all(fixture.decision(fixture.bob, {"name": name}, record) for name in names)
        assert names.isdisjoint(
            name for name in ("read", "write", "delete") if not fixture.decision(fixture.bob, {"name": name}, record)
        )


def test_an_administrator_finds_the_operations_of_this_api_and_of_protected_ones(fixture: Fixture, other: Tenant):
    tenant = other
    route = {"method": "GET", "path": "/c", "action": "fleet.cars.get", "resource": {"type": "car"}}
    body = {"name": "a", "audience": "https://cars.test", "environment": "live", "domains": ["fleet"], "routes": [route]}
    tenant.call("POST", "/v1/protected-apis", body, expect=201)
    tenant.call("POST", "/v1/roles", {"name": "stokers", "actions": ["fleet.boilers.stoke"]}, expect=201)
    fixture.world.clock.move(seconds=5)
    asked = {"subject": {"type": "user", "id": tenant.admin_id}, "resource": {"type": "car", "id": "1"}}

    found: list[str] = []
    page: dict[str, Any] = {}
    while page.get("token") != "":
        answer = tenant.call("POST", SEARCH + "action", {**asked, "page": page}, expect=200).json
        found += [each["name"] for each in answer["results"]]
        page = {"token": answer["page"]["next_token"]}

    assert {"fleet.cars.get", "fleet.boilers.stoke", "settings.users.create", "read", "delete"} <= set(found)
    assert len(found) == len(set(found))


def test_clients_and_keys_are_found_as_they_stand(fixture: Fixture, other: Tenant):
    """A key within its scopes; a client without a token's; neither when it is dead."""
    tenant = other
    client, gone = (tenant.client_with(("developer",))["client_id"] for _ in range(2))
    whose = {"name": "k", "environment": "live", "owner": {"type": "oauth_client", "id": client}}
    keys = [
        tenant.call("POST", "/v1/api-keys", {**whose, "scopes": [scope]}, expect=201).json["id"]
        for scope in ("orders:read", "billing:read", "orders:manage")
    ]
    tenant.call("DELETE", f"/v1/oauth-clients/{gone}", expect=204, headers={"If-Match": "*"})
    tenant.call("DELETE", f"/v1/api-keys/{keys[2]}", expect=204, headers={"If-Match": "*"})
    fixture.world.clock.move(seconds=5)

    def found(kind: str) -> list[str]:
        body = {"subject": {"type": kind}, "action": {"name": "orders:read"}, "resource": ONE}
        return [each["id"] for each in tenant.call("POST", SEARCH + "subject", body, expect=200).json["results"]]

    assert set(found("oauth_client")) & {client, gone} == {client}
    assert found("api_key") == [keys[0]]


def test_users_are_named_by_address_too(fixture: Fixture, other: Tenant):
    """In any case; an address of another tenant's is as one of nobody's."""
    by_address = {"type": "user", "id": "Alice@ACME.test"}
    assert other.call("GET", "/v1/users?email=admin@other.test", expect=200).json["items"]

    assert fixture.decision(by_address, WRITE, ONE)
    assert fixture.decisions(action=READ, resource=ONE, evaluations=[{"subject": by_address}]) == [True]
    assert fixture.found("resource", {"subject": by_address, "action": WRITE, **RECORD}) == {"record-1"}
    assert "write" in fixture.found("action", {"subject": by_address, "resource": ONE}, "name")
    theirs, nobody = (
        fixture.post(SINGLE, fixture.question(subject={"type": "user", "id": address})).json
        for address in ("admin@other.test", "nobody@acme.test")
    )
    assert {**theirs["context"], "decision_id": ""} == {**nobody["context"], "decision_id": ""}
    assert (theirs["decision"], theirs["context"]["kind"]) == (False, "suspended")


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
