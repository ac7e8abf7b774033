"""A change to the policies, tried on questions and on what was decided; nothing is written."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.policy.worlds import SAMPLE
from tests.world import Reply, Tenant, World

ANY = {"If-Match": "*"}
FREEZE = {"effect": "deny", "actions": ["infrastructure:manage"], "resources": ["*"]}
UPDATE = "infrastructure.clusters.update"


def simulate(tenant: Tenant, *changes: dict[str, Any], expect: int = 200, **more: Any) -> Any:
    tenant.world.clock.move(seconds=1)
    reply = tenant.call("POST", "/v1/policies/simulate", {"changes": list(changes), **more})
    assert reply.status == expect, reply.text
    return reply.json


def put(document: Any, *attachments: tuple[str, str], **more: Any) -> dict[str, Any]:
    attached = [{"type": kind, "id": target} for kind, target in attachments]
    return {"op": "put", "document": document, "attachments": attached, **more}


def about(user: str, action: str = UPDATE, resource: str = "cluster:cls_us01", **context: Any) -> dict[str, Any]:
    return {"principal": {"type": "user", "id": user}, "action": action, "resource": resource, "context": context}


def results(simulated: Any) -> list[tuple[str, str]]:
    return [(one["before"]["decision"], one["after"]["decision"]) for one in simulated["decisions"]]


# Questions


def test_a_new_policy_is_tried_on_questions_and_not_written(tenant: Tenant):
    user = tenant.user(roles=("operator",))
    change = put(SAMPLE, ("user", user))

    told = simulate(tenant, change, requests=[about(user), about(user, "billing.invoices.get", "invoice:i")])

    assert results(told) == [("allow", "deny"), ("allow", "allow")]
    assert (told["decided"], told["changed"], [one["changed"] for one in told["decisions"]]) == (2, 1, [True, False])
    assert told["policy_set"]["before"] != told["policy_set"]["after"]
    assert told["decisions"][0]["after"]["policy_set"] == told["policy_set"]["after"]
    assert tenant.call("GET", "/v1/policies", expect=200).json["items"] == []
    assert (
        results(simulate(tenant, change, requests=[about(user), about(user)], only_changed=True)) == [("allow", "deny")] * 2
    )


def test_a_policy_is_replaced_keeps_what_is_left_out_or_goes(tenant: Tenant):
    user = tenant.user(roles=("operator",))
    body = {"name": "p", "document": FREEZE, "attachments": [{"type": "user", "id": user}]}
    policy = tenant.call("POST", "/v1/policies", body, expect=201).json["id"]
    tenant.world.clock.move(seconds=5)
    asked = [about(user)]

    assert results(simulate(tenant, {"op": "delete", "id": policy}, requests=asked)) == [("deny", "allow")]
    kept = {"op": "put", "id": policy, "document": {**FREEZE, "resources": ["node:*"]}}
    assert results(simulate(tenant, kept, requests=asked)) == [("deny", "allow")]
    wider = {"op": "put", "id": policy, "document": {**FREEZE, "actions": ["billing:*"]}}
    assert results(simulate(tenant, wider, requests=[about(user, "billing:read", "invoice:i")])) == [("allow", "deny")]
    assert results(simulate(tenant, {"op": "delete", "id": policy}, put(FREEZE, ("user", user)), requests=asked)) == [
        ("deny", "deny")
    ]


def test_a_simulated_answer_is_the_one_that_comes_true(tenant: Tenant):
    user = tenant.user(roles=("operator",))
    told = simulate(tenant, put(SAMPLE, ("user", user)), requests=[about(user, ip_address="10.1.2.3")])

    body = {"name": "p", "document": SAMPLE, "attachments": [{"type": "user", "id": user}]}
    tenant.call("POST", "/v1/policies", body, expect=201)
    tenant.world.clock.move(seconds=5)

    answer = tenant.call("POST", "/v1/authorize", about(user, ip_address="10.1.2.3"), expect=200).json
    after = told["decisions"][0]["after"]
    assert {**answer, "decision_id": "", "policy_set": "", "matched": [], "nearest": len(answer["nearest"])} == {
        **after,
        "decision_id": "",
        "policy_set": "",
        "matched": [],
        "nearest": len(after["nearest"]),
    }


def test_a_change_that_would_lock_everybody_out_is_told(tenant: Tenant):
    shut = {"effect": "deny", "actions": ["settings:manage"], "resources": ["*"]}

    assert simulate(tenant, put(shut, ("tenant", tenant.id)), requests=[about(tenant.admin_id)])["would_lock_out"] is True
    assert simulate(tenant, put(FREEZE, ("tenant", tenant.id)), requests=[about(tenant.admin_id)])["would_lock_out"] is False


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"op": "put", "document": {**SAMPLE, "effect": "maybe"}}, "/changes/0/document/effect"),
        ({"op": "put", "document": SAMPLE, "attachments": [{"type": "user", "id": "x"}]}, "/changes/0/attachments/0/id"),
        ({"op": "put", "id": "pol_1", "document": SAMPLE}, "/changes/0/id"),
        ({"op": "delete", "id": "pol_1"}, "/changes/0/id"),
        ({"op": "delete"}, "/changes/0"),
        ({"op": "put"}, "/changes/0"),
        ({"op": "patch", "id": "pol_1"}, "/changes/0/op"),
    ],
)
def test_a_change_that_is_none_is_pointed_at(tenant: Tenant, change: dict[str, Any], pointer: str):
    told = simulate(tenant, change, requests=[about(tenant.admin_id)], expect=422)

    assert [fault["pointer"] for fault in told["errors"]] == [pointer]


# What was decided


def test_what_was_decided_is_decided_again(world: World, tenant: Tenant):
    client = tenant.client_with(("operator",), ("infrastructure:read", "infrastructure.clusters.*"))
    token = world.token(client)
    for action in (UPDATE, "infrastructure.clusters.get", "infrastructure.nodes.get", "orders:read"):
        body = {"action": action, "resource": "cluster:cls_us01"}
        assert world.call("POST", "/v1/authorize", token=token, json_body=body).status == 200

    told = simulate(tenant, put(FREEZE, ("oauth_client", client["client_id"])))

    mine = [one for one in told["decisions"] if one["principal"]["id"] == client["client_id"]]
    assert [one["action"] for one in mine] == [
        *("orders:read", "infrastructure.nodes.get", "infrastructure.clusters.get", UPDATE),
    ]
    assert results({"decisions": mine}) == [("deny", "deny"), ("allow", "allow"), ("allow", "allow"), ("allow", "deny")]
    assert [one["recorded"]["result"] for one in mine] == [one["before"]["decision"] for one in mine]
    assert {one["recorded"]["policy_set"] for one in mine} == {told["policy_set"]["before"]}
    assert told["next_cursor"] is None


def test_what_a_credential_could_not_do_it_cannot_in_a_replay(world: World, tenant: Tenant):
    """The scopes, the client and the second factor are those of then; the rules are others."""
    client = tenant.client_with((), ("infrastructure:read",))
    token = world.token(client)
    for action in ("infrastructure.clusters.get", UPDATE):
        world.call("POST", "/v1/authorize", token=token, json_body={"action": action, "resource": "cluster:c"})
    grant = {"effect": "allow", "actions": ["infrastructure:*"], "resources": ["*"]}

    told = simulate(tenant, put(grant, ("tenant", tenant.id)), only_changed=True)

    assert [(one["action"], one["after"]["kind"]) for one in told["decisions"]] == [("infrastructure.clusters.get", "allow")]


def test_a_replay_goes_on_behind_its_cursor_until_all_was_seen_once(world: World, tenant: Tenant):
    token = world.token(tenant.client_with(("operator",)))
    for number in range(7):
        body = {"action": UPDATE, "resource": f"cluster:{number}"}
        world.call("POST", "/v1/authorize", token=token, json_body=body)
        world.clock.move(seconds=1)
    change, seen, cursor = put(FREEZE, ("tenant", tenant.id)), [], None
    began = {"to": world.clock().strftime("%Y-%m-%dT%H:%M:%SZ")}

    for _ in range(30):
        more = {"cursor": cursor} if cursor else {}
        told = simulate(tenant, change, limit=2, **began, **more)
        assert told["decided"] <= 2
        seen += [one["resource"]["id"] for one in told["decisions"] if one["action"] == UPDATE]
        world.clock.move(minutes=1)
        if (cursor := told["next_cursor"]) is None:
            break

    assert seen == [str(number) for number in reversed(range(7))]


def test_a_cursor_is_good_for_its_own_change_alone(tenant: Tenant):
    change = put(FREEZE, ("tenant", tenant.id))
    tenant.call("GET", "/v1/policies", expect=200)
    tenant.call("GET", "/v1/policies", expect=200)
    cursor = simulate(tenant, change, limit=1)["next_cursor"]

    simulate(tenant, change, limit=3, cursor=cursor)
    simulate(tenant, put(SAMPLE, ("tenant", tenant.id)), cursor=cursor, expect=422)
    simulate(tenant, change, cursor="x" * 30, expect=422)


def test_only_the_window_is_replayed(world: World, tenant: Tenant):
    tenant.call("GET", "/v1/policies", expect=200)
    tenant.call("GET", "/v1/policies", expect=200)
    change = put(FREEZE, ("tenant", tenant.id))
    world.clock.move(days=8)

    assert simulate(tenant, change)["decided"] == 0
    ago = (world.clock() - timedelta(days=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert simulate(tenant, change, **{"from": ago})["decided"] > 0
    simulate(tenant, change, **{"from": "2020-01-01T00:00:00Z"}, expect=422)
    simulate(tenant, change, **{"from": "soon"}, expect=422)
    assert simulate(tenant, change, **{"from": ago}, requests=[about(tenant.admin_id)])["decided"] == 1


# Who may


def as_client(world: World, tenant: Tenant, statement_actions: list[str], body: Any) -> Reply:
    client = tenant.client_with()
    allow = {"effect": "allow", "actions": statement_actions, "resources": ["*"]}
    attached = [{"type": "oauth_client", "id": client["client_id"]}]
    tenant.call("POST", "/v1/policies", {"name": "p", "document": allow, "attachments": attached}, expect=201)
    world.clock.move(seconds=5)
    return world.call("POST", "/v1/policies/simulate", token=world.token(client), json_body=body)


def test_a_replay_takes_the_right_to_read_the_log(world: World, tenant: Tenant):
    body = {"changes": [put(FREEZE, ("tenant", tenant.id))]}

    assert as_client(world, tenant, ["settings:read"], body).status == 403
    assert as_client(world, tenant, ["settings:read", "audit:read"], body).status == 200
    assert as_client(world, tenant, ["audit:read", "decisions:read"], body).status == 403


def test_a_question_about_another_takes_the_right_to_ask(world: World, tenant: Tenant):
    body = {"changes": [put(FREEZE, ("tenant", tenant.id))], "requests": [about(tenant.admin_id)]}

    assert as_client(world, tenant, ["settings:read"], body).status == 403
    assert as_client(world, tenant, ["settings:read", "decisions:read"], body).status == 200


def test_another_tenants_policy_is_not_there(world: World, tenant: Tenant):
    other = world.tenant("other", "admin@other.test")
    policy = tenant.call("POST", "/v1/policies", {"name": "p", "document": FREEZE, "attachments": []}, expect=201).json["id"]

    simulate(other, {"op": "delete", "id": policy}, requests=[about(other.admin_id)], expect=422)
