"""OpenID AuthZEN 1.0: searches, by the numbers of the certification scenario, level Search; and what they find of ours."""

from typing import Any

import pytest

from platforma.edge import searches
from tests.unit.edge.authzen.scenario import (
    ARCHIVED,
    OF_ALICE,
    ONE,
    READ,
    RECORD,
    SEARCH,
    SINGLE,
    TWO,
    USERS,
    WRITE,
    Fixture,
)
from tests.world import Tenant


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
