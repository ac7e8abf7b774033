"""A browser between us and a SAML identity provider: takes our request there, and brings its response back."""

import base64
import zlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lxml import etree

from tests.fakes.identity_provider import FakeIdentityProvider, Saying, posted, signed
from tests.signing_in import Browser
from tests.world import URL, Reply, Tenant


@dataclass
class SAMLConnection:
    """A connection of a tenant's to the fake provider."""

    tenant: Tenant
    id: str
    provider: FakeIdentityProvider = field(default_factory=FakeIdentityProvider)

    @property
    def path(self) -> str:
        return f"/sso/{self.id}"

    def saying(self, request_id: str | None, **more: Any) -> Saying:
        """What the provider says, with *more* in place of what is usual."""
        usual = {
            "now": self.tenant.world.clock(),
            "acs_url": f"{URL}{self.path}/acs",
            "audience": f"{URL}{self.path}/metadata",
            "request_id": request_id,
        }
        return Saying(**(usual | more))


@dataclass
class Visitor:
    """Somebody with a browser."""

    connection: SAMLConnection
    browser: Browser
    relay: str = ""
    request_id: str = ""

    def start(self, return_to: str | None = None, at: str | None = None) -> etree._Element:
        """Go to the provider; the request that it got there."""
        query = "" if return_to is None else f"?return_to={return_to}"
        reply = self.browser.get(f"{at or self.connection.path + '/start'}{query}")
        assert reply.status == 302, reply.text
        sent = {name: values[0] for name, values in parse_qs(urlsplit(reply.headers["location"]).query).items()}
        request = etree.fromstring(zlib.decompress(base64.b64decode(sent["SAMLRequest"]), -15))
        self.relay, self.request_id = sent["RelayState"], request.get("ID")
        return request

    def response(self, **more: Any) -> str:
        """The provider's response to the request, signed."""
        saying = self.connection.saying(more.pop("request_id", self.request_id), **more)
        return posted(signed(saying.response(saying.assertion())))

    def post(self, message: str, relay: str | None = None) -> Reply:
        """Bring a response back."""
        form = {"SAMLResponse": message, "RelayState": self.relay if relay is None else relay}
        return self.browser.post(f"{self.connection.path}/acs", form)

    def sign_in(self, return_to: str | None = None, **more: Any) -> Reply:
        """All of it."""
        self.start(return_to)
        return self.post(self.response(**more))


def connection_of(tenant: Tenant, *, vouched: tuple[str, ...] = ("acme.test",), **more: Any) -> SAMLConnection:
    """A SAML connection for `acme.test` that makes users and maps groups."""
    world = tenant.world
    token = world.token(world.platform_client)
    for domain in vouched:
        body = {"domain": domain, "tenant_id": tenant.id, "vouched": True}
        made = world.call("POST", "/v1/domains", token=token, json_body=body)
        assert made.status in (201, 409), made.text
    provider = FakeIdentityProvider()
    usual = {
        "name": "Okta",
        "type": "saml",
        "domains": ["acme.test"],
        "saml": {"metadata_xml": provider.metadata()},
        "group_mappings": [{"group": "Engineers", "role": "operator"}],
        "provisioning": {"jit": True, "default_roles": ["viewer"]},
    }
    made = tenant.call("POST", "/v1/sso-connections", usual | more, expect=201).json
    return SAMLConnection(tenant, made["id"], provider)
