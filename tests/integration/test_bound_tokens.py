"""Clients that prove who they are by a key or certificate, and tokens that are bound to it, through the URL."""

import ssl
import time
from pathlib import Path
from typing import Any

import httpx

from infra.local import vault
from infra.local.ports import Ports
from infra.local.stack import Stack
from platforma.oauth import certificate_thumbprint
from tests.integration.conftest import Running
from tests.proving import Holder

SUBJECT = "spiffe://platforma/service/local-service"


def register(running: Running, token: str, **fields: Any) -> dict[str, Any]:
    body = {"name": "bound", "roles": ["admin"], "scopes": ["*"], **fields}
    reply = running.call("POST", "/v1/oauth-clients", token=token, json=body)
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


def test_a_client_of_the_fapi2_profile_gets_a_token_that_is_good_with_its_key_alone(running: Running, token: str):
    url, holder = running.stack["url"], Holder()
    fields = {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [holder.jwk]}, "profile": "fapi2"}
    client = register(running, token, **fields)

    def asked(nonce: str | None) -> httpx.Response:
        form = {"grant_type": "client_credentials", **holder.assertion(client["client_id"], url)}
        proof = holder.proof("POST", f"{url}/oauth2/token", nonce=nonce)
        return running.call("POST", "/oauth2/token", data=form, headers={"DPoP": proof})

    first = asked(None)
    nonce = first.headers["dpop-nonce"]
    second = asked(nonce)

    assert (first.status_code, first.json()["error"]) == (400, "use_dpop_nonce")
    assert (second.status_code, second.json()["token_type"]) == (200, "DPoP"), second.text
    bound = second.json()["access_token"]
    proof = holder.proof("GET", f"{url}/v1/me", token=bound, nonce=nonce)
    shown = {"Authorization": f"DPoP {bound}", "DPoP": proof}
    assert running.call("GET", "/v1/me", headers=shown).status_code == 200
    again = running.call("GET", "/v1/me", headers=shown)
    assert again.status_code == 401
    assert again.headers["www-authenticate"].startswith('DPoP realm="platforma", error="invalid_dpop_proof"')
    assert running.call("GET", "/v1/me", token=bound).status_code == 401


def test_a_certificate_proves_its_client_and_binds_its_token(running: Running, token: str):
    stack = running.stack
    client = register(
        running,
        token,
        token_endpoint_auth_method="tls_client_auth",
        tls_client_auth_san_uri=SUBJECT,
        tls_client_certificate_bound_access_tokens=True,
    )
    form = {"grant_type": "client_credentials", "client_id": client["client_id"]}
    context = ssl.create_default_context(cafile=stack["ca_file"])
    context.load_cert_chain(stack["client_cert_file"], stack["client_key_file"])
    metadata = running.call("GET", "/.well-known/oauth-authorization-server").json()

    outside = running.call("POST", "/oauth2/token", data=form)
    with httpx.Client(verify=context, timeout=30) as inside:
        reply = inside.post(metadata["mtls_endpoint_aliases"]["token_endpoint"], data=form)
        assert reply.status_code == 200, reply.text
        bound = {"Authorization": f"Bearer {reply.json()['access_token']}"}
        me = inside.get(f"{stack['internal_url']}/v1/me", headers=bound)

    assert (outside.status_code, outside.json()["error"]) == (401, "invalid_client")
    assert me.status_code == 200, me.text
    assert me.json()["principal"]["id"] == client["client_id"]
    assert running.call("GET", "/v1/me", headers=bound).status_code == 401


def test_a_token_is_exchanged_for_one_that_says_who_acts(running: Running, token: str):
    client = register(running, token, grant_types=["urn:ietf:params:oauth:grant-type:token-exchange"])
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "scope": "settings:read",
    }

    reply = running.call("POST", "/oauth2/token", data=form, auth=(client["client_id"], client["client_secret"]))

    assert reply.status_code == 200, reply.text
    me = running.call("GET", "/v1/me", token=reply.json()["access_token"])
    assert me.json()["principal"]["id"] == running.stack["service_client"]["client_id"]


def test_a_denied_certificate_is_good_for_nothing_within_five_seconds(running: Running, token: str, tmp_path: Path):
    """A second certificate of the service's: the first one, which others use, stays good."""
    stack = running.stack
    ports = Ports(vault=int(stack["vault"]["addr"].rpartition(":")[2]))
    operator, _ = vault.set_up(Stack(running.home, ports))
    issued = vault.issue(operator, "service", {"common_name": "local-service", "uri_sans": SUBJECT, "ttl": "1h"})
    (tmp_path / "certificate.pem").write_text(issued.certificate)
    (tmp_path / "key.pem").write_text(issued.private_key)
    context = ssl.create_default_context(cafile=stack["ca_file"])
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    thumbprint = certificate_thumbprint(issued.certificate.encode())

    with httpx.Client(base_url=stack["internal_url"], verify=context, timeout=30) as inside:
        before = inside.get("/v1/me").status_code
        denied = running.call("POST", "/v1/client-certificates/deny", token=token, json={"thumbprint": thumbprint})
        ends, after = time.monotonic() + 5, 200
        while after == 200 and time.monotonic() < ends:
            after = inside.get("/v1/me").status_code

    assert (before, denied.status_code, after) == (200, 200, 401), denied.text
