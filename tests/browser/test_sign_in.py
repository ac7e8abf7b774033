"""Signing in to a client in a real browser: password, consent, and back with a code."""

from time import monotonic, sleep

from tests.browser.acting import claims, fill
from tests.world import PASSWORD


def test_a_person_signs_in_allows_the_client_and_is_who_the_tokens_say(page, client):
    page.goto(client.link())
    fill(page, client.email)
    page.get_by_role("heading", name="Allow access?").wait_for()
    assert page.get_by_text("See your e-mail address").is_visible()
    page.get_by_role("button", name="Allow", exact=True).click()

    tokens = client.tokens(page)

    told, access = claims(tokens["id_token"]), claims(tokens["access_token"])
    assert (told["sub"], told["amr"]) == (client.user_id, ["pwd"])
    assert (access["sub"], access["acr"]) == (client.user_id, "urn:platforma:acr:aal1")


def test_who_is_signed_in_and_has_allowed_goes_straight_back(page, client):
    page.goto(client.link())
    fill(page, client.email)
    page.get_by_role("button", name="Allow", exact=True).click()
    client.answer(page)

    page.goto(client.link(state="again"))

    assert client.answer(page)["state"] == "again"


def test_a_no_goes_back_and_gives_nothing(page, client):
    page.goto(client.link())
    fill(page, client.email)
    page.get_by_role("button", name="Do not allow").click()

    answer = client.answer(page)

    assert answer["error"] == "access_denied"
    assert "code" not in answer


def test_a_wrong_password_is_announced_and_may_be_tried_again(page, client):
    page.goto(client.link())
    fill(page, client.email, "not the password")

    assert "The e-mail address or the password is wrong." in page.get_by_role("alert").first.inner_text()
    assert page.get_by_label("E-mail address").input_value() == client.email
    page.wait_for_function("document.activeElement.id === 'password'")
    fill(page, client.email)
    page.get_by_role("heading", name="Allow access?").wait_for()


def test_everything_is_reached_and_done_by_the_keyboard(page, client):
    page.goto(client.link())
    page.wait_for_function("document.activeElement.id === 'email'")
    page.keyboard.type(client.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Allow access?").wait_for()
    page.keyboard.press("Tab")

    page.wait_for_function("document.activeElement.innerText === 'Allow'")
    page.keyboard.press("Enter")
    assert "code" in client.answer(page)


def test_no_script_is_needed_to_sign_in_by_a_password(chromium, running, client):
    context = chromium.new_context(base_url=running.stack["url"], java_script_enabled=False, locale="de-DE")
    try:
        page = context.new_page()
        page.goto(client.link())
        page.get_by_label("E-Mail-Adresse").fill(client.email)
        page.get_by_label("Passwort").fill(PASSWORD)
        page.get_by_role("button", name="Anmelden", exact=True).click()
        page.get_by_role("button", name="Erlauben", exact=True).click()

        assert "code" in client.answer(page)
    finally:
        context.close()


def test_signing_out_ends_the_session_and_what_it_gave(page, client, running):
    page.goto(client.link(scope="openid infrastructure:read"))
    fill(page, client.email)
    page.get_by_role("button", name="Allow", exact=True).click()
    token = client.tokens(page)["access_token"]
    assert running.call("GET", "/v1/me", token=token).status_code == 200

    page.goto("/sign-out")
    page.get_by_role("button", name="Sign out").click()
    assert page.get_by_role("status").inner_text() == "You are signed out."

    page.goto(client.link())
    page.get_by_role("heading", name="Sign in").wait_for()
    until = monotonic() + 5
    while (reply := running.call("GET", "/v1/me", token=token)).status_code == 200 and monotonic() < until:
        sleep(0.2)
    assert reply.status_code == 401
