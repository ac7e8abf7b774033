"""People before the pages, as a browser without script shows them."""

import re
from html.parser import HTMLParser

import pyotp

from tests.signing_in import App, Browser, page_of
from tests.world import PASSWORD, Reply

EMAIL = "admin@acme.test"


class Fields(HTMLParser):
    """The hidden fields of a page by name, and what else its tests look for."""

    def __init__(self, text: str):
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.options = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        self.tags.append((tag, known))
        self.options = known.get("data-options") or self.options
        if tag == "input" and known.get("type") == "hidden":
            self.hidden.setdefault(known["name"], known.get("value") or "")


class Person:
    """Somebody before the pages: opens a client's link, and answers each page's form."""

    def __init__(self, tenant, app: App):
        self.tenant, self.app, self.browser = tenant, app, Browser(tenant.world)
        self.last: Reply | None = None

    def open(self, path: str) -> Reply:
        self.last = self.browser.get(path)
        return self.last

    def start(self, **parameters) -> str:
        _, flow = page_of(self.open(self.app.link(**parameters)))
        self.open(f"/login?flow={flow}")
        return flow

    def send(self, path: str, **fields: str) -> Reply:
        assert self.last is not None
        hidden = Fields(self.last.text).hidden
        form = {
            name: hidden[name] for name in ("token", "flow", "tenant", "step", "link", "device") if name in hidden
        } | fields
        form = {name: value for name, value in form.items() if value is not None}
        self.last = self.browser.post(path, form)
        return self.last

    def sign_in(self, password: str = PASSWORD, email: str = EMAIL) -> Reply:
        return self.send("/login", email=email, password=password)

    def follow(self) -> Reply:
        assert self.last is not None and self.last.status == 303, self.last
        return self.open(self.last.headers["location"])

    def account(self) -> Reply:
        """Sign in without a client, to one's own ways to sign in."""
        self.open(f"/login?tenant={self.tenant.id}")
        self.sign_in()
        return self.follow()

    def add_app(self) -> tuple[str, list[str]]:
        """Enrol an authenticator app; its secret and the recovery codes."""
        shown = self.send("/factors", do="app")
        secret = re.search(r'<code id="key">(\w+)</code>', shown.text)[1]
        done = self.send("/factors", do="confirm", code=pyotp.TOTP(secret).at(self.tenant.world.clock()))
        assert done.status == 200, done.text
        self.tenant.world.clock.move(seconds=60)
        return secret, re.findall(r"<code>([a-z2-7-]{19})</code>", done.text)
