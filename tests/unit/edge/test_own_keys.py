"""API keys of one's own: made, rotated and revoked by one's sign-in, without any permission; and what a key is told as."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.signing_in import PASSWORD_ONLY, TWO_FACTORS, App, Browser, app_of
from tests.world import Tenant, World, running

ANY = {"If-Match": "*"}
KEY = {"name": "k", "environment": "live", "scopes": ["orders:read"]}
SCOPES = ["openid", "orders:read", "orders:manage", "settings:manage"]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def ours(tenant: Tenant) -> App:
    return app_of(tenant, first_party=True, scopes=SCOPES)


_COUNT = iter(range(1000))


def someone(tenant: Tenant, roles: tuple[str, ...] = ("viewer",)) -> str:
    return tenant.user(f"u{next(_COUNT)}@acme.test", roles)


def signed_in(app: App, user: str, amr: tuple[str, ...] = TWO_FACTORS, scope: str = "openid orders:read") -> str:
    return str(app.tokens_for(Browser(app.tenant.world), user, amr, scope=scope)["access_token"])


def key_of(tenant: Tenant, user: str, **more: Any) -> dict[str, Any]:
    body = KEY | {"owner": {"type": "user", "id": user}} | more
    return dict(tenant.call("POST", "/v1/api-keys", body, expect=201).json)


def test_a_person_makes_and_rotates_and_revokes_their_own_key_by_their_sign_in(world: World, tenant: Tenant, ours: App):
    user = someone(tenant)
    token = signed_in(ours, user)

    made = world.call("POST", "/v1/api-keys", token=token, json_body=KEY)
    rotated = world.call("POST", f"/v1/api-keys/{made.json['id']}/rotate", token=token)
    revoked = world.call("DELETE", f"/v1/api-keys/{rotated.json['id']}", token=token, headers=ANY)

    assert (made.status, rotated.status, revoked.status) == (201, 201, 204), (made.text, rotated.text)
    assert made.json["owner"] == {"type": "user", "id": user}
    assert made.json["expires_at"] is not None, "it ends with the token that it was made through"
    assert world.call("GET", "/v1/me", token=made.json["key"]).status == 200, "for its grace"
    assert world.call("GET", "/v1/me", token=rotated.json["key"]).status == 401


def test_ones_own_key_reaches_no_further_than_oneself_and_ones_sign_in(world: World, tenant: Tenant, ours: App):
    token = signed_in(ours, someone(tenant))

    def asked(**more: Any) -> int:
        return world.call("POST", "/v1/api-keys", token=token, json_body=KEY | more).status

    assert asked(scopes=["orders:manage"]) == 403, "beyond the role"
    assert asked(scopes=["billing:read"]) == 403, "beyond the token's scopes"
    assert asked(owner={"type": "user", "id": tenant.admin_id}) == 403


def test_a_key_or_anothers_client_makes_and_ends_no_key_for_its_owner(world: World, tenant: Tenant):
    user = someone(tenant)
    key = key_of(tenant, user, scopes=["orders:read"])
    theirs = signed_in(app_of(tenant, scopes=SCOPES), user)

    for credential in (key["key"], theirs):
        assert world.call("POST", "/v1/api-keys", token=credential, json_body=KEY).status == 403
        assert world.call("POST", f"/v1/api-keys/{key['id']}/rotate", token=credential).status == 403
        assert world.call("DELETE", f"/v1/api-keys/{key['id']}", token=credential, headers=ANY).status == 403


def test_anothers_key_is_not_found_by_who_may_change_only_their_own(world: World, tenant: Tenant, ours: App):
    key, token = key_of(tenant, someone(tenant)), signed_in(ours, someone(tenant))

    assert world.call("DELETE", f"/v1/api-keys/{key['id']}", token=token, headers=ANY).status == 404
    assert world.call("POST", f"/v1/api-keys/{key['id']}/rotate", token=token).status == 404
    assert world.call("GET", "/v1/me", token=key["key"]).status == 200


def test_ones_own_key_is_not_freed_from_what_binds_it(world: World, tenant: Tenant, ours: App):
    user = someone(tenant)
    key, token = key_of(tenant, user, rate_limit={"limit": 9, "period_seconds": 60}), signed_in(ours, user)

    reply = world.call("PATCH", f"/v1/api-keys/{key['id']}", token=token, json_body={"rate_limit": None}, headers=ANY)

    assert reply.status == 403


def test_whose_second_factor_would_do_is_asked_for_it(world: World):
    tenant = world.tenant("stepping", "admin@stepping.test")
    ours = app_of(tenant, first_party=True, scopes=SCOPES)
    allow = {"effect": "allow", "actions": ["settings:manage"], "resources": ["*"], "conditions": {"mfa": True}}
    admin = someone(tenant, roles=())
    policy = {"name": "p", "document": allow, "attachments": [{"type": "user", "id": admin}]}
    tenant.call("POST", "/v1/policies", policy, expect=201)
    key = key_of(tenant, someone(tenant))
    one, two = (signed_in(ours, admin, amr, "openid settings:manage") for amr in (PASSWORD_ONLY, TWO_FACTORS))

    asked = world.call("DELETE", f"/v1/api-keys/{key['id']}", token=one, headers=ANY)

    assert (asked.status, asked.json["code"]) == (401, "insufficient_user_authentication")
    assert world.call("DELETE", f"/v1/api-keys/{key['id']}", token=two, headers=ANY).status == 204


def test_a_scope_that_is_none_is_invalid_whoever_asks_for_it(tenant: Tenant):
    key = tenant.call("POST", "/v1/api-keys", KEY, expect=201).json

    for reply in (
        tenant.call("POST", "/v1/api-keys", KEY | {"scopes": ["orders:read", "nope"]}),
        tenant.call("PATCH", f"/v1/api-keys/{key['id']}", {"scopes": ["orders:read", "nope"]}, headers=ANY),
    ):
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/scopes/1")


def test_a_key_is_shown_as_suspended_while_its_owner_may_do_nothing(tenant: Tenant):
    user = someone(tenant)
    path = f"/v1/api-keys/{key_of(tenant, user)['id']}"

    def shown() -> tuple[str, bool]:
        told = tenant.call("GET", path, expect=200).json
        return told["status"], told["enabled"]

    seen = [shown()]
    for status in ("suspended", "active"):
        tenant.call("PATCH", f"/v1/users/{user}", {"status": status}, expect=200, headers=ANY)
        tenant.world.clock.move(seconds=3)
        seen.append(shown())
    tenant.call("DELETE", f"/v1/users/{user}", expect=204, headers=ANY)
    tenant.world.clock.move(seconds=3)

    assert [*seen, shown()] == [("active", True), ("suspended", True), ("active", True), ("suspended", True)]


def test_a_rotation_meant_for_another_version_is_refused(tenant: Tenant):
    key = tenant.call("POST", "/v1/api-keys", KEY, expect=201).json
    path = f"/v1/api-keys/{key['id']}/rotate"

    assert tenant.call("POST", path, headers={"If-Match": '"v7"'}).status == 412
    assert tenant.call("POST", path, headers={"If-Match": '"v1"'}).status == 201
