"""A device is connected by its person in a real browser: from its code to its tokens (RFC 8628)."""

from urllib.parse import urlsplit

from tests.browser.acting import allow, claims, fill


def path_of(url):
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def enter(page, code):
    page.get_by_label("Code that your device shows").fill(code)
    page.get_by_role("button", name="Continue", exact=True).click()


def test_a_person_enters_the_code_signs_in_allows_the_device_and_it_has_tokens(page, client):
    asked = client.ask_for_device()
    assert client.poll(asked).json()["error"] == "authorization_pending"

    page.goto(path_of(asked["verification_uri"]))
    enter(page, asked["user_code"].lower())
    fill(page, client.email)
    page.get_by_role("heading", name="Allow access?").wait_for()
    assert page.get_by_text(asked["user_code"]).is_visible()
    assert page.get_by_text("Notebook").is_visible() and page.get_by_text("infrastructure:read").is_visible()
    allow(page)

    assert "The device is connected." in page.get_by_role("status").inner_text()
    tokens = client.poll(asked).json()
    assert claims(tokens["access_token"])["sub"] == claims(tokens["id_token"])["sub"] == client.user_id


def test_the_link_on_a_device_fills_in_its_code_which_is_then_compared(page, client):
    asked = client.ask_for_device()

    page.goto(path_of(asked["verification_uri_complete"]))
    assert page.get_by_label("Code that your device shows").input_value() == asked["user_code"]
    page.keyboard.press("Enter")
    fill(page, client.email)
    assert page.get_by_text("the device before you shows this code").is_visible()
    page.get_by_role("button", name="Do not allow").click()

    assert "The device was given nothing." in page.get_by_role("status").inner_text()
    assert client.poll(asked).json()["error"] == "access_denied"


def test_a_wrong_code_is_announced_and_another_may_be_entered(page, client):
    asked = client.ask_for_device()
    page.goto("/device")
    enter(page, "BBBB-BBBB")

    assert "No device waits for this code." in page.get_by_role("alert").inner_text()
    page.wait_for_function("document.activeElement.id === 'code'")
    enter(page, asked["user_code"])
    page.get_by_role("heading", name="Sign in").wait_for()
