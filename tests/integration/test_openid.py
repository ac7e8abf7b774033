"""People sign in to the deployed system, and out of it, by an OpenID provider of somebody else's code."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.conftest import Running
from tests.openid_peer import OpenIDPeer, Visitor, by_keys_of_ours, openid_peer, signing_key, visiting
from tests.peer import CALLED, certificate


@pytest.fixture(scope="module")
def peer(running: Running, token: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIDPeer]:
    shown = certificate(running, tmp_path_factory.mktemp("openid"), CALLED)
    with openid_peer(running, token, shown) as made:
        yield made


@pytest.fixture
def ada(peer: OpenIDPeer) -> Iterator[Visitor]:
    with visiting(peer) as made:
        yield made


def users(running: Running, token: str, peer: OpenIDPeer, name: str = "ada") -> Any:
    query = {"email": f"{name}@{peer.domain}"}
    return running.call("GET", "/v1/users", token=token, params=query).json()["items"]


def signed_out(visitor: Visitor) -> bool:
    """Whether the browser is nobody's here, within five seconds and what a slow machine takes."""
    ends = time.monotonic() + 60
    while (reply := visitor.here.http.get("/factors")).status_code != 303 and time.monotonic() < ends:
        time.sleep(0.2)
    return reply.status_code == 303


def test_a_person_signs_in_by_a_provider_found_by_its_issuer_and_has_the_mapped_role(
    running: Running, token: str, peer: OpenIDPeer, ada: Visitor
):
    """Discovery, code with PKCE and nonce, `iss`, a secret from Vault; address and groups are in userinfo alone."""
    reply = ada.sign_in("ada")

    assert (reply.status_code, reply.headers["location"]) == (303, "/factors"), reply.text
    (made,) = users(running, token, peer)
    assert (made["managed_by"], made["mapped_roles"], made["name"]) == ("jit", ["operator"], "Ada Lovelace")
    question = {
        "principal": {"type": "user", "id": made["id"]},
        "action": "infrastructure.clusters.update",
        "resource": {"type": "cluster", "id": "cls_eu01"},
    }
    assert running.call("POST", "/v1/authorize", token=token, json=question).json()["decision"] == "allow"
    peer.users["ada"]["groups"] = ["Staff"]
    peer.go_on()
    assert ada.sign_in("ada").status_code == 303
    assert users(running, token, peer)[0]["mapped_roles"] == []


def test_who_signs_out_here_is_signed_out_at_the_provider_and_comes_back(peer: OpenIDPeer, ada: Visitor):
    assert ada.sign_in("ada").status_code == 303
    assert ada.sign_in("").status_code == 303  # signed in there

    on = ada.here.visit("/sign-out")
    back = ada.here.http.get(ada.led(on.headers["location"]))

    assert (back.status_code, back.headers["location"]) == (303, "/sign-out")
    with pytest.raises(AssertionError, match="asked to sign in"):
        ada.sign_in("")


def test_who_signs_out_at_the_provider_is_signed_out_here(peer: OpenIDPeer, ada: Visitor):
    assert ada.sign_in("ada").status_code == 303
    with visiting(peer) as elsewhere:
        assert elsewhere.sign_in("ada").status_code == 303

        ada.there.get(f"{peer.issuer}/session/end")
        try_ending(ada)

        assert signed_out(ada)
        assert elsewhere.here.http.get("/factors").status_code == 200  # a session of its own there


def try_ending(visitor: Visitor) -> None:
    """Sign out at the provider, without us having asked for it."""
    page = visitor.there.get(f"{visitor.peer.issuer}/session/end").text
    secret = page.partition('name="xsrf" value="')[2].partition('"')[0]
    form = {"xsrf": secret, "logout": "yes"}
    assert visitor.there.post(f"{visitor.peer.issuer}/session/end/confirm", data=form).status_code in (302, 303)


def test_groups_that_the_provider_left_out_are_told_of_and_sign_nobody_in(
    running: Running, token: str, peer: OpenIDPeer, ada: Visitor
):
    """Entra ID's overage: the groups are elsewhere (OpenID Connect Core section 5.6.2), which is not followed."""
    many = {
        "email": f"many@{peer.domain}",
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://graph.test/groups"}},
    }
    peer.users["many"] = many
    peer.go_on()

    reply = ada.sign_in("many")

    assert (reply.status_code, "set-cookie" in reply.headers) == (422, False), reply.text
    health = running.call("GET", f"/v1/sso-connections/{peer.connection_id}/health", token=token).json()
    reference = reply.headers["x-request-id"]
    assert reference in reply.text
    (told,) = [each for each in health["failures"] if each["reference"] == reference]
    assert "left the groups out" in told["why"]
    assert users(running, token, peer, "many") == []


def test_without_a_secret_we_authenticate_by_a_key_and_a_key_of_theirs_that_rotates_is_found(
    running: Running, token: str, peer: OpenIDPeer, ada: Visitor
):
    by_keys_of_ours(peer, token)
    assert ada.sign_in("ada").status_code == 303

    peer.keys = [signing_key("k2")]
    peer.go_on()

    ends = time.monotonic() + 120
    while (reply := ada.sign_in("ada")).status_code != 303 and time.monotonic() < ends:
        time.sleep(5)  # keys that were just fetched are not fetched again for half a minute
    assert reply.status_code == 303, reply.text
