"""A SAML provider of somebody else's code against our functions in process: what it signs and encrypts, we believe."""

from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes.identity_provider import FakeIdentityProvider
from tests.fakes.saml_browser import connection_of
from tests.integration.test_single_sign_on import FIELD
from tests.saml_peer import SITE, SAMLPeer, samlp
from tests.signing_in import Browser
from tests.world import URL, World, running


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with running(monkeypatch) as made:
        yield made


@pytest.mark.parametrize("mode", ["response", "assertion", "both", "encrypted"])
def test_a_person_signs_in_by_samlp(world: World, mode: str):
    tenant = world.tenant()
    places = (
        f'<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{SITE}/{mode}"/>'
    )
    connection = connection_of(tenant, saml={"metadata_xml": FakeIdentityProvider().metadata(services=places)})
    user = {"id": "ada-1", "email": "ada@acme.test", "name": "Ada Lovelace", "groups": ["Engineers", "Staff"]}
    browser = Browser(world)

    def call(method: str, path: str) -> Any:
        reply = world.call(method, path)
        return SimpleNamespace(status_code=reply.status, text=reply.text, content=reply.text.encode())

    with samlp(SimpleNamespace(call=call, stack={"url": URL}), connection.id, user) as port:
        peer = SAMLPeer(connection.id, "ada@acme.test", f"http://127.0.0.1:{port}")
        world.clock.now = datetime.now(UTC).replace(microsecond=0)
        answered = peer.forwarded(browser.get(f"{connection.path}/start").headers["location"])
        form = {name: unescape(value) for name, value in FIELD.findall(answered.text)}
        world.clock.now = datetime.now(UTC).replace(microsecond=0)

        reply = browser.post(f"{connection.path}/acs", form)

    assert (reply.status, reply.headers["location"]) == (303, "/factors"), reply.text
    assert browser.session is not None
    made = tenant.call("GET", f"/v1/users/{browser.session.user_id}", expect=200).json
    assert (made["name"], made["mapped_roles"]) == ("Ada Lovelace", ["operator"])
