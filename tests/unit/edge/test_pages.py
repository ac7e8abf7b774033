"""The pages in process, as a browser without script sees them."""

import re

import pyotp
import pytest

from platforma.edge.endpoints import ENDPOINTS
from platforma.edge.pages.texts import TEXTS, language_of
from platforma.oauth.sessions import life
from tests.fakes.authenticator import Authenticator
from tests.persons import EMAIL, Fields, Person
from tests.signing_in import Browser, answer_of, app_of, page_of
from tests.world import URL, Reply


@pytest.fixture
def person(tenant):
    return Person(tenant, app_of(tenant))


def test_a_person_signs_in_consents_and_is_sent_back_with_a_code(person):
    person.start()
    person.sign_in()
    assert page_of(person.follow())[0] == "/consent"
    shown = person.follow()
    assert "orders:read" in shown.text and "See your name" in shown.text
    person.send("/consent", answer="allow")

    answer = answer_of(person.follow())

    assert person.app.redeem(answer["code"]).json["token_type"] == "Bearer"


def test_a_no_goes_back_as_access_denied_and_gives_nothing(person):
    person.start()
    person.sign_in()
    person.follow()
    person.follow()

    answer = answer_of(person.send("/consent", answer="deny"))

    assert answer["error"] == "access_denied"
    assert "code" not in answer


def test_an_answer_to_consent_that_is_neither_is_no(person):
    person.start()
    person.sign_in()
    person.follow()
    person.follow()

    assert answer_of(person.send("/consent", answer="ALLOW"))["error"] == "access_denied"


def test_unknown_and_wrong_are_told_alike(person):
    person.start()

    wrong = person.sign_in("not the password")
    unknown = person.sign_in("not the password", email="nobody@acme.test")

    assert wrong.status == unknown.status == 403
    assert "The e-mail address or the password is wrong." in wrong.text
    assert 'role="alert"' in wrong.text and 'aria-invalid="true"' in wrong.text
    assert _lasting(wrong).replace(EMAIL, "") == _lasting(unknown).replace("nobody@acme.test", "")


def _lasting(reply: Reply) -> str:
    """The page without its challenge, which is another each time."""
    return re.sub(r'data-options="[^"]*"', "", reply.text)


def test_a_suspended_person_is_told_what_a_stranger_is(person, tenant):
    user_id = tenant.user("ada@acme.test")
    tenant.call("PATCH", f"/v1/users/{user_id}", {"status": "suspended"}, headers={"If-Match": "*"}, expect=200)
    person.start()

    reply = person.sign_in(email="ada@acme.test")

    assert reply.status == 403
    assert "The e-mail address or the password is wrong." in reply.text


def test_a_failed_sign_in_of_a_known_person_stands_in_the_tenants_log(person, tenant):
    person.start()
    person.sign_in("not the password")

    (event,) = tenant.events(action="oauth.login.submit")

    assert (event["result"], event["user_id"]) == ("denied", tenant.admin_id)


def test_guessing_is_slowed_down_and_says_for_how_long(person):
    person.start()
    for _ in range(5):
        person.sign_in("not the password")

    reply = person.sign_in()

    assert reply.status == 429
    assert int(reply.headers["retry-after"]) >= 1
    assert "Too many attempts" in reply.text


def _signed_out(tenant, user_id):
    """Suspend and bring back, a second later: whoever was signed in before is not any more."""
    tenant.world.clock.move(seconds=1)
    for status in ("suspended", "active"):
        tenant.call("PATCH", f"/v1/users/{user_id}", {"status": status}, headers={"If-Match": "*"}, expect=200)
    tenant.world.clock.move(seconds=1)


def test_a_sign_in_is_over_though_its_session_begins_after_the_person_was_signed_out(person, tenant, monkeypatch):
    user_id, begin = tenant.user("ada@acme.test"), life.new_session

    def late(*who, **how):
        _signed_out(tenant, user_id)
        return begin(*who, **how | {"now": tenant.world.clock()})

    person.start()
    with monkeypatch.context() as patch:
        patch.setattr(life, "new_session", late)
        assert person.sign_in(email="ada@acme.test").status == 303

    assert "__Host-platforma" in person.browser.cookies
    assert person.browser.session is None


def test_a_code_after_the_person_was_signed_out_makes_nothing_of_the_password_before(person, tenant):
    user_id = tenant.user("ada@acme.test")
    person.open(f"/login?tenant={tenant.id}")
    person.sign_in(email="ada@acme.test")
    person.follow()
    secret, _ = person.add_app()
    other = Person(tenant, person.app)
    other.start()
    assert "One more step" in other.sign_in(email="ada@acme.test").text

    _signed_out(tenant, user_id)
    other.send("/login", code=pyotp.TOTP(secret).at(tenant.world.clock()))

    assert other.browser.session is None


def test_a_second_factor_is_asked_for_before_there_is_a_session(person):
    person.account()
    secret, _ = person.add_app()
    other = Person(person.tenant, person.app)
    other.start(acr_values="urn:platforma:acr:aal2")

    asked = other.sign_in()
    assert asked.status == 200 and "One more step" in asked.text
    assert "__Host-platforma" not in other.browser.cookies
    other.send("/login", code=pyotp.TOTP(secret).at(person.tenant.world.clock()))

    assert other.browser.session.amr == ("pwd", "otp", "mfa")


def test_a_wrong_code_is_refused_and_a_recovery_code_is_good_once(person):
    person.account()
    _, codes = person.add_app()
    assert len(codes) == 10
    other = Person(person.tenant, person.app)
    other.start()
    other.sign_in()

    refused = other.send("/login", code="000000")
    assert refused.status == 403 and "The code is not valid" in refused.text
    assert other.send("/login", code=codes[0]).status == 303

    again = Person(person.tenant, person.app)
    again.start()
    again.sign_in()
    assert again.send("/login", code=codes[0]).status == 403


def test_the_password_step_is_good_in_its_own_browser_and_for_five_minutes(person):
    person.account()
    _, codes = person.add_app()
    person.open("/sign-out")
    victim = Person(person.tenant, person.app)
    victim.open(f"/login?tenant={person.tenant.id}")
    step = Fields(victim.sign_in().text).hidden["step"]
    thief = Person(person.tenant, person.app)
    thief.open(f"/login?tenant={person.tenant.id}")

    assert thief.send("/login", step=step, code=codes[0]).status == 403
    person.tenant.world.clock.move(minutes=5)
    victim.last = victim.open(f"/login?tenant={person.tenant.id}")
    assert victim.send("/login", step=step, code=codes[0]).status == 403


def test_a_passkey_signs_in_alone_and_counts_as_two_factors(person):
    key = Authenticator(URL)
    options = Fields(person.account().text).options
    person.send("/factors", do="passkey", name="laptop", passkey=key.create(options))
    assert "laptop" in person.follow().text
    other = Person(person.tenant, person.app)
    other.start()

    other.send("/login", passkey=key.get(Fields(other.last.text).options))

    assert other.last.status == 303
    assert other.browser.session.amr == ("hwk", "user", "mfa")


def test_a_passkey_of_a_suspended_person_signs_nobody_in(person, tenant):
    user_id = tenant.user("ada@acme.test")
    key = Authenticator(URL)
    person.open(f"/login?tenant={tenant.id}")
    person.sign_in(email="ada@acme.test")
    person.send("/factors", do="passkey", name="k", passkey=key.create(Fields(person.follow().text).options))
    tenant.call("PATCH", f"/v1/users/{user_id}", {"status": "suspended"}, headers={"If-Match": "*"}, expect=200)
    other = Person(tenant, person.app)
    other.start()

    reply = other.send("/login", passkey=key.get(Fields(other.last.text).options))

    assert reply.status == 403
    assert other.browser.session is None


def test_a_passkey_answer_stolen_from_a_page_is_no_good_in_another_browser(person):
    key = Authenticator(URL)
    person.send("/factors", do="passkey", name="k", passkey=key.create(Fields(person.account().text).options))
    victim, thief = Person(person.tenant, person.app), Person(person.tenant, person.app)
    victim.start()
    thief.start()

    answer = key.get(Fields(victim.last.text).options)

    assert thief.send("/login", passkey=answer).status == 403


def test_how_one_signs_in_is_changed_only_soon_after_signing_in(person):
    person.account()
    person.tenant.world.clock.move(minutes=15)

    assert person.send("/factors", do="app").headers["location"] == f"/login?tenant={person.tenant.id}"


def test_signing_out_ends_the_session_everywhere(person):
    person.account()
    before = dict(person.browser.cookies)
    person.open("/sign-out")
    person.send("/sign-out")

    assert "You are signed out." in person.last.text
    thief = Browser(person.tenant.world, before)
    assert thief.session is None


def test_select_account_offers_to_go_on_as_who_is_signed_in(person):
    person.account()
    person.start(prompt="select_account")

    assert f"Continue as {EMAIL}" in person.last.text
    person.send("/login", go_on="1")
    assert page_of(person.follow())[0] == "/consent"


def test_every_text_is_there_in_both_languages():
    assert not [name for name, texts in TEXTS.items() if len(texts) != 2 or not all(texts) or texts[0] == texts[1]]


@pytest.mark.parametrize(
    ("accepted", "asked", "language"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", (), "de"),
        ("fr, en;q=0.3, de;q=0.7", (), "de"),
        ("de;q=0, en", (), "en"),
        ("fr", (), "en"),
        ("", (), "en"),
        ("en", ("fr", "de-AT"), "de"),
        ("de;q=x," + "x," * 5000, (), "en"),
    ],
)
def test_the_language_is_the_one_that_is_wanted(accepted, asked, language):
    assert language_of(accepted, asked) == language


def test_the_clients_ui_locales_come_first(person):
    person.start(ui_locales="de")

    assert "Anmelden" in person.last.text and '<html lang="de">' in person.last.text


def test_style_and_script_are_served_and_kept(person):
    for name, kind in (("style.css", "text/css"), ("passkey.js", "text/javascript")):
        reply = person.open(f"/assets/{name}")
        assert reply.headers["content-type"].startswith(kind)
        assert reply.headers["cache-control"] == "public, max-age=300"


def test_each_input_that_is_seen_has_a_label(person):
    person.account()
    texts = [person.last.text, person.open("/login").text, person.open(f"/login?tenant={person.tenant.id}").text]

    for text in texts:
        tags = Fields(text).tags
        labels = {attributes.get("for") for tag, attributes in tags if tag == "label"}
        seen = [known for tag, known in tags if tag == "input" and known.get("type") != "hidden"]
        assert seen and {known["id"] for known in seen} <= labels


def test_only_the_pages_tell_errors_as_pages():
    assert {row.function for row in ENDPOINTS if row.wire == "page"} == {"oauth_pages", "sso_connections", "sso_sign_in"}
