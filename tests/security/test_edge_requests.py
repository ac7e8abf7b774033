"""What a request can be made to say, to leave behind and to find out, beyond what its sender may."""

import hashlib
import json
from typing import Any

import boto3
import pytest

from tests.world import PASSWORD, REGION, Tenant, World

KEY = {"name": "k", "environment": "test", "scopes": ["infrastructure:*"]}
READ = "infrastructure.clusters.get"


def all_items() -> str:
    client = boto3.client("dynamodb", region_name=REGION)
    return "".join(repr(client.scan(TableName=name)["Items"]) for name in client.list_tables()["TableNames"])


def test_a_header_sent_twice_in_two_cases_is_not_chosen_from(world: World, tenant: Tenant):
    function, event = world.event("GET", "/v1/me", headers={"Authorization": f"Bearer {tenant.token}"}, body=None)
    event["multiValueHeaders"]["authorization"] = ["Bearer another"]

    assert world.function(str(function)).handler(event, None)["statusCode"] == 400


def test_a_password_leaves_no_hash_that_could_be_guessed_at(tenant: Tenant):
    body = {"email": "pw@acme.test", "name": "P", "password": PASSWORD}

    tenant.call("POST", "/v1/users", body, expect=201, headers={"Idempotency-Key": "guess-me"})

    assert hashlib.sha256(json.dumps(body).encode()).hexdigest() not in all_items()


def test_what_was_sent_as_a_secret_is_in_no_table_log_or_event(world: World, tenant: Tenant, capsys: pytest.CaptureFixture):
    body = {"email": "pw2@acme.test", "name": "P", "password": PASSWORD + "!"}
    tenant.call("POST", "/v1/users", body, expect=201)
    tenant.call("POST", "/v1/users", body, expect=409)
    client = tenant.client_with(("viewer",))
    key = tenant.call("POST", "/v1/api-keys", KEY, expect=201).json["key"]
    world.call("GET", "/v1/me", token=key)
    token = world.token(client)
    tenant.call("POST", "/v1/api-keys/verify", {"key": key}, expect=200)

    written = capsys.readouterr()
    kept = all_items() + written.out + written.err
    told = json.dumps(tenant.events(limit="200"))
    assert "pw2@acme.test" not in kept  # who may read events reads of whom they tell
    for secret in (PASSWORD + "!", client["client_secret"], key, key[-60:-17], token):
        assert secret not in kept + told


def test_the_environment_of_a_registered_resource_is_not_for_the_caller_to_say(world: World, tenant: Tenant):
    tenant.call("PUT", "/v1/resources/cluster/cls_live", {"environment": "live"}, expect=200)
    made = tenant.call("POST", "/v1/api-keys", KEY, expect=201).json
    question = {"action": READ, "resource": "cluster:cls_live"}

    for context in ({}, {"environment": "test"}):
        asked = world.call("POST", "/v1/authorize", token=made["key"], json_body={**question, "context": context})
        checked = tenant.call("POST", "/v1/api-keys/verify", {"key": made["key"], **question, "context": context})
        assert (asked.json["decision"], checked.json["code"]) == ("deny", "denied")


def test_what_is_known_of_a_resource_counts_where_the_caller_says_nothing(tenant: Tenant):
    tenant.call("PUT", "/v1/resources/cluster/cls_eu", {"attributes": {"region": "eu"}}, expect=200)
    user = tenant.user("known@acme.test")
    conditions = {"resource_attributes": {"region": "eu"}}
    statement = {"effect": "allow", "actions": ["infrastructure:read"], "resources": ["*"], "conditions": conditions}
    attached = [{"type": "user", "id": user}]
    tenant.call("POST", "/v1/policies", {"name": "p", "document": statement, "attachments": attached}, expect=201)
    tenant.world.clock.move(seconds=5)

    def decided(resource: Any) -> str:
        question = {"principal": {"type": "user", "id": user}, "action": READ, "resource": resource}
        return str(tenant.call("POST", "/v1/authorize", question, expect=200).json["decision"])

    assert decided("cluster:cls_eu") == "allow"
    assert decided("cluster:cls_other") == "deny"
    assert decided({"type": "cluster", "id": "cls_eu", "attributes": {"region": "us"}}) == "deny"


def test_another_tenants_resource_is_not_known(tenant: Tenant, other: Tenant):
    tenant.call("PUT", "/v1/resources/cluster/cls_theirs", {"attributes": {"region": "eu"}}, expect=200)

    assert other.call("GET", "/v1/resources/cluster/cls_theirs").status == 404


def test_another_spelling_of_an_id_is_the_same_id(tenant: Tenant):
    """A REST API hands a path over as it was sent: who asks for `%5F` asks for `_`, here and where it is decided on."""
    tenant.call("PUT", "/v1/resources/cluster/cls_spelled", {"attributes": {"region": "eu"}}, expect=200)

    for spelled in ("cls%5Fspelled", "%63ls_spelled", "cls_%73%70elled"):
        assert tenant.call("GET", f"/v1/resources/cluster/{spelled}", expect=200).json["id"] == "cls_spelled"


def test_a_slash_that_is_encoded_is_one_of_an_id_that_may_have_slashes_and_else_leads_nowhere(tenant: Tenant):
    tenant.call("PUT", "/v1/resources/arn/a%2Fb", {"attributes": {}}, expect=200)

    assert tenant.call("GET", "/v1/resources/arn/a/b", expect=200).json["id"] == "a/b"
    assert tenant.call("GET", "/v1/roles/viewer%2F..%2Fviewer").status == 404


@pytest.mark.parametrize("path", ["/v1/users/%FF", "/v1/resources/cluster/%C3", "/v1/objects/%E2%82"])
def test_a_path_that_is_no_utf8_is_malformed(tenant: Tenant, path: str):
    assert tenant.call("GET", path).status == 400


@pytest.mark.parametrize("identity", ["é" * 200, "x" * 257, "\N{PILE OF POO}" * 80])
def test_a_resource_too_long_to_be_kept_is_no_failure_of_ours(tenant: Tenant, identity: str):
    headers = {"If-Match": "*"}

    assert tenant.call("PUT", f"/v1/resources/cluster/{identity}", {}).status == 422
    assert tenant.call("GET", f"/v1/resources/cluster/{identity}").status == 404
    assert tenant.call("DELETE", f"/v1/resources/cluster/{identity}", headers=headers).status == 404
    assert tenant.call("POST", "/v1/authorize", {"action": READ, "resource": f"cluster:{identity}"}).status == 200


def test_a_decision_about_more_than_an_entry_can_hold_is_refused(tenant: Tenant):
    attributes = {f"a{at}": "x" * 1000 for at in range(90)}
    question = {"action": READ, "resource": {"type": "cluster", "id": "c", "attributes": attributes}}

    reply = tenant.call("POST", "/v1/authorize", question)

    assert reply.status in (413, 422)


def test_ids_of_another_tenant_in_bodies_are_as_unknown_as_any(tenant: Tenant, other: Tenant):
    """Owners, attachments, members, principals: not only paths carry ids."""
    theirs, nobody = tenant.user("theirs@acme.test"), "usr_01m86h9kkteqdtv79ft12yh2bc"
    client = tenant.client_with(("admin",))["client_id"]
    group = other.call("POST", "/v1/groups", {"name": "g"}, expect=201).json["id"]

    def answers(user: str) -> list[Any]:
        asked = other.call(
            "POST", "/v1/authorize", {"principal": {"type": "user", "id": user}, "action": READ, "resource": "c:d"}
        )
        member = other.call("PUT", f"/v1/groups/{group}/members/{user}")
        owned = other.call("POST", "/v1/api-keys", {**KEY, "owner": {"type": "user", "id": user}})
        return [(asked.json["decision"], asked.json["kind"]), (member.status, member.json["detail"]), owned.json["errors"]]

    assert answers(theirs) == answers(nobody)
    assert other.call("POST", "/v1/api-keys", {**KEY, "owner": {"type": "oauth_client", "id": client}}).status == 422


def test_a_cursor_of_a_tenant_lists_nothing_in_another(tenant: Tenant, other: Tenant):
    for at in range(3):
        tenant.user(f"page{at}@acme.test")
    cursor = tenant.call("GET", "/v1/users?limit=1", expect=200).json["next_cursor"]

    assert other.call("GET", f"/v1/users?limit=1&cursor={cursor}").status == 422
    assert tenant.call("GET", f"/v1/groups?limit=1&cursor={cursor}").status == 422
    assert tenant.call("GET", f"/v1/users?limit=2&cursor={cursor}").status == 200


def test_of_two_changes_to_one_version_one_is_made(tenant: Tenant):
    user = tenant.user("race@acme.test")
    tag = {"If-Match": tenant.call("GET", f"/v1/users/{user}", expect=200).headers["etag"]}

    answers = [tenant.call("PATCH", f"/v1/users/{user}", {"name": name}, headers=tag).status for name in ("A", "B")]

    assert answers == [200, 412]


@pytest.mark.parametrize("tag", ['W/"v1"', "v1", '"v01"', '"v-1"', '""', "*, *", '"v99999999999999999"'])
def test_a_tag_that_is_none_matches_nothing(tenant: Tenant, tag: str):
    reply = tenant.call("PATCH", f"/v1/users/{tenant.admin_id}", {"name": "N"}, headers={"If-Match": tag})

    assert reply.status == (400 if tag in ("v1", "*, *") else 412)


def test_the_openapi_document_is_made_once(world: World):
    """Anyone may ask for it."""
    catalogue = world.function("platform_catalogue")

    first, again = (world.call("GET", "/openapi.json").text for _ in range(2))

    assert first == again
    assert catalogue._document.cache_info().misses == 1
