"""OpenID Connect Back-Channel Logout Certification Profile: the client is told, by a token that it can check."""

import time
from typing import Any

import jwt
import pytest

from tests.conformance.relying_party import AFTER_LOGOUT, RelyingParty
from tests.peer import serving
from tests.running import Running
from tests.visiting import Person

EVENT = "http://schemas.openid.net/event/backchannel-logout"


def test_oidcc_backchannel_logout_discovery_endpoint_verification(metadata: dict[str, Any]):
    assert metadata["backchannel_logout_supported"] is True
    assert metadata["backchannel_logout_session_supported"] is True
    assert metadata["end_session_endpoint"].startswith("https://")


def test_oidcc_backchannel_rp_initiated_logout(
    running: Running, token: str, person: Person, tmp_path_factory: pytest.TempPathFactory
):
    with serving(running, tmp_path_factory.mktemp("backchannel")) as peer:
        peer.answer = lambda _path, _form: (200, b"")
        client = RelyingParty(
            running,
            token,
            backchannel_logout_uri=peer.url + "/backchannel_logout",
            backchannel_logout_session_required=True,
        )
        signed_in = client.sign_in(person)
        asked = {"id_token_hint": signed_in.tokens["id_token"], "post_logout_redirect_uri": AFTER_LOGOUT, "state": "s"}
        reply = client.log_out(person, **asked)
        ((path, form),) = peer.wait(1)

    assert reply.headers["location"] == AFTER_LOGOUT + "?state=s"
    assert (path, form.keys()) == ("/backchannel_logout", {"logout_token"})
    header = jwt.get_unverified_header(form["logout_token"])
    assert (header["typ"], header["alg"]) == ("logout+jwt", "RS256")
    keys = jwt.PyJWKSet.from_dict(running.call("GET", "/.well-known/jwks.json").json())
    told = jwt.decode(form["logout_token"], keys[header["kid"]], algorithms=["RS256"], audience=client.id)
    assert told["iss"] == client.issuer
    assert (told["sub"], told["sid"]) == (signed_in.claims["sub"], signed_in.claims["sid"])
    assert told["events"] == {EVENT: {}}
    assert isinstance(told["jti"], str) and "nonce" not in told
    assert abs(time.time() - told["iat"]) < 60
    assert not client.still_in(person)
