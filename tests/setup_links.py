"""Whoever was sent a setup link, and what an administrator of the tenant sees of it."""

from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from platforma.sso import key_pair
from tests.fakes.identity_provider import FakeIdentityProvider
from tests.persons import Fields
from tests.signing_in import Browser
from tests.world import URL, Reply, Tenant

ANY = {"If-Match": "*"}
DRAFT = {"name": "Acme's Okta", "type": "saml", "draft": True, "domains": ["acme.test"]}
OIDC_DRAFT = {"name": "Acme's Entra", "type": "oidc", "draft": True, "domains": ["acme.test"]}
METADATA = FakeIdentityProvider().metadata()
SETUP = "__Host-platforma-setup"
OVER = "This link is not valid any more"


@dataclass
class Link:
    """A link, and the browser of whom it was sent to."""

    tenant: Tenant
    connection_id: str
    told: dict
    browser: Browser
    last: Reply | None = field(default=None)

    @property
    def path(self) -> str:
        return f"/sso/{self.connection_id}/setup"

    @property
    def address(self) -> str:
        return self.told["url"].removeprefix(URL)

    def open(self, address: str | None = None) -> Reply:
        self.last = self.browser.get(address or self.address)
        return self.last

    def send(self, where: str = "", **fields: str | None) -> Reply:
        hidden = Fields(self.last.text).hidden
        form = {name: hidden[name] for name in ("token", "link", "version") if name in hidden} | fields
        reply = self.browser.post(self.path + where, {name: value for name, value in form.items() if value is not None})
        self.last = reply if reply.status != 303 else self.last
        return reply

    def enter(self) -> Reply:
        """Open the link and exchange it; the connection's page."""
        self.open()
        assert self.send().status == 303
        return self.open(self.path)

    def saved(self, **fields: str) -> Reply:
        reply = self.send("/provider", **fields)
        assert reply.status == 303, reply.text
        return self.open(reply.headers["location"])


def made(tenant: Tenant, body: dict) -> str:
    return tenant.call("POST", "/v1/sso-connections", body, expect=201).json["id"]


def linked(tenant: Tenant, connection_id: str) -> Link:
    told = tenant.call("POST", f"/v1/sso-connections/{connection_id}/setup-links", expect=201).json
    return Link(tenant, connection_id, told, Browser(tenant.world))


def links_of(link: Link) -> list[dict]:
    return link.tenant.call("GET", f"/v1/sso-connections/{link.connection_id}/setup-links", expect=200).json["items"]


def connection(link: Link) -> dict:
    return link.tenant.call("GET", f"/v1/sso-connections/{link.connection_id}", expect=200).json


def over(reply: Reply) -> bool:
    return reply.status == 404 and OVER in reply.text


_new_pair = key_pair.new_pair
_made: list[key_pair.KeyPair] = []


def one_key_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have connections' keys be one and the same, which is made once: they cost a second each."""

    def shared(connection_id: str, now: datetime, until: datetime) -> key_pair.KeyPair:
        if not _made:
            _made.append(_new_pair(connection_id, now, until))
        return replace(_made[0], not_after=until)

    monkeypatch.setattr(key_pair, "new_pair", shared)
