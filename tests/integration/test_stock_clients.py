"""
Libraries of the field as clients of the deployed system: each knows the issuer and what it registered, and finds the rest.

What they check by themselves (`iss`, `state`, `nonce`, signatures, `at_hash`, the metadata's issuer) holds by their not
complaining.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import get_well_known_url as server_metadata
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from tests.integration.conftest import Running
from tests.signing_in import REDIRECT_URI
from tests.visiting import Person, somebody

ROOT = Path(__file__).parents[2]
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
SCOPES = ["openid", "profile", "email", "offline_access", "infrastructure:read"]


@pytest.fixture
def ada(running: Running, token: str) -> Iterator[Person]:
    with somebody(running, token) as person:
        yield person


def registered(running: Running, token: str, **more: Any) -> dict[str, Any]:
    body = {
        "name": "stock",
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": [REDIRECT_URI],
        "post_logout_redirect_uris": ["https://client.test/out"],
        "scopes": SCOPES,
        **more,
    }
    reply = running.call("POST", "/v1/oauth-clients", token=token, json=body)
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


def believe(session: OAuth2Session, running: Running) -> None:
    """Trust the system's authority, and none that the environment may name."""
    session.verify, session.trust_env = running.stack["ca_file"], False


def discovered(running: Running, session: OAuth2Session) -> OpenIDProviderMetadata:
    issuer = running.stack["url"]
    metadata = OpenIDProviderMetadata(session.get(get_well_known_url(issuer, external=True), withhold_token=True).json())
    metadata.validate()
    assert metadata["issuer"] == issuer
    oauth = session.get(server_metadata(issuer, external=True), withhold_token=True).json()
    assert oauth.items() <= metadata.items()
    return metadata


def test_authlib_signs_a_person_in_by_a_signed_assertion_refreshes_and_signs_out(running: Running, token: str, ada: Person):
    issuer, key = running.stack["url"], ECKey.generate_key("P-256")
    jwks = {"keys": [{**key.as_dict(private=False), "alg": "ES256", "use": "sig"}]}
    client = registered(running, token, token_endpoint_auth_method="private_key_jwt", jwks=jwks)
    with OAuth2Session(
        client["client_id"],
        key,
        token_endpoint_auth_method="private_key_jwt",
        revocation_endpoint_auth_method="private_key_jwt",
        scope=" ".join(SCOPES),
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
    ) as session:
        believe(session, running)
        metadata = discovered(running, session)
        session.register_client_auth_method(PrivateKeyJWT(issuer, alg="ES256"))
        verifier, nonce = "authlib-" * 8, "a-nonce"
        asked, state = session.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
        )
        back = ada.led_back(asked)
        told = session.fetch_token(
            metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
        )
        keys = KeySet.import_key_set(session.get(metadata["jwks_uri"], withhold_token=True).json())
        id_token = jwt.decode(told["id_token"], keys, algorithms=metadata["id_token_signing_alg_values_supported"])
        claims = CodeIDToken(
            id_token.claims,
            id_token.header,
            {"iss": {"values": [issuer]}, "aud": {"values": [client["client_id"]]}},
            {"nonce": nonce, "access_token": told["access_token"]},
        )
        claims.validate()
        person = session.get(metadata["userinfo_endpoint"]).json()
        first = told["refresh_token"]
        second = session.refresh_token(metadata["token_endpoint"])["refresh_token"]
        known = session.introspect_token(metadata["introspection_endpoint"], token=session.token["access_token"])
        revoked = session.revoke_token(metadata["revocation_endpoint"], token=second, token_type_hint="refresh_token")
        with pytest.raises(OAuthError, match="invalid_grant"):
            session.refresh_token(metadata["token_endpoint"], refresh_token=second)
        leaving, _ = session.create_authorization_url(
            metadata["end_session_endpoint"],
            state="bye",
            id_token_hint=told["id_token"],
            post_logout_redirect_uri="https://client.test/out",
        )

    assert parse_qs(urlsplit(back).query)["iss"] == [issuer]
    assert (claims["sub"], person["sub"], person["email"]) == (ada.id, ada.id, ada.email)
    assert ada.pages == ["/login", "/consent"]
    assert first != second
    assert (known.json()["active"], known.json()["sub"], revoked.status_code) == (True, ada.id, 200)
    assert ada.led_back(leaving) == "https://client.test/out?state=bye"


def test_authlib_gets_a_clients_own_token_by_its_secret_either_way(running: Running, token: str):
    client = registered(running, token, grant_types=["client_credentials"], redirect_uris=[], scopes=["infrastructure:read"])
    for method in ("client_secret_basic", "client_secret_post"):
        with OAuth2Session(client["client_id"], client["client_secret"], token_endpoint_auth_method=method) as session:
            believe(session, running)
            told = session.fetch_token(
                discovered(running, session)["token_endpoint"], grant_type="client_credentials", scope="infrastructure:read"
            )
            assert (told["token_type"], told["scope"]) == ("Bearer", "infrastructure:read")


def openid_client(running: Running, person: Person, scenario: str, **given: str) -> dict[str, Any]:
    """What a client of the library's told of this scenario, *person* going where it sent their browser."""
    command = [
        str(ROOT / ".venv" / "bin" / "node"),
        str(Path(__file__).with_name("stock_client.mjs")),
        *(str(ROOT / ".tools" / "peers" / "node_modules"), running.stack["url"], scenario, json.dumps(given)),
    ]
    inside = os.environ | {"NODE_EXTRA_CA_CERTS": running.stack["ca_file"]}
    with subprocess.Popen(
        command, env=inside, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as node:
        assert node.stdin and node.stdout and node.stderr
        for line in node.stdout:
            said = json.loads(line)
            if "told" in said:
                node.wait(10)
                return dict(said["told"])
            reply = person.visit(said["visit"])
            node.stdin.write(reply.headers.get("location", str(reply.url)) + "\n")
            node.stdin.flush()
        raise AssertionError(node.stderr.read())


def test_openid_client_registers_pushes_binds_refreshes_and_signs_out(running: Running, token: str, ada: Person):
    made = running.call("POST", "/v1/oauth-clients/initial-access-tokens", token=token, json={"scopes": SCOPES})
    assert made.status_code == 201, made.text

    told = openid_client(running, ada, "registered", initial_access_token=made.json()["initial_access_token"])

    assert told["asked"] == ["client_id", "request_uri"]
    assert (told["type"], told["me"], told["rotated"]) == ("dpop", 200, True)
    assert (told["sub"], told["email"]) == (ada.id, ada.email)
    assert (told["introspected"]["active"], told["introspected"]["token_type"]) == (True, "DPoP")
    assert (told["out"], told["dead"]) == ("https://client.test/out?state=done", "invalid_grant")


def test_openid_client_is_public_revokes_and_asks_silently(running: Running, token: str, ada: Person):
    client = registered(running, token, type="public", token_endpoint_auth_method="none", first_party=True)

    told = openid_client(running, ada, "public", client_id=client["client_id"])

    assert (told["sub"], told["silent"], told["type"]) == (ada.id, ada.id, "bearer")
    assert (told["dead"], told["refused"]) == ("invalid_grant", "login_required")
    assert ada.pages == ["/login"]


def test_openid_client_signs_its_requests_and_is_refused_an_unsigned_one(running: Running, token: str, ada: Person):
    key = ECKey.generate_key("P-256")
    client = registered(
        running,
        token,
        type="public",
        token_endpoint_auth_method="none",
        first_party=True,
        require_signed_request_object=True,
        jwks={"keys": [key.as_dict(private=False)]},
    )

    told = openid_client(running, ada, "signed", client_id=client["client_id"], jwk=json.dumps(key.as_dict(private=True)))

    assert told == {"asked": ["client_id", "request"], "sub": ada.id, "unsigned": "invalid_request"}


def test_openid_client_on_a_device_gets_its_tokens_once_the_person_said_yes(running: Running, token: str, ada: Person):
    client = registered(
        running,
        token,
        type="public",
        token_endpoint_auth_method="none",
        grant_types=[DEVICE_CODE, "refresh_token"],
        redirect_uris=[],
        post_logout_redirect_uris=[],
    )

    told = openid_client(running, ada, "device", client_id=client["client_id"])

    assert (told["sub"], told["email"], told["rotated"]) == (ada.id, ada.email, True)
    assert ada.pages == ["/device", "/login", "/device"]


def test_authlib_on_a_device_gets_its_tokens_once_the_person_said_yes(running: Running, token: str, ada: Person):
    client = registered(running, token, grant_types=[DEVICE_CODE], redirect_uris=[], post_logout_redirect_uris=[])
    with OAuth2Session(client["client_id"], client["client_secret"], scope="openid email") as session:
        believe(session, running)
        metadata = discovered(running, session)
        asked = session.post(
            metadata["device_authorization_endpoint"],
            data={"scope": "openid email"},
            auth=(client["client_id"], client["client_secret"]),
            withhold_token=True,
        ).json()
        with pytest.raises(OAuthError, match="authorization_pending"):
            session.fetch_token(metadata["token_endpoint"], grant_type=DEVICE_CODE, device_code=asked["device_code"])
        ada.visit(asked["verification_uri"], user_code=asked["user_code"])
        time.sleep(asked["interval"])
        session.fetch_token(metadata["token_endpoint"], grant_type=DEVICE_CODE, device_code=asked["device_code"])
        person = session.get(metadata["userinfo_endpoint"]).json()

    assert person == {"sub": ada.id, "email": ada.email}
