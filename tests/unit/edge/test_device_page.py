"""Connecting a device at `/device`: its code, signing in, the question, the answer; and guessing at codes."""

import re

import jwt
import pytest

from platforma.identity.throttle import FREE_ATTEMPTS, FREE_ATTEMPTS_OF_AN_ADDRESS
from tests.persons import EMAIL, Fields, Person
from tests.signing_in import DEVICE_GRANT, Browser, Device, app_of
from tests.world import PASSWORD, Tenant

WRONG = "BBBB-BBBB"


@pytest.fixture
def person(tenant: Tenant) -> Person:
    public = {"type": "public", "token_endpoint_auth_method": "none", "name": "Television"}
    return Person(tenant, app_of(tenant, grant_types=[DEVICE_GRANT, "refresh_token"], **public))


@pytest.fixture
def device(person: Person) -> Device:
    return Device(person.app)


def code_of(device: Device) -> str:
    return str(device.asked.json["user_code"])


def enter(person: Person, code: str):
    person.open("/device")
    return person.send("/device", user_code=code)


def connected(person: Person, device: Device):
    """At the question, signed in."""
    person.account()
    enter(person, code_of(device))
    return person.follow()


def test_who_is_signed_in_enters_the_code_sees_who_asks_for_what_and_allows_it(person, device):
    shown = connected(person, device)

    assert "Television" in shown.text and code_of(device) in shown.text
    assert "orders:read" in shown.text and "Know who you are" in shown.text and EMAIL in shown.text
    assert device.poll().json["error"] == "authorization_pending"
    done = person.send("/device", answer="allow")
    assert "The device is connected." in done.text
    tokens = device.poll().json
    told = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert (told["sub"], told["sid"]) == (person.tenant.admin_id, person.browser.session.id)
    (event,) = person.tenant.events(action="oauth.device.submit", result="success")[-1:]
    assert (event["user_id"], event["resource"], event["reason"]) == (
        person.tenant.admin_id,
        person.app.id,
        "device_allowed",
    )


def test_who_is_not_signed_in_signs_in_at_the_devices_tenant_and_is_brought_back(person, device):
    enter(person, code_of(device).lower().replace("-", " "))
    person.follow()
    assert person.follow().status == 200 and f'value="{person.tenant.id}"' in person.last.text

    person.sign_in("not the password")
    person.sign_in()
    shown = person.follow()

    assert code_of(device) in shown.text
    person.send("/device", answer="allow")
    assert device.poll().status == 200


def test_a_second_factor_on_the_way_does_not_lose_the_device(person, device):
    person.account()
    _, codes = person.add_app()
    other = Person(person.tenant, person.app)
    enter(other, code_of(device))
    other.follow()
    other.follow()
    other.sign_in()

    other.send("/login", code=codes[0])

    assert code_of(device) in other.follow().text


def test_the_code_of_a_link_is_filled_in_and_looked_at_when_the_form_is_sent(person, device):
    person.account()
    link = device.asked.json["verification_uri_complete"].removeprefix("https://platforma.test")

    shown = person.open(link)

    assert f'value="{code_of(device)}"' in shown.text and "Television" not in shown.text
    person.send("/device", user_code=code_of(device))
    assert "Television" in person.follow().text


def test_a_no_is_told_to_the_device_and_anything_but_yes_is_no(person, device):
    connected(person, device)

    done = person.send("/device", answer="ALLOW")

    assert "The device was given nothing." in done.text
    assert device.poll().json["error"] == "access_denied"
    (event,) = person.tenant.events(action="oauth.device.submit", result="denied")
    assert event["reason"] == "access_denied"


@pytest.mark.parametrize("code", [WRONG, "", "x", "\u00e9" * 400, "<b>", "BCDF-GHJK"])
def test_a_code_that_no_device_waits_for_is_announced(person, code):
    reply = enter(person, code)

    assert reply.status == 404 and "No device waits for this code." in reply.text
    assert 'role="alert"' in reply.text and 'aria-invalid="true"' in reply.text and "<b>" not in reply.text


def test_a_code_that_is_over_or_decided_is_as_unknown_as_any(person, device):
    late = Device(person.app)
    person.account()
    path = enter(person, code_of(device)).headers["location"]
    person.open(path)
    person.send("/device", answer="deny")
    person.tenant.world.clock.move(minutes=10)

    texts = [re.sub(r'value="[^"]*"', "", enter(person, code).text) for code in (code_of(device), code_of(late), WRONG)]

    assert len(set(texts)) == 1
    assert person.open(path).status == 404


# Attacks


def test_codes_are_guessed_by_one_person_five_times_and_then_ever_more_slowly(person, device):
    person.account()
    answers = [enter(person, WRONG).status for _ in range(FREE_ATTEMPTS + 1)]

    assert answers == [404] * FREE_ATTEMPTS + [429]
    assert enter(person, code_of(device)).status == 429, "the right one is not looked at either"
    assert int(person.last.headers["retry-after"]) >= 1


def test_a_device_of_ones_own_does_not_pay_for_guesses(person):
    person.account()
    for _ in range(FREE_ATTEMPTS - 1):
        assert enter(person, WRONG).status == 404
        assert enter(person, code_of(Device(person.app))).status == 303

    assert enter(person, WRONG).status == 404
    assert enter(person, WRONG).status == 429


def test_a_new_session_does_not_begin_the_count_anew(person):
    for _ in range(FREE_ATTEMPTS):
        person.account()
        enter(person, WRONG)
        person.browser.cookies.clear()
    person.account()

    assert enter(person, WRONG).status == 429


def test_strangers_are_counted_by_their_network_address(person, device):
    for _ in range(FREE_ATTEMPTS_OF_AN_ADDRESS):
        assert enter(person, WRONG).status == 404
    assert enter(Person(person.tenant, person.app), code_of(device)).status == 429

    form = {"token": Fields(person.open("/device").text).hidden["token"], "user_code": code_of(device)}
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in person.browser.cookies.items())}
    elsewhere = person.tenant.world.call("POST", "/device", form=form, headers=cookies, ip="198.51.100.9")
    assert elsewhere.status == 303


def test_another_tenants_person_cannot_decide_and_is_asked_to_sign_in_as_one_of_the_devices(person, device):
    other = person.tenant.world.tenant("other", EMAIL)
    stranger = Person(other, person.app)
    stranger.account()
    enter(stranger, code_of(device))
    asked = stranger.follow()
    token = stranger.last.headers["location"].partition("device=")[2]

    assert asked.headers["location"].startswith(f"/login?tenant={person.tenant.id}&device=")
    form = {"token": Fields(stranger.open("/device").text).hidden["token"], "device": token, "answer": "allow"}
    assert stranger.browser.post("/device", form).status == 303
    assert device.poll().json["error"] == "authorization_pending"


def test_what_was_entered_in_one_browser_leads_nowhere_in_another(person, device):
    """Nobody is led to a question about somebody else's device by a link (RFC 8628 section 5.4)."""
    enter(person, code_of(device))
    link = person.last.headers["location"]
    victim = Person(person.tenant, person.app)
    victim.account()

    shown = victim.open(link)

    assert "Television" not in shown.text and 'name="user_code"' in shown.text
    form = {"token": Fields(shown.text).hidden["token"], "device": link.partition("=")[2], "answer": "allow"}
    victim.browser.post("/device", form)
    assert device.poll().json["error"] == "authorization_pending"


def test_consent_csrf_a_form_of_another_site_connects_nothing(person, device):
    shown = connected(person, device)
    form = {**Fields(shown.text).hidden, "answer": "allow"}
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in person.browser.cookies.items())}

    assert person.browser.post("/device", {**form, "token": "0" * 64}).status == 403
    assert (
        person.tenant.world.call("POST", "/device", form=form, headers=cookies | {"Sec-Fetch-Site": "cross-site"}).status
        == 403
    )
    assert device.poll().json["error"] == "authorization_pending"


def test_who_was_suspended_before_the_answer_decides_nothing(person, device, tenant):
    ada = tenant.user()
    person.open(f"/login?tenant={tenant.id}")
    person.sign_in(PASSWORD, "ada@acme.test")
    enter(person, code_of(device))
    person.follow()
    tenant.call("PATCH", f"/v1/users/{ada}", {"status": "suspended"}, headers={"If-Match": "*"}, expect=200)

    reply = person.send("/device", answer="allow")

    assert reply.headers["location"].startswith("/login?")
    assert device.poll().json["error"] == "authorization_pending"


def test_a_tenant_not_in_use_connects_no_devices(person, device, tenant):
    platform = tenant.world.token(tenant.world.platform_client)
    suspended = {"json_body": {"status": "suspended"}, "headers": {"If-Match": "*"}}
    assert tenant.world.call("PATCH", f"/v1/tenants/{tenant.id}", token=platform, **suspended).status == 200
    tenant.world.clock.move(seconds=5)

    assert enter(person, code_of(device)).status == 404


def test_the_decision_is_made_once(person, device):
    shown = connected(person, device)
    form = {**Fields(shown.text).hidden, "answer": "allow"}
    assert person.browser.post("/device", form).status == 200

    assert person.browser.post("/device", {**form, "answer": "deny"}).status == 404
    assert device.poll().status == 200


def test_a_device_that_leads_on_after_signing_in_leads_to_nothing_else(person):
    for device in ("https://evil.example", "//evil.example", "BBBBBBBB." + "0" * 64, "."):
        browser = Browser(person.tenant.world)
        shown = browser.get(f"/login?tenant={person.tenant.id}&device={device}")
        assert "device" not in Fields(shown.text).hidden
        form = {**Fields(shown.text).hidden, "email": EMAIL, "password": PASSWORD, "device": device}
        assert browser.post("/login", form).headers["location"] == "/factors"
