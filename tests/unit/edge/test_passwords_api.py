"""Passwords through the API: invited by mail, reset by mail, changed by oneself alone."""

import re

import pytest

from platforma import bootstrap
from platforma.adapters.dynamodb.sessions import DynamoDBSessions
from platforma.kernel.errors import Unavailable
from platforma.kernel.events import Attempt
from tests.signing_in import Browser, app_of
from tests.world import PASSWORD, Tenant, World

NEW = "seven grey herons"


def follow(world: World, token: str) -> None:
    attempt = Attempt("follow", "settings.password_links.follow", world.clock)
    bootstrap.identity.set_password_by_link(token, NEW, attempt=attempt)


def token_in(text: str) -> str:
    return re.findall(r"token=([\w-]+)", text)[0]


def key_of(tenant: Tenant, user_id: str, scopes: tuple[str, ...]) -> str:
    """A key that acts for this user."""
    body = {"name": "k", "environment": "live", "scopes": list(scopes), "owner": {"type": "user", "id": user_id}}
    return str(tenant.call("POST", "/v1/api-keys", body, expect=201).json["key"])


def test_who_is_made_without_a_password_gets_a_link_and_is_active_by_it(tenant: Tenant):
    made = tenant.call("POST", "/v1/users", {"email": "eve@acme.test", "name": "Eve"}, expect=201).json
    ((to, text),) = tenant.world.mails()

    follow(tenant.world, token_in(text))

    after = tenant.call("GET", f"/v1/users/{made['id']}", expect=200).json
    assert (made["status"], after["status"], after["has_password"]) == ("invited", "active", True)
    assert to == "eve@acme.test"
    assert "https://platforma.test/invitation?token=" in text


def test_a_tenants_first_administrator_without_a_password_is_invited(world: World):
    admin = {"email": "first@ajax.test", "name": "First"}
    body = {"name": "ajax", "admin": admin}
    world.call("POST", "/v1/tenants", token=world.token(world.platform_client), json_body=body)

    ((to, _),) = world.mails()

    assert to == "first@ajax.test"


def test_a_reset_is_mailed_and_its_answer_and_events_hold_no_token(tenant: Tenant):
    user = tenant.user()

    answer = tenant.call("POST", f"/v1/users/{user}/password-reset", expect=202)
    ((to, text),) = tenant.world.mails()

    assert (answer.json, to) == ({"user_id": user}, "ada@acme.test")
    assert token_in(text) not in repr(tenant.events())
    assert {"settings.password_resets.create", "settings.password_links.send"} <= {e["action"] for e in tenant.events()}


def test_a_reset_for_another_tenants_user_is_not_found(tenant: Tenant, world: World):
    other = world.tenant("ajax", "admin@ajax.test")

    assert tenant.call("POST", f"/v1/users/{other.admin_id}/password-reset").status == 404
    assert world.mails() == []


def change(world: World, user: str, credential: str, current: str = PASSWORD, new: str = NEW, **more):
    body = {"current_password": current, "new_password": new}
    return world.call("PUT", f"/v1/users/{user}/password", token=credential, json_body=body, **more)


def test_a_user_changes_its_own_password_by_a_credential_that_covers_it(tenant: Tenant):
    key = key_of(tenant, tenant.admin_id, ("settings.passwords.set",))

    assert change(tenant.world, tenant.admin_id, key, current="wrong horse battery").status == 403
    assert change(tenant.world, tenant.admin_id, key, new="short").status == 422
    assert change(tenant.world, tenant.admin_id, key).status == 204
    assert change(tenant.world, tenant.admin_id, key).json["code"] == "wrong_password"


def test_with_a_password_end_the_sessions_that_began_by_it(tenant: Tenant, world: World):
    def signed_in(user_id: str) -> str:
        attempt = Attempt("sign-in", "oauth.sessions.start", world.clock, tenant_id=tenant.id)
        return bootstrap.oauth.start_session(tenant.id, user_id, amr=("pwd",), attempt=attempt)[1]

    mine, others = [signed_in(tenant.admin_id) for _ in range(2)], signed_in(tenant.user())
    key = key_of(tenant, tenant.admin_id, ("settings.passwords.set",))

    assert change(world, tenant.admin_id, key, current="wrong horse battery").status == 403
    assert all(bootstrap.oauth.read_session(cookie) for cookie in (*mine, others))
    assert change(world, tenant.admin_id, key).status == 204
    assert [bootstrap.oauth.read_session(cookie) for cookie in mine] == [None, None]
    assert bootstrap.oauth.read_session(others) is not None


@pytest.mark.parametrize("scopes", [("settings:read",), ("infrastructure:manage",)])
def test_a_credential_that_does_not_reach_so_far_changes_no_password(tenant: Tenant, scopes):
    refused = change(tenant.world, tenant.admin_id, key_of(tenant, tenant.admin_id, scopes))

    assert (refused.status, refused.json["code"]) == (403, "forbidden")


def test_nobody_changes_anothers_password_not_even_an_administrator_who_knows_it(tenant: Tenant):
    user = tenant.user()

    assert change(tenant.world, user, tenant.token).status == 403
    assert change(tenant.world, user, key_of(tenant, tenant.admin_id, ("*",))).status == 403
    assert change(tenant.world, "usr_00000000000000000000000000", tenant.token).status == 404


def test_guessing_ones_password_by_a_stolen_key_is_slowed_down(tenant: Tenant):
    key = key_of(tenant, tenant.admin_id, ("settings:manage",))

    answers = [change(tenant.world, tenant.admin_id, key, current=f"guess number {n} at it").status for n in range(7)]

    assert answers == [403] * 5 + [429] * 2
    assert change(tenant.world, tenant.admin_id, key).headers["retry-after"]


@pytest.mark.parametrize("way", ["changed", "by a link", "suspended"])
def test_who_was_signed_in_is_out_though_the_function_dies_before_it_ends_their_sessions(tenant: Tenant, monkeypatch, way):
    world, app = tenant.world, app_of(tenant, first_party=True)
    user, browser = tenant.user(), Browser(world)
    given, staying = app.tokens_for(browser, user), app.tokens_for(Browser(world), user)["access_token"]
    world.clock.move(seconds=1)

    def dies(*_: object, **__: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(DynamoDBSessions, "of_user", dies)
        patch.setattr(DynamoDBSessions, "end", dies)
        if way == "changed":
            assert change(world, user, staying).status == 503
        elif way == "suspended":
            path = f"/v1/users/{user}"
            status = {"status": "suspended"}
            assert tenant.call("PATCH", path, status, headers={"If-Match": "*"}).status == 503
        else:
            tenant.call("POST", f"/v1/users/{user}/password-reset", expect=202)
            follow(world, token_in(world.mails()[0][1]))
    world.clock.move(seconds=3)
    if way == "suspended":
        tenant.call("PATCH", f"/v1/users/{user}", {"status": "active"}, expect=200, headers={"If-Match": "*"})
        world.clock.move(seconds=3)

    assert world.call("GET", "/v1/me", token=given["access_token"]).status == 401
    assert world.call("GET", "/v1/me", token=staying).status == (200 if way == "changed" else 401)
    assert app.refresh(given["refresh_token"]).json["error"] == "invalid_grant"
    assert browser.session is None
    assert world.call("GET", "/v1/me", token=app.tokens_for(Browser(world), user)["access_token"]).status == 200
