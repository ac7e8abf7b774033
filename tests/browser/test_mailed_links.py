"""From a mail to being signed in, in a real browser: who is invited, and who forgot the password."""

import re
import secrets

from tests.browser.acting import fill

NEW = "seven grey herons at sea"


def link_in(text):
    return re.findall(r"https://\S+token=[\w-]{43}", text)[0]


def set_password(page, password=NEW):
    page.get_by_label("New password").fill(password)
    page.get_by_role("button", name="Set your password").click()


def test_who_is_invited_follows_the_mail_sets_a_password_and_signs_in(page, running, token):
    address = f"eve-{secrets.token_hex(4)}@demo.test"
    user = running.call("POST", "/v1/users", token=token, json={"email": address, "name": "Eve"})
    assert user.status_code == 201, user.text
    (mail,) = running.mails(address)

    page.goto(link_in(mail))
    assert page.get_by_label("E-mail address").input_value() == address
    set_password(page)
    assert "Your password is set." in page.get_by_role("status").inner_text()
    page.get_by_role("link", name="Sign in").click()
    fill(page, address, NEW)
    page.get_by_role("heading", name="Your ways to sign in").wait_for()

    assert address in page.locator("main").inner_text()
    assert running.call("GET", f"/v1/users/{user.json()['id']}", token=token).json()["status"] == "active"


def test_who_forgot_the_password_gets_back_into_the_application(page, running, client):
    page.goto(client.link())
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail address").fill(client.email)
    page.get_by_role("button", name="Send the link").click()
    assert "If there is an account" in page.get_by_role("status").inner_text()
    (mail,) = running.mails(client.email)

    page.goto(link_in(mail))
    set_password(page)
    page.goto(client.link())
    fill(page, client.email)
    assert "The e-mail address or the password is wrong." in page.get_by_role("alert").first.inner_text()
    fill(page, client.email, NEW)
    page.get_by_role("button", name="Allow", exact=True).click()

    assert "code" in client.answer(page)


def test_a_password_that_is_not_good_enough_is_announced_and_another_may_be_tried(page, running, client):
    asked = running.call("POST", f"/v1/users/{client.user_id}/password-reset", token=running.token())
    assert asked.status_code == 202, asked.text
    page.goto(link_in(running.mails(client.email)[0]))

    set_password(page, "password12345")
    assert "easily guessed" in page.get_by_role("alert").inner_text()
    page.wait_for_function("document.activeElement.id === 'password'")
    set_password(page)

    assert "Your password is set." in page.get_by_role("status").inner_text()


def test_a_link_that_was_used_says_so_and_leads_to_another(page, running, client):
    running.call("POST", f"/v1/users/{client.user_id}/password-reset", token=running.token())
    link = link_in(running.mails(client.email)[0])
    page.goto(link)
    set_password(page)

    page.goto(link)

    assert "This link is not valid any more." in page.get_by_role("alert").inner_text()
    page.get_by_role("link", name="Have another link mailed").click()
    assert page.url.endswith("/login")
