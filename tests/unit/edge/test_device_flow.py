"""The device authorization grant (RFC 8628): a device asks, its person decides elsewhere, and it gets tokens once."""

from collections.abc import Iterator

import jwt
import pytest

from platforma import bootstrap
from platforma.kernel.errors import AlreadyUsed, NotFound
from platforma.oauth.device.model import USER_CODE_LETTERS
from tests.signing_in import DEVICE_GRANT as GRANT
from tests.signing_in import App, Browser, Device, app_of
from tests.world import URL, Tenant, World, running


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def ada(tenant: Tenant) -> str:
    return tenant.user()


@pytest.fixture(scope="module")
def app(tenant: Tenant) -> App:
    return app_of(tenant, type="public", token_endpoint_auth_method="none", grant_types=[GRANT, "refresh_token"])


@pytest.fixture
def browser(world: World, tenant: Tenant, ada: str) -> Browser:
    made = Browser(world)
    made.sign_in(tenant.id, ada)
    return made


def decide(browser: Browser, device: Device, *, yes: bool, typed: str | None = None) -> None:
    session = browser.session
    assert session is not None
    asked, client = bootstrap.oauth.read_device(typed or device.asked.json["user_code"])
    assert client.id == device.app.id
    attempt = browser.attempt(session.tenant_id, session.user_id, "oauth.device_authorizations.decide")
    if yes:
        bootstrap.oauth.allow_device(asked, session=session, attempt=attempt)
    else:
        bootstrap.oauth.decline_device(asked, session=session, attempt=attempt)


def test_a_device_is_told_what_to_show_and_how_often_to_ask(app):
    told = Device(app).asked.json

    first, second = told["user_code"].split("-")
    assert set(first + second) <= set(USER_CODE_LETTERS)
    assert (told["verification_uri"], told["expires_in"], told["interval"]) == (f"{URL}/device", 600, 5)
    assert told["verification_uri_complete"] == f"{URL}/device?user_code={told['user_code']}"


def test_a_device_gets_tokens_once_its_person_has_allowed_it(app, browser, ada):
    device = Device(app)
    assert device.poll().json["error"] == "authorization_pending"

    decide(browser, device, yes=True)
    tokens = device.poll().json

    access = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    identity = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert (access["sub"], access["client_id"], access["sid"]) == (ada, app.id, browser.session.id)
    assert (identity["sub"], identity["aud"]) == (ada, app.id)
    assert app.refresh(tokens["refresh_token"]).status == 200
    assert device.poll().json["error"] == "invalid_grant"


def test_what_was_allowed_stands_among_the_persons_consents(app, browser, ada, tenant):
    decide(browser, Device(app), yes=True)

    consent = tenant.call("GET", f"/v1/consents/{app.id}?user_id={ada}", expect=200).json
    assert consent["scopes"] == ["offline_access", "openid", "orders:read"]


def test_a_code_may_be_typed_in_any_case_with_anything_between(app, browser):
    device = Device(app)
    first, second = device.asked.json["user_code"].lower().split("-")

    decide(browser, device, yes=True, typed=f" {first} {second}.")

    assert device.poll().status == 200


def test_who_asks_too_often_has_to_wait_five_seconds_longer_each_time(app):
    device = Device(app)

    assert device.poll().json["error"] == "authorization_pending"
    assert device.poll().json["error"] == "slow_down"
    assert device.wait(5) == "slow_down"
    assert device.wait(15) == "authorization_pending"
    assert device.wait(14) == "slow_down"


def test_a_person_may_refuse_and_the_device_hears_it(app, browser):
    device = Device(app)

    decide(browser, device, yes=False)

    assert (device.poll().status, device.poll().json["error"]) == (400, "access_denied")


def test_a_code_is_over_after_ten_minutes_for_device_and_person(app, world, tenant, ada):
    device, browser = Device(app), Browser(world)
    world.clock.move(minutes=10)
    browser.sign_in(tenant.id, ada)

    assert device.poll().json["error"] == "expired_token"
    with pytest.raises(NotFound):
        decide(browser, device, yes=True)


def test_a_decision_is_made_once(app, browser):
    device = Device(app)
    session = browser.session
    asked, _ = bootstrap.oauth.read_device(device.asked.json["user_code"])
    attempt = browser.attempt(session.tenant_id, session.user_id, "oauth.device_authorizations.decide")
    decide(browser, device, yes=False)

    with pytest.raises(AlreadyUsed):
        bootstrap.oauth.allow_device(asked, session=session, attempt=attempt)
    with pytest.raises(NotFound):
        decide(browser, device, yes=True)
    assert device.poll().json["error"] == "access_denied"


def test_another_tenants_person_finds_no_device_here(app, world):
    other, browser = world.tenant("devices", "admin@devices.test"), Browser(world)
    browser.sign_in(other.id, other.admin_id)

    with pytest.raises(NotFound):
        decide(browser, Device(app), yes=True)


def test_a_device_code_is_its_clients_alone(app, browser, tenant):
    device = Device(app)
    other = app_of(tenant, type="public", token_endpoint_auth_method="none", grant_types=[GRANT])
    decide(browser, device, yes=True)

    assert device.poll(other).json["error"] == "invalid_grant"
    assert device.poll().status == 200


def test_a_session_that_ended_in_between_gives_nothing(app, browser, tenant, ada):
    device = Device(app)
    decide(browser, device, yes=True)

    attempt = browser.attempt(tenant.id, ada, "oauth.sessions.end")
    bootstrap.oauth.end_session(browser.session.id, tenant_id=tenant.id, attempt=attempt)

    assert device.poll().json["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("more", "error"), [({"scope": "billing:manage"}, "invalid_scope"), ({"resource": "https://x.test"}, "invalid_target")]
)
def test_a_device_asks_for_no_more_than_its_client_may_have(app, more, error):
    assert Device(app, **more).asked.json["error"] == error


def test_a_client_without_the_grant_has_no_devices(tenant):
    assert (
        Device(app_of(tenant, type="public", token_endpoint_auth_method="none")).asked.json["error"] == "unauthorized_client"
    )


@pytest.mark.parametrize("form", [{}, {"device_code": "x"}, {"device_code": "x" * 4096}])
def test_what_is_no_device_code_is_refused(app, world, form):
    reply = world.call("POST", "/oauth2/token", form={"grant_type": GRANT, "client_id": app.id, **form})

    assert (reply.status, reply.json["error"]) == (400, "invalid_grant" if form else "invalid_request")
