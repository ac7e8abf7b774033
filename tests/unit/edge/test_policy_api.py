"""Policies through the API: their versions and rollback, whom they are attached to, and what the caller holds by them."""

from typing import Any

import pytest

from tests.unit.policy.worlds import SAMPLE
from tests.world import Reply, Tenant, World

ANY = {"If-Match": "*"}
FREEZE = {"effect": "deny", "actions": ["infrastructure:manage"], "resources": ["*"]}
ROUTE = {"method": "GET", "path": "/clusters", "action": "infrastructure.clusters.list"}


def written(tenant: Tenant, document: Any = SAMPLE, *attachments: tuple[str, str], name: str = "p") -> dict[str, Any]:
    attached = [{"type": kind, "id": target} for kind, target in attachments]
    body = {"name": name, "document": document, "attachments": attached}
    made: dict[str, Any] = tenant.call("POST", "/v1/policies", body, expect=201).json
    tenant.world.clock.move(seconds=5)
    return made


def rolled_back(tenant: Tenant, policy: dict[str, Any], version: int, **more: Any) -> Reply:
    headers = {"If-Match": more.pop("if_match", "*")}
    return tenant.call("POST", f"/v1/policies/{policy['id']}/rollback", {"version": version}, headers=headers)


# Rollback


def test_a_former_version_stands_again_as_the_next_one(tenant: Tenant):
    first = written(tenant, SAMPLE, ("tenant", tenant.id))
    second = {"name": "frozen", "document": FREEZE, "attachments": []}
    tenant.call("PUT", f"/v1/policies/{first['id']}", second, expect=200, headers=ANY)

    reply = rolled_back(tenant, first, 1, if_match='"v2"')

    assert (reply.status, reply.headers["etag"]) == (200, '"v3"')
    same = ("id", "name", "document", "attachments", "created_at")
    assert {name: reply.json[name] for name in same} == {name: first[name] for name in same}
    versions = tenant.call("GET", f"/v1/policies/{first['id']}/versions", expect=200).json["items"]
    assert [one["version"] for one in versions] == [3, 2, 1]
    (event,) = tenant.events(action="settings.policies.rollback")
    assert (event["changes"]["before"]["version"], event["changes"]["after"]["version"]) == (2, 3)


def test_a_rollback_is_a_change_like_any(tenant: Tenant):
    policy = written(tenant)
    path = f"/v1/policies/{policy['id']}/rollback"

    assert tenant.call("POST", path, {"version": 1}).status == 428
    assert rolled_back(tenant, policy, 1, if_match='"v7"').status == 412
    assert rolled_back(tenant, policy, 2).status == 404
    assert rolled_back(tenant, policy, 0).status == 422
    assert rolled_back(tenant, {"id": "pol_01m86h9kkteqdtv79ft12yh2bc"}, 1).status == 404


def test_a_deleted_policy_does_not_come_back(tenant: Tenant):
    policy = written(tenant)
    tenant.call("DELETE", f"/v1/policies/{policy['id']}", expect=204, headers=ANY)

    assert rolled_back(tenant, policy, 1).status == 404


def test_a_rollback_locks_nobody_out(tenant: Tenant):
    shut = {"effect": "deny", "actions": ["settings:manage"], "resources": ["*"]}
    other = ("user", tenant.user("other@acme.test"))
    policy = written(tenant, shut, other)
    everyone = {"name": "p", "document": SAMPLE, "attachments": [{"type": "tenant", "id": tenant.id}]}
    tenant.call("PUT", f"/v1/policies/{policy['id']}", everyone, expect=200, headers=ANY)
    tenant.call("PUT", f"/v1/policies/{policy['id']}", {**everyone, "document": shut}, headers=ANY, expect=409)

    assert rolled_back(tenant, policy, 1).status == 200


# Whom they are attached to


def test_policies_are_listed_by_what_they_are_attached_to(tenant: Tenant):
    user = tenant.user()
    of_user, of_both = written(tenant, SAMPLE, ("user", user)), written(tenant, SAMPLE, ("user", user), ("role", "viewer"))
    written(tenant, SAMPLE, ("tenant", tenant.id))

    def listed(query: str) -> list[str]:
        return [one["id"] for one in tenant.call("GET", f"/v1/policies?{query}", expect=200).json["items"]]

    assert listed(f"attachment_type=user&attachment_id={user}") == [of_user["id"], of_both["id"]]
    assert listed("attachment_type=role&attachment_id=viewer") == [of_both["id"]]
    assert listed("attachment_type=role&attachment_id=admin") == []
    assert tenant.call("GET", "/v1/policies?attachment_type=user").status == 422


def test_an_attachment_outlives_what_it_names_and_is_in_force_for_nobody(tenant: Tenant):
    """A role's name may be used again, and means what is attached to it: so it is shown, and to be detached."""
    tenant.call("POST", "/v1/roles", {"name": "sre", "actions": ["billing:read"]}, expect=201)
    policy = written(tenant, SAMPLE, ("role", "sre"))

    tenant.call("DELETE", "/v1/roles/sre", expect=204, headers=ANY)
    tenant.world.clock.move(seconds=5)

    kept = tenant.call("GET", f"/v1/policies/{policy['id']}", expect=200).json
    assert kept["attachments"] == [{"type": "role", "id": "sre"}]
    checked = {"document": SAMPLE, "attachments": kept["attachments"]}
    (warning,) = tenant.call("POST", "/v1/policies/validate", checked, expect=200).json["warnings"]
    assert (warning["pointer"], "sre" in warning["detail"]) == ("/attachments/0", True)


def test_a_deny_attached_to_a_key_or_client_is_in_force_for_it_alone(world: World, tenant: Tenant):
    client = tenant.client_with(("operator",))
    owner = {"type": "oauth_client", "id": client["client_id"]}
    made = {"name": "k", "environment": "live", "scopes": ["*"], "owner": owner}
    one, other = (tenant.call("POST", "/v1/api-keys", made, expect=201).json for _ in range(2))
    written(tenant, FREEZE, ("api_key", one["id"]))
    question = {"action": "infrastructure.clusters.delete", "resource": "cluster:c"}

    def kind(credential: str) -> str:
        return str(world.call("POST", "/v1/authorize", token=credential, json_body=question).json["kind"])

    assert [kind(one["key"]), kind(other["key"]), kind(world.token(client))] == ["explicit_deny", "allow", "allow"]
    written(tenant, FREEZE, ("oauth_client", client["client_id"]))
    assert [kind(other["key"]), kind(world.token(client))] == ["explicit_deny"] * 2


# What the caller holds


def me(world: World, credential: str, ip: str = "10.1.2.3") -> dict[str, Any]:
    reply = world.call("GET", "/v1/me", token=credential, ip=ip)
    assert reply.status == 200, reply.text
    return dict(reply.json)


def test_me_tells_what_roles_give(world: World, tenant: Tenant):
    told = me(world, world.token(tenant.client_with(("operator",))))

    assert told["permissions"] == ["billing:read", "infrastructure:read", "infrastructure:manage"]
    assert told["limited"] == []


def test_me_tells_of_a_replaced_grant_what_is_left_of_it(world: World, tenant: Tenant):
    client = tenant.client_with(("operator",))
    written(tenant, SAMPLE, ("oauth_client", client["client_id"]))

    told = me(world, world.token(client))

    assert told["permissions"] == ["billing:read"]
    assert told["limited"] == ["infrastructure:manage"]


def test_me_tells_what_a_deny_takes(world: World, tenant: Tenant):
    client = tenant.client_with(("operator",))
    written(tenant, {**FREEZE, "conditions": {"ip_range": ["10.0.0.0/8"]}}, ("oauth_client", client["client_id"]))
    token = world.token(client)

    assert me(world, token)["permissions"] == ["billing:read", "infrastructure:read"]
    assert me(world, token, ip="192.0.2.1")["permissions"] == [
        "billing:read",
        "infrastructure:read",
        "infrastructure:manage",
    ]


def test_me_tells_what_scopes_leave(world: World, tenant: Tenant):
    client = tenant.client_with(("operator",), ("infrastructure:read", "infrastructure.clusters.get", "orders:read"))
    written(tenant, SAMPLE, ("tenant", tenant.id))

    told = me(world, world.token(client))

    assert told["permissions"] == []
    assert told["limited"] == ["infrastructure.clusters.get", "infrastructure:read"]


def test_me_tells_of_a_key_no_more_than_its_owner_has(world: World, tenant: Tenant):
    user = tenant.user(roles=("viewer",))
    body = {"name": "k", "environment": "live", "scopes": ["*"], "owner": {"type": "user", "id": user}}
    key = tenant.call("POST", "/v1/api-keys", body, expect=201).json
    everything = {"effect": "allow", "actions": ["billing:manage"], "resources": ["*"]}
    written(tenant, everything, ("api_key", key["id"]))

    told = me(world, key["key"])

    assert "billing:read" in told["permissions"]
    assert not [each for each in told["permissions"] + told["limited"] if each.endswith(":manage")]


# Protected APIs


def protected(tenant: Tenant, **more: Any) -> dict[str, Any]:
    body = {"name": "a", "audience": "https://a.test", "environment": "live", "routes": [ROUTE], **more}
    made: dict[str, Any] = tenant.call("POST", "/v1/protected-apis", body, expect=201).json
    return made


def test_a_protected_api_is_changed_in_place(tenant: Tenant):
    api = protected(tenant)
    path, moved = f"/v1/protected-apis/{api['id']}", {**ROUTE, "path": "/v2/clusters"}

    reply = tenant.call("PATCH", path, {"routes": [moved], "environment": "test"}, headers={"If-Match": '"v1"'}, expect=200)

    assert (reply.headers["etag"], reply.json["audience"], reply.json["environment"]) == ('"v2"', "https://a.test", "test")
    assert [route["path"] for route in reply.json["routes"]] == ["/v2/clusters"]
    assert tenant.call("PATCH", path, {"name": "b"}, headers={"If-Match": '"v1"'}).status == 412
    (event,) = tenant.events(action="settings.protected_apis.update", result="success")
    assert event["changes"]["before"]["routes"]["sha256"] != event["changes"]["after"]["routes"]["sha256"]


def test_routes_that_lose_their_domain_are_pointed_at(tenant: Tenant):
    api = protected(tenant, domains=["widgets"], routes=[{**ROUTE, "action": "widgets.widgets.list"}])
    path = f"/v1/protected-apis/{api['id']}"

    reply = tenant.call("PATCH", path, {"domains": []}, headers=ANY)

    assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/routes/0/action")
    assert tenant.call("PATCH", path, {"domains": ["widgets", "settings"]}, headers=ANY).status == 422


def test_an_audience_may_move_and_is_still_one_apis_alone(tenant: Tenant):
    first, second = protected(tenant), protected(tenant, audience="https://b.test")

    def moved(api: dict[str, Any], audience: str) -> int:
        return tenant.call("PATCH", f"/v1/protected-apis/{api['id']}", {"audience": audience}, headers=ANY).status

    assert moved(second, "https://a.test") == 409
    assert moved(first, "https://c.test") == 200
    assert moved(second, "https://a.test") == 200


# Explanation


@pytest.mark.parametrize(("roles", "told"), [(("viewer",), False), (("admin",), True)])
def test_the_nearest_miss_is_for_those_who_may_read_the_rules(world: World, tenant: Tenant, roles, told):
    """A plain reason is for everybody, and so is the hash of the rules, which the event names too."""
    client = tenant.client_with(roles)
    narrow = {**SAMPLE, "actions": ["widgets:read"]}
    written(tenant, narrow, ("oauth_client", client["client_id"]))
    question = {"action": "widgets:read", "resource": "cluster:cls_us01"}

    reply = world.call("POST", "/v1/authorize", token=world.token(client), json_body=question)

    assert (reply.json["decision"], reply.json["kind"]) == ("deny", "no_match")
    assert reply.json["reason"].endswith(".")
    assert ("nearest" in reply.json) is told
    (event,) = tenant.events(request_id=reply.request_id)
    assert event["decision"]["policy_set"] == reply.json["policy_set"]
    assert event["decision"]["id"] == reply.json["decision_id"]


# What is one's own in the log


def test_a_client_reads_its_own_events_and_no_others(world: World, tenant: Tenant):
    client = tenant.client_with(("developer",))
    token = world.token(client)
    asked = world.call("GET", "/v1/me", token=token)
    tenant.call("GET", "/v1/users", expect=200)

    found = world.call("GET", "/v1/audit/events", token=token)

    assert found.status == 200, found.text
    assert {event["principal_id"] for event in found.json["items"]} == {client["client_id"]}
    assert asked.request_id in {event["request_id"] for event in found.json["items"]}
    others = world.call("GET", f"/v1/audit/events?user_id={tenant.admin_id}", token=token)
    assert others.status == 403


# Questions


def test_the_batch_equals_its_parts(tenant: Tenant):
    user = tenant.user(roles=("operator",))
    written(tenant, SAMPLE, ("user", user))
    somebody = {"type": "user", "id": user}
    questions = [
        {"principal": somebody, "action": action, "resource": resource, "context": context}
        for action in ("infrastructure.clusters.update", "infrastructure:read", "billing:read", "nonsense", "widgets:read")
        for resource in ("cluster:cls_eu01", {"type": "cluster"}, {"type": "cluster", "id": "cls_us01"})
        for context in ({"ip_address": "10.1.2.3", "time": "2026-11-24T11:00:00Z"}, {"time": "2026-11-24T23:00:00Z"})
    ]

    together = tenant.call("POST", "/v1/authorize/batch", {"requests": questions}, expect=200).json["decisions"]

    alone = [tenant.call("POST", "/v1/authorize", question, expect=200).json for question in questions]
    assert [{**one, "decision_id": ""} for one in together] == [{**one, "decision_id": ""} for one in alone]
    assert len({one["decision_id"] for one in together}) == len(questions)
    assert {one["kind"] for one in together} == {"allow", "no_match"}


@pytest.mark.parametrize(
    ("question", "kind", "word"),
    [
        ({"principal": {"type": "user", "id": "nobody"}}, "suspended", "principal"),
        ({"principal": {"type": "api_key", "id": "key_01m86h9kkteqdtv79ft12yh2bc"}}, "suspended", "principal"),
        ({"principal": {"type": "oauth_client", "id": "cli_x"}}, "suspended", "principal"),
        ({"action": "widgets.widgets.get"}, "no_match", "domain"),
        ({"action": "not an action"}, "no_match", "allows"),
    ],
)
def test_what_is_not_known_is_denied_with_the_reason(tenant: Tenant, question: dict[str, Any], kind: str, word: str):
    whole = {"action": "infrastructure:read", "resource": "unheard-of:x", **question}

    answer = tenant.call("POST", "/v1/authorize", whole, expect=200).json

    assert (answer["decision"], answer["kind"], word in answer["reason"]) == ("deny", kind, True)


# Bad input


def conditions(**changed: Any) -> dict[str, Any]:
    return {**SAMPLE, "conditions": changed}


WINDOW = {"start": "06:00", "end": "22:00", "timezone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({**SAMPLE, "actions": ["infrastructure..get"]}, "/document/actions/0"),
        ({**SAMPLE, "actions": ["infrastructure.clusters."]}, "/document/actions/0"),
        ({**SAMPLE, "actions": ["infrastructure.*.get"]}, "/document/actions/0"),
        ({**SAMPLE, "actions": ["**"]}, "/document/actions/0"),
        ({**SAMPLE, "actions": ["infrastructure:read"] * 101}, "/document/actions"),
        ({**SAMPLE, "actions": []}, "/document/actions"),
        ({**SAMPLE, "resources": ["cluster:"]}, "/document/resources/0"),
        ({**SAMPLE, "resources": [":cls"]}, "/document/resources/0"),
        ({**SAMPLE, "resources": ["cluster:a**b"]}, "/document/resources/0"),
        ({**SAMPLE, "resources": ["cluster:x"] * 101}, "/document/resources"),
        ({"statements": [SAMPLE] * 101}, "/document/statements"),
        ({"statements": [SAMPLE, {**SAMPLE, "effect": "ALLOW"}]}, "/document/statements/1/effect"),
        ({**SAMPLE, "unknown": 1}, "/document/unknown"),
        (conditions(ip_range=["10.0.0.0/33"]), "/document/conditions/ip_range/0"),
        (conditions(ip_range=["10.0.0.1/8"]), "/document/conditions/ip_range/0"),
        (conditions(ip_range=["fe80::1%eth0/64"]), "/document/conditions/ip_range/0"),
        (conditions(ip_range=["10.0.0.0/8"] * 101), "/document/conditions/ip_range"),
        (conditions(time_window={**WINDOW, "timezone": "Europe/Atlantis"}), "/document/conditions/time_window/timezone"),
        (conditions(time_window={**WINDOW, "timezone": "../UTC"}), "/document/conditions/time_window/timezone"),
        (conditions(time_window={**WINDOW, "start": "24:00"}), "/document/conditions/time_window/start"),
        (
            conditions(date_range={"not_before": "2026-02-01T00:00:00Z", "not_after": "2026-01-01T00:00:00Z"}),
            "/document/conditions/date_range",
        ),
        (conditions(date_range={"not_before": "2026-02-30T00:00:00Z"}), "/document/conditions/date_range/not_before"),
        (conditions(resource_attributes={"a": {"equals": {"b": 1}}}), "/document/conditions/resource_attributes/a/equals"),
        (conditions(weather="fine"), "/document/conditions/weather"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_pointed_at(tenant: Tenant, document: Any, pointer: str):
    reply = tenant.call("POST", "/v1/policies", {"name": "p", "document": document, "attachments": []})

    assert reply.status == 422, reply.text
    assert [fault["pointer"] for fault in reply.json["errors"]] == [pointer]
    checked = tenant.call("POST", "/v1/policies/validate", {"document": document}, expect=200).json
    assert (checked["valid"], [fault["pointer"] for fault in checked["errors"]]) == (False, [pointer])


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ('{"effect": "allow", "effect": "deny"}', "/document/effect"),
        (
            '{"effect": "allow", "conditions": {"resource_attributes": {"a": NaN}}}',
            "/document/conditions/resource_attributes/a",
        ),
        (
            '{"effect": "allow", "conditions": {"resource_attributes": {"a": 1e999}}}',
            "/document/conditions/resource_attributes/a",
        ),
        ('{"effect": "\\ud800"}', "/document/effect"),
        ('{"effect": ' + "[" * 40 + "]" * 40 + "}", ""),
        ('{"effect": ' + "[" * 100_000 + "]" * 100_000 + "}", ""),
    ],
    ids=["duplicate", "nan", "infinity", "surrogate", "deep", "deeper"],
)
def test_what_two_readers_could_read_differently_is_pointed_at(tenant: Tenant, document: str, pointer: str):
    raw = f'{{"name": "p", "attachments": [], "document": {document}}}'.encode()

    reply = tenant.call("POST", "/v1/policies", raw=raw, headers={"Content-Type": "application/json"})

    assert reply.status == 400, reply.text
    assert [fault["pointer"] for fault in reply.json["errors"]] == [pointer]
