"""People sign in to the deployed system by a SAML provider of somebody else's code."""

import re
from html import unescape

import httpx
import pytest

from tests.integration.conftest import Running
from tests.saml_peer import SAMLPeer, saml_peer
from tests.visiting import Person

FIELD = re.compile(r'<input type="hidden"\s+name="([^"]+)"\s+value="([^"]*)"')


def signed_in(person: Person, peer: SAMLPeer, return_to: str = "") -> httpx.Response:
    """The whole way: to the provider with our request, and back with its response."""
    query = f"?return_to={return_to}" if return_to else ""
    begun = person.http.get(f"/sso/{peer.connection_id}/start{query}")
    assert begun.status_code == 302, begun.text
    answered = peer.forwarded(begun.headers["location"])
    assert answered.status_code == 200, answered.text
    form = {name: unescape(value) for name, value in FIELD.findall(answered.text)}
    return person.http.post(f"/sso/{peer.connection_id}/acs", data=form, headers={"Origin": "https://idp.samlp.test"})


@pytest.mark.parametrize("mode", ["response", "assertion", "both", "encrypted"])
def test_a_person_signs_in_by_samlp(running: Running, token: str, mode: str):
    with saml_peer(running, token, mode) as peer, Person(running, peer.email) as person:
        reply = signed_in(person, peer)

        assert (reply.status_code, reply.headers["location"]) == (303, "/factors"), reply.text
        users = running.call("GET", "/v1/users", token=token, params={"email": peer.email}).json()["items"]
        assert [(each["managed_by"], each["mapped_roles"], each["name"]) for each in users] == [
            ("jit", ["operator"], "Ada Lovelace")
        ]
        question = {
            "principal": {"type": "user", "id": users[0]["id"]},
            "action": "infrastructure.clusters.update",
            "resource": {"type": "cluster", "id": "cls_eu01"},
        }
        assert running.call("POST", "/v1/authorize", token=token, json=question).json()["decision"] == "allow"


def test_a_response_is_good_once_and_in_one_browser(running: Running, token: str):
    with saml_peer(running, token, "assertion") as peer, Person(running, peer.email) as person:
        begun = person.http.get(f"/sso/{peer.connection_id}/start")
        answered = peer.forwarded(begun.headers["location"])
        form = {name: unescape(value) for name, value in FIELD.findall(answered.text)}
        acs = f"/sso/{peer.connection_id}/acs"
        with Person(running, peer.email) as thief:
            refused = thief.http.post(acs, data=form)
            assert refused.status_code == 422
            assert refused.headers["x-request-id"] in refused.text
            assert "set-cookie" not in refused.headers
        assert person.http.post(acs, data=form).status_code == 303
        assert person.http.post(acs, data=form).status_code == 422


def test_login_finds_the_way_to_the_provider_by_the_domain_of_an_address(running: Running, token: str):
    with saml_peer(running, token, "both") as peer, Person(running, peer.email) as person:
        page = person.http.get("/login")
        sent = {"token": dict(FIELD.findall(page.text))["token"], "email": peer.email, "sso": "1"}

        reply = person.http.post("/login", data=sent)

        assert reply.headers["location"] == f"/sso/{peer.connection_id}/start?return_to=%2Ffactors"
