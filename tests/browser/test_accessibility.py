"""
Every page before axe-core, by the rules of WCAG 2.2 AA, in both languages and colour schemes; and what no program sees.

`PLATFORMA_SCREENSHOTS` names a folder that pictures of the pages are put into: README's are made so.
"""

import os
import re
import time
from pathlib import Path

import pyotp
import pytest

from tests.browser.conftest import HOME
from tests.world import PASSWORD

AXE = (HOME.parent / "node_modules" / "axe-core" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async rules => (await axe.run(document, {runOnly: rules})).violations.map(
    each => each.id + ": " + each.nodes.map(node => node.html + " " + node.failureSummary).join(" | "))"""
WORDS = {
    "en-GB": (
        *("E-mail address", "Password", "Sign in", "Allow", "Add an authenticator app", "Code", "Continue", "Done"),
        *("Forgot your password?", "Send the link", "Set your password", "Code that your device shows"),
        *("Begin", "Save"),
    ),
    "de-DE": (
        *("E-Mail-Adresse", "Passwort", "Anmelden", "Erlauben", "Authenticator-App hinzufügen", "Code", "Weiter", "Fertig"),
        *("Passwort vergessen?", "Link senden", "Passwort festlegen", "Code, den Ihr Gerät zeigt"),
        *("Beginnen", "Speichern"),
    ),
}


class Inspector:
    """Looks at pages, and keeps what is wrong with them."""

    def __init__(self, page, name):
        self.page, self.name, self.seen, self.faults = page, name, [], []

    def look(self, what):
        """Hold the page that is shown to the rules."""
        page = self.page
        page.evaluate(AXE)
        self.faults += [f"{what}: {fault}" for fault in page.evaluate(RUN, RULES)]
        page.set_viewport_size({"width": 320, "height": 640})  # 1.4.10, reflow
        if page.evaluate("document.documentElement.scrollWidth > 320"):
            self.faults.append(f"{what}: scrolls sideways at 320 pixels")
        page.set_viewport_size({"width": 800, "height": 720})
        self.seen.append(what)
        if folder := os.environ.get("PLATFORMA_SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"{what}-{self.name}.png")


def drafted(running, token):
    """A connection whose provider is not known yet, and a link to tell it by."""
    body = {"name": "Acme's Okta", "type": "saml", "domains": ["acme.test"], "draft": True}
    made = running.call("POST", "/v1/sso-connections", token=token, json=body)
    assert made.status_code == 201, made.text
    where = f"/v1/sso-connections/{made.json()['id']}"
    return where, running.call("POST", f"{where}/setup-links", token=token).json()["url"]


@pytest.mark.parametrize(
    ("locale", "scheme"), [("en-GB", "light"), ("de-DE", "dark"), ("en-GB", "dark"), ("de-DE", "light")]
)
def test_every_page_is_for_everybody(chromium, running, token, client, locale, scheme):
    email, password, sign_in, allow, add_app, code, go_on, done, *rest = WORDS[locale]
    forgot, send_link, set_password, user_code, begin, save = rest
    context = chromium.new_context(base_url=running.stack["url"], locale=locale, color_scheme=scheme)
    page = context.new_page()
    inspector = Inspector(page, f"{locale[:2]}-{scheme}")

    def button(name):
        page.get_by_role("button", name=name, exact=True).click()

    def identified(with_password=PASSWORD):
        page.get_by_label(email).fill(client.email)
        page.get_by_label(password).fill(with_password)
        button(sign_in)

    try:
        page.goto("/login")
        inspector.look("organisation")
        page.goto("/login?flow=over")
        inspector.look("error")
        page.goto(client.link())
        inspector.look("sign-in")
        page.get_by_role("link", name=forgot).click()
        inspector.look("forgot-password")
        page.get_by_label(email).fill(client.email)
        button(send_link)
        page.get_by_role("status").wait_for()
        inspector.look("link-sent")
        (text,) = running.mails(client.email)
        link = re.findall(r"https://\S+/reset\?token=[\w-]{43}", text)[0]
        page.goto(link)
        inspector.look("set-password")
        page.locator("#password").fill("password12345")
        button(set_password)
        page.get_by_role("alert").wait_for()
        inspector.look("set-password-refused")
        page.locator("#password").fill(PASSWORD)
        button(set_password)
        page.get_by_role("status").wait_for()
        inspector.look("password-set")
        page.goto(link)
        inspector.look("link-spent")
        page.goto(client.link())
        identified("not the password")
        inspector.look("sign-in-refused")
        identified()
        page.get_by_role("button", name=allow, exact=True).wait_for()
        inspector.look("consent")
        button(allow)
        client.answer(page)
        page.goto("/device")
        inspector.look("device")
        page.get_by_label(user_code).fill("BBBB-BBBB")
        button(go_on)
        page.get_by_role("alert").wait_for()
        inspector.look("device-unknown")
        page.get_by_label(user_code).fill(client.ask_for_device()["user_code"])
        button(go_on)
        page.get_by_role("button", name=allow, exact=True).wait_for()
        inspector.look("device-consent")
        button(allow)
        page.get_by_role("status").wait_for()
        inspector.look("device-done")
        page.goto("/factors")
        inspector.look("factors")
        button(add_app)
        app = pyotp.TOTP(page.locator("#key").inner_text())
        inspector.look("app")
        page.get_by_label(code).fill(app.at(time.time() - 30))
        button(go_on)
        page.locator(".codes").wait_for()
        inspector.look("recovery-codes")
        page.get_by_role("link", name=done).click()
        page.goto("/sign-out")
        inspector.look("sign-out")
        page.locator("main button").click()
        page.get_by_role("status").wait_for()
        inspector.look("signed-out")
        page.goto(client.link(login_hint=client.email))
        identified()
        page.locator("#code").wait_for()
        inspector.look("one-more-step")

        connection, setup = drafted(running, token)
        page.goto(setup)
        inspector.look("setup-begin")
        button(begin)
        page.locator("#metadata_xml").wait_for()
        inspector.look("setup")
        page.locator("#metadata_xml").fill("<nothing/>")
        button(save)
        page.get_by_role("alert").wait_for()
        inspector.look("setup-refused")
        running.call("DELETE", connection, token=token, headers={"If-Match": "*"})
        page.goto(setup)
        inspector.look("setup-over")

        assert inspector.faults == []
        assert len(set(inspector.seen)) == 25
    finally:
        context.close()


def test_where_the_focus_is_can_be_seen(page, client):
    page.goto(client.link())
    outlines = []
    for _ in range(page.locator("a, button, input:not([type=hidden])").count()):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break  # past the last, since the first had the focus from the beginning
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        outlines.append((style, page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2")))

    assert outlines
    assert set(outlines) == {("solid", True)}


def test_a_page_is_shown_in_the_scheme_that_the_person_has(chromium, running):
    grounds = []
    for scheme in ("light", "dark"):
        context = chromium.new_context(base_url=running.stack["url"], color_scheme=scheme)
        page = context.new_page()
        page.goto("/login")
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        context.close()

    assert grounds == ["rgb(244, 245, 247)", "rgb(18, 21, 26)"]
