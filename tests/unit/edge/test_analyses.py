"""Exact comparisons of policies over the API; every witness is put to `/v1/authorize`, before the change and after it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.policy.worlds import SAMPLE
from tests.world import Reply, Tenant

ANY = {"If-Match": "*"}
FREEZE = {"effect": "deny", "actions": ["infrastructure:manage"], "resources": ["*"]}
READ_ORDERS = {"effect": "allow", "actions": ["orders:read"], "resources": ["order:eu_*"]}


def allow(*actions: str, resources: tuple[str, ...] = ("*",), **conditions: Any) -> dict[str, Any]:
    return {"effect": "allow", "actions": list(actions), "resources": list(resources), "conditions": conditions}


def analyze(tenant: Tenant, expect: int = 200, **body: Any) -> Any:
    return tenant.call("POST", "/v1/policies/analyze", body, expect=expect).json


def check(tenant: Tenant, **body: Any) -> Any:
    return tenant.call("POST", "/v1/policies/check-no-new-access", body, expect=200).json


def policy(tenant: Tenant, document: Any, *attachments: tuple[str, str]) -> str:
    body = {"name": "p", "document": document, "attachments": attached(*attachments)}
    reply = tenant.call("POST", "/v1/policies", body, expect=201)
    tenant.world.clock.move(seconds=5)
    return str(reply.json["id"])


def attached(*attachments: tuple[str, str]) -> list[dict[str, str]]:
    return [{"type": kind, "id": target} for kind, target in attachments]


def authorize(tenant: Tenant, question: Any) -> str:
    return str(tenant.call("POST", "/v1/authorize", question, expect=200).json["decision"])


# Two documents


def test_documents_that_say_the_same_are_equivalent(tenant: Tenant):
    halves = [
        {**SAMPLE, "conditions": {**SAMPLE["conditions"], "ip_range": network}} for network in ("10.0.0.0/9", "10.128.0.0/9")
    ]

    told = analyze(tenant, before=SAMPLE, after={"statements": halves})

    assert told == {"equivalent": True, "grants_more": [], "grants_less": [], "never_applies": [], "shadowed": []}


@pytest.mark.parametrize(
    "wider",
    [
        allow("orders:manage", resources=("order:eu_*",)),
        allow("orders:read", resources=("order:e*",)),
        allow("orders:read", resources=("order:eu_*", "invoice:1")),
        allow("orders:read", "billing.invoices.pay", resources=("order:eu_*",)),
    ],
)
def test_a_document_that_gives_more_says_so_with_a_question_that_shows_it(tenant: Tenant, wider: Any):
    told = analyze(tenant, before=READ_ORDERS, after=wider)

    (found,) = told["grants_more"]
    assert (told["equivalent"], told["grants_less"]) == (False, [])
    assert (found["before"]["decision"], found["after"]["decision"]) == ("deny", "allow")
    user = tenant.user()
    question = {**found["request"], "principal": {"type": "user", "id": user}}
    written = policy(tenant, READ_ORDERS, ("user", user))
    assert authorize(tenant, question) == "deny"
    body = {"name": "p", "document": wider, "attachments": attached(("user", user))}
    tenant.call("PUT", f"/v1/policies/{written}", body, expect=200, headers=ANY)
    tenant.world.clock.move(seconds=5)
    assert authorize(tenant, question) == "allow"


def test_a_document_that_gives_less_says_so(tenant: Tenant):
    mfa = {**READ_ORDERS, "conditions": {"mfa": True}}

    told = analyze(tenant, before=READ_ORDERS, after=mfa)

    (found,) = told["grants_less"]
    assert (told["grants_more"], found["after"]["decision"], "mfa" in found["request"]["context"]) == ([], "deny", False)
    checked = check(tenant, before=READ_ORDERS, after=mfa)
    assert (checked["no_new_access"], checked["witness"]) == (True, None)
    assert checked["grants_less"][0]["request"] == found["request"]


def test_a_check_for_new_access_tells_its_first_witness_and_the_whole_analysis(tenant: Tenant):
    wider = allow("orders:manage", resources=("order:*",), time_window={"start": "06:00", "end": "22:00", "timezone": "UTC"})

    told = check(tenant, before=READ_ORDERS, after=wider)

    assert (told["no_new_access"], told["witness"]) == (False, told["grants_more"][0])
    assert {"equivalent", "grants_less", "never_applies", "shadowed"} < told.keys()
    assert told["witness"]["request"]["context"]["time"].endswith("Z")


def test_useless_statements_are_told_by_their_places(tenant: Tenant):
    past = allow("orders:read", date_range={"not_after": "2000-01-01T00:00:00Z"})
    parts = [allow("orders.lists.get", resources=("order:eu_1",)), READ_ORDERS, allow("orders:read", mfa=True), past]

    told = analyze(tenant, before=READ_ORDERS, after={"statements": parts})

    assert told["never_applies"] == [{"pointer": "/after/statements/3"}]
    assert told["shadowed"] == [{"pointer": "/after/statements/0", "by": ["/after/statements/1"]}]


def test_what_an_action_says_of_itself_stands_beside_the_question(tenant: Tenant):
    soft = allow("resources.record.delete", action_attributes={"soft": True})

    (found,) = analyze(tenant, before=FREEZE, after=soft)["grants_more"]

    assert found["action_properties"] == {"soft": True}


def test_a_domain_that_the_tenant_registered_is_known(tenant: Tenant):
    """A wildcard gives nothing in a domain that nobody registered."""
    both = {"before": allow("*:read"), "after": allow("*:read", "widgets:read")}
    assert not analyze(tenant, **both)["equivalent"]

    api: dict[str, Any] = {"name": "w", "audience": "https://w.test", "environment": "live", "domains": ["widgets"]}
    api["routes"] = [{"method": "GET", "path": "/", "action": "widgets.widgets.list"}]
    tenant.call("POST", "/v1/protected-apis", api, expect=201)

    assert analyze(tenant, **both)["equivalent"]


# Changes to the tenant's policies


def test_whoever_gains_by_a_change_is_named_with_a_question_that_comes_true(tenant: Tenant):
    operator, viewer = tenant.user("o@acme.test", ("operator",)), tenant.user("v@acme.test", ("viewer",))
    written = policy(tenant, FREEZE, ("tenant", tenant.id))

    told = analyze(tenant, changes=[{"op": "delete", "id": written}])

    gains = {found["request"]["principal"]["id"]: found["request"] for found in told["grants_more"]}
    assert operator in gains
    assert viewer not in gains
    assert {authorize(tenant, question) for question in gains.values()} == {"deny"}
    tenant.call("DELETE", f"/v1/policies/{written}", expect=204, headers=ANY)
    tenant.world.clock.move(seconds=5)
    assert {authorize(tenant, question) for question in gains.values()} == {"allow"}


def test_a_grant_that_comes_back_is_new_access(tenant: Tenant):
    """Taking away an allow gives back what it replaced."""
    user = tenant.user(roles=("operator",))
    written = policy(tenant, SAMPLE, ("user", user))

    told = analyze(tenant, changes=[{"op": "delete", "id": written}])

    assert [found["request"]["principal"]["id"] for found in told["grants_more"]] == [user]
    assert told["grants_less"] == []


def test_a_groups_policy_concerns_its_members(tenant: Tenant):
    group = tenant.call("POST", "/v1/groups", {"name": "g"}, expect=201).json["id"]
    user, _ = tenant.user("m@acme.test"), tenant.user("n@acme.test")
    tenant.call("PUT", f"/v1/groups/{group}/members/{user}", expect=204)
    change = {"op": "put", "document": READ_ORDERS, "attachments": attached(("group", group))}

    told = analyze(tenant, changes=[change])

    assert [found["request"]["principal"]["id"] for found in told["grants_more"]] == [user]


def test_a_change_that_concerns_nobody_changes_nothing(tenant: Tenant):
    change = {"op": "put", "document": READ_ORDERS, "attachments": []}

    assert analyze(tenant, changes=[change])["equivalent"]


def test_a_key_gains_no_more_than_its_scopes(tenant: Tenant):
    key = {"name": "k", "environment": "live", "scopes": ["orders:read"]}
    made = tenant.call("POST", "/v1/api-keys", key, expect=201).json["id"]
    written = policy(tenant, {**FREEZE, "actions": ["orders:manage", "orders:read"]}, ("api_key", made))

    told = analyze(tenant, changes=[{"op": "delete", "id": written}])

    (found,) = told["grants_more"]
    assert found["request"]["principal"] == {"type": "api_key", "id": made}
    assert found["request"]["action"] in ("orders:read", "orders.things.describe")
    assert authorize(tenant, found["request"]) == "deny"


def test_a_dead_key_gains_nothing(tenant: Tenant):
    key = {"name": "k", "environment": "live", "scopes": ["orders:read"]}
    made = tenant.call("POST", "/v1/api-keys", key, expect=201).json["id"]
    question = {"principal": {"type": "api_key", "id": made}, "action": "orders:read", "resource": "order:1"}
    assert authorize(tenant, question) == "allow"
    written = policy(tenant, {**FREEZE, "actions": ["orders:read"]}, ("api_key", made))
    tenant.call("DELETE", f"/v1/api-keys/{made}", expect=204, headers=ANY)

    assert analyze(tenant, changes=[{"op": "delete", "id": written}])["equivalent"]
    reply = tenant.call("POST", "/v1/authorize", question, expect=200)
    assert (reply.json["decision"], reply.json["kind"]) == ("deny", "suspended")


def test_users_gain_by_what_is_taken_off_their_client(tenant: Tenant):
    """A client without roles gains nothing itself; whoever acts through it does."""
    client = tenant.client_with()["client_id"]
    user = tenant.user(roles=("operator",))
    written = policy(tenant, FREEZE, ("oauth_client", client))

    gains = analyze(tenant, changes=[{"op": "delete", "id": written}])["grants_more"]

    assert {found["client_id"] for found in gains} == {client}
    assert user in {found["request"]["principal"]["id"] for found in gains}


# Writing under the check


def replace(tenant: Tenant, written: str, document: Any, *attachments: tuple[str, str], query: str) -> Reply:
    body = {"name": "p", "document": document, "attachments": attached(*attachments)}
    return tenant.call("PUT", f"/v1/policies/{written}?{query}", body, headers=ANY)


def test_a_write_that_gives_new_access_is_refused_with_a_witness(tenant: Tenant):
    user = tenant.user()
    written = policy(tenant, READ_ORDERS, ("user", user))
    wide = {**READ_ORDERS, "resources": ["order:*"]}

    refused = replace(tenant, written, wide, ("user", user), query="deny_if_new_access=true")

    assert (refused.status, refused.json["code"]) == (409, "new_access")
    witness = refused.json["witness"]
    assert (witness["before"]["decision"], witness["after"]["decision"]) == ("deny", "allow")
    assert authorize(tenant, witness["request"]) == "deny"
    assert tenant.call("GET", f"/v1/policies/{written}", expect=200).json["version"] == 1
    assert replace(tenant, written, wide, ("user", user), query="deny_if_new_access=false").status == 200
    tenant.world.clock.move(seconds=5)
    assert authorize(tenant, witness["request"]) == "allow"


def test_a_write_that_gives_none_is_done(tenant: Tenant):
    user = tenant.user()
    written = policy(tenant, READ_ORDERS, ("user", user))
    narrow = {**READ_ORDERS, "resources": ["order:eu_1*", "order:eu_2"]}

    assert replace(tenant, written, narrow, ("user", user), query="deny_if_new_access=true").status == 200


def test_attaching_to_somebody_else_is_new_access_too(tenant: Tenant):
    user, other = tenant.user("a@acme.test"), tenant.user("b@acme.test")
    written = policy(tenant, READ_ORDERS, ("user", user))

    refused = replace(tenant, written, READ_ORDERS, ("user", other), query="deny_if_new_access=true")

    assert refused.json["witness"]["request"]["principal"] == {"type": "user", "id": other}


# Bad input, and too much


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"before": SAMPLE}, 422),
        ({"before": SAMPLE, "after": SAMPLE, "changes": [{"op": "delete", "id": "pol_1"}]}, 422),
        ({"before": SAMPLE, "after": {}}, 422),
        ({"before": {**SAMPLE, "effect": "perhaps"}, "after": SAMPLE}, 422),
        ({"changes": [{"op": "delete", "id": "pol_1"}]}, 422),
        ({"changes": []}, 422),
    ],
)
@pytest.mark.parametrize("path", ["analyze", "check-no-new-access"])
def test_what_cannot_be_compared_is_refused(tenant: Tenant, path: str, body: Any, status: int):
    reply = tenant.call("POST", f"/v1/policies/{path}", body)

    assert reply.status == status, reply.text


def test_patterns_too_entangled_are_refused_rather_than_guessed_at(tenant: Tenant):
    letters = "abcdefgh"
    globs = ["*".join(one for at, one in enumerate(letters) if number >> at & 1) for number in range(1, 256)]
    many = [
        allow("orders:read", resources=tuple(f"order:*{glob}*" for glob in globs[at : at + 50])) for at in range(0, 255, 50)
    ]

    reply = tenant.call("POST", "/v1/policies/analyze", {"before": {"statements": many}, "after": {"statements": many[1:]}})

    assert (reply.status, reply.json["code"]) == (422, "too_complex")


def test_the_time_of_a_witness_is_in_the_window_to_come(tenant: Tenant):
    window = {"start": "06:00", "end": "22:00", "timezone": "Europe/Berlin"}
    until = {"not_after": "2027-06-01T00:00:00Z"}

    (found,) = analyze(tenant, before=FREEZE, after=allow("orders:read", time_window=window, date_range=until))[
        "grants_more"
    ]

    moment = datetime.fromisoformat(found["request"]["context"]["time"])
    assert tenant.world.clock() <= moment <= datetime(2027, 6, 1, tzinfo=UTC)
