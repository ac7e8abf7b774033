"""Step-up (RFC 9470): what a second factor would open is told as such, and what it would not is refused as ever."""

from collections.abc import Iterator

import pytest

from tests.signing_in import PASSWORD_ONLY, TWO_FACTORS, App, Browser, answer_of, app_of, page_of
from tests.world import Reply, Tenant, World, running

AAL2 = "urn:platforma:acr:aal2"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def ada(tenant: Tenant, world: World) -> str:
    person = tenant.user()
    statement = {"effect": "allow", "actions": ["settings:read"], "resources": ["*"], "conditions": {"mfa": True}}
    body = {"name": "two", "document": statement, "attachments": [{"type": "user", "id": person}]}
    tenant.call("POST", "/v1/policies", body, expect=201)
    world.clock.move(seconds=5)
    return person


@pytest.fixture(scope="module")
def app(tenant: Tenant) -> App:
    return app_of(tenant, first_party=True, scopes=["openid", "settings:read", "orders:read"])


def asked(
    app: App, person: str, amr: tuple[str, ...], path: str = "/v1/users", scope: str = "openid settings:read"
) -> Reply:
    world = app.tenant.world
    token = app.tokens_for(Browser(world), person, amr, scope=scope)["access_token"]
    return world.call("GET", path, token=token)


def test_who_signed_in_by_one_factor_is_told_that_two_would_do(app, ada, tenant):
    reply = asked(app, ada, PASSWORD_ONLY)

    assert (reply.status, reply.json["code"]) == (401, "insufficient_user_authentication")
    challenge = f'Bearer realm="platforma", error="insufficient_user_authentication", acr_values="{AAL2}"'
    assert reply.headers["www-authenticate"].startswith(challenge + ", resource_metadata=")
    event = tenant.events(action="settings.users.list", user_id=ada)[0]
    assert (event["result"], event["reason"]) == ("denied", "insufficient_user_authentication")


def test_with_two_they_may(app, ada):
    assert asked(app, ada, TWO_FACTORS).status == 200


def test_what_a_second_factor_would_not_open_is_forbidden(app, ada, tenant):
    nobody = tenant.user("nobody@acme.test")

    assert asked(app, nobody, PASSWORD_ONLY).status == 403
    assert asked(app, ada, PASSWORD_ONLY, "/v1/audit/logs").status == 403
    assert asked(app, ada, PASSWORD_ONLY, scope="openid orders:read").status == 403
    assert asked(app, ada, TWO_FACTORS, "/v1/audit/logs").status == 403


def test_the_challenge_taken_to_the_authorization_endpoint_asks_for_the_second_factor(app, ada, world, tenant):
    browser = Browser(world)
    browser.sign_in(tenant.id, ada, PASSWORD_ONLY)

    page, flow = page_of(browser.get(app.link(acr_values=AAL2, scope="openid settings:read")))
    browser.sign_in(tenant.id, ada, TWO_FACTORS, flow)
    code = answer_of(browser.get(f"/oauth2/authorize?flow={flow}"))["code"]

    assert page == "/login"
    assert world.call("GET", "/v1/users", token=app.redeem(code).json["access_token"]).status == 200
