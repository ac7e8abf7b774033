"""
Addresses that clients name are called by the deployed functions: key sets, and where they are told of a session's end.

A developer's machine lets them call one network of loopback addresses, at which peers of these tests listen; every other
address of the machine stays closed to them, which is tried as well.
"""

import base64
import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest

from tests.integration.conftest import Running
from tests.peer import Peer, serving
from tests.proving import Holder
from tests.signing_in import REDIRECT_URI, challenge
from tests.visiting import Person, somebody

VERIFIER = "v" * 43
ANY = {"If-Match": "*"}


@pytest.fixture(scope="module")
def peer(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with serving(running, tmp_path_factory.mktemp("peer")) as made:
        yield made


@pytest.fixture
def ada(running: Running, token: str) -> Iterator[Person]:
    with somebody(running, token) as person:
        yield person


def registered(running: Running, token: str, **fields: Any) -> dict[str, Any]:
    reply = running.call("POST", "/v1/oauth-clients", token=token, json={"name": "peer", "scopes": ["*"], **fields})
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


def proved_by(running: Running, client: dict[str, Any], holder: Holder) -> Any:
    form = {"grant_type": "client_credentials", **holder.assertion(client["client_id"], running.stack["url"])}
    return running.call("POST", "/oauth2/token", data=form)


def test_a_clients_keys_are_fetched_from_where_it_has_them(running: Running, token: str, peer: Peer):
    holder, peer.calls = Holder(), []
    peer.answer = lambda _path, _form: (200, json.dumps({"keys": [holder.jwk]}).encode())
    client = registered(running, token, token_endpoint_auth_method="private_key_jwt", jwks_uri=peer.url + "/keys")

    reply = proved_by(running, client, holder)

    assert reply.status_code == 200, reply.text
    assert [path for path, _ in peer.calls] == ["/keys"]
    assert proved_by(running, client, Holder()).json()["error"] == "invalid_client"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254"])
def test_no_function_calls_an_address_of_the_machine_or_the_network(running: Running, token: str, host: str):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(1)
        jwks_uri = f"https://{host}:{listening.getsockname()[1]}/keys"
        client = registered(running, token, token_endpoint_auth_method="private_key_jwt", jwks_uri=jwks_uri)

        reply = proved_by(running, client, Holder())

        assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")
        with pytest.raises(TimeoutError):
            listening.accept()


def code_of(ada: Person, client: dict[str, Any]) -> str:
    asked = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": REDIRECT_URI,
        "scope": "openid",
        "code_challenge": challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    return parse_qs(urlsplit(ada.led_back("/oauth2/authorize?" + urlencode(asked))).query)["code"][0]


def test_a_client_is_told_of_the_end_of_a_session_and_once_more_where_it_failed(
    running: Running, token: str, peer: Peer, ada: Person
):
    answers = iter([503, 200])
    peer.calls, peer.answer = [], lambda _path, _form: (next(answers), b"")
    client = registered(
        running,
        token,
        scopes=["openid"],
        grant_types=["authorization_code"],
        redirect_uris=[REDIRECT_URI],
        first_party=True,
        id_token_signed_response_alg="ES256",
        backchannel_logout_uri=peer.url + "/logout",
        backchannel_logout_session_required=True,
    )
    form = {
        "grant_type": "authorization_code",
        "code": code_of(ada, client),
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    secret = (client["client_id"], client["client_secret"])
    given = running.call("POST", "/oauth2/token", data=form, auth=secret).json()
    session_id = json.loads(base64.urlsafe_b64decode(given["id_token"].split(".")[1] + "=="))["sid"]
    where = f"/v1/sessions/{session_id}"

    assert running.call("DELETE", where, token=token, headers=ANY).status_code == 200
    (path, sent), (_, again) = peer.wait(2, seconds=120)

    assert path == "/logout"
    keys = jwt.PyJWKSet.from_dict(running.call("GET", "/.well-known/jwks.json").json())
    for told in (sent["logout_token"], again["logout_token"]):
        header = jwt.get_unverified_header(told)
        said = jwt.decode(told, keys[header["kid"]], algorithms=["ES256"], audience=client["client_id"])
        assert (header["typ"], said["sid"], said["sub"]) == ("logout+jwt", session_id, ada.id)
        assert said["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
        assert "nonce" not in said
    ends = time.monotonic() + 60
    shown: list[dict[str, Any]] = [{}]
    while shown[0].get("state") != "delivered" and time.monotonic() < ends:
        shown = running.call("GET", where, token=token).json()["logouts"]
    assert [(each["client_id"], each["state"], each["attempts"]) for each in shown] == [
        (client["client_id"], "delivered", 2)
    ]
    query = {"action": "oauth.logouts.deliver", "resource": session_id}
    (event,) = running.call("GET", "/v1/audit/events", token=token, params=query).json()["items"]
    assert (event["result"], event["changes"]["after"]["attempts"]) == ("success", 2)
