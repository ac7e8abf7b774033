"""An OpenID provider of somebody else's code (`oidc-provider`), on another site than ours, and a connection to it."""

import json
import os
import re
import secrets
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.connected import ANY, connected
from tests.peer import CALLED
from tests.running import Running
from tests.visiting import Person

ROOT = Path(__file__).parents[1]
CLIENT = "platforma"
_FORM = re.compile(r'<form[^>]* action="([^"]+)"[^>]*>')
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


def signing_key(kid: str) -> dict[str, Any]:
    """A private key as the provider takes it (RFC 7517)."""
    made: dict[str, Any] = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048), as_dict=True)
    del made["key_ops"]  # it is to know its own signatures again, too
    return {**made, "kid": kid, "use": "sig", "alg": "RS256"}


@dataclass
class OpenIDPeer:
    """The provider: *users* by the name that they sign in with there, *keys* that it signs with, *client* as it knows us."""

    running: Running
    connection_id: str
    issuer: str
    domain: str
    node: "subprocess.Popen[str]"
    users: dict[str, dict[str, Any]]
    client: dict[str, Any]
    keys: list[dict[str, Any]] = field(default_factory=lambda: [signing_key("k1")])

    def go_on(self) -> None:
        """Have the provider go by what is set here."""
        told = {"issuer": self.issuer, "clients": [self.client], "keys": self.keys, "users": self.users}
        assert self.node.stdin and self.node.stdout
        self.node.stdin.write(json.dumps(told) + "\n")
        self.node.stdin.flush()
        assert self.node.stdout.readline() == "ready\n"


@dataclass
class Visitor:
    """Somebody with a browser before us (*here*) and the provider (*there*): cookies of its own for each site."""

    peer: OpenIDPeer
    here: Person
    there: httpx.Client

    def led(self, where: str, name: str = "") -> str:
        """On the provider's site, from *where* on, signing in there as *name* where asked; where that leads away to."""
        answer = self.there.get(where)
        for _ in range(12):
            if answer.is_redirect:
                where = urljoin(str(answer.url), answer.headers["location"])
                if not where.startswith(self.peer.issuer + "/"):
                    return where
                answer = self.there.get(where)
                continue
            assert answer.status_code == 200, answer.text
            form = _FORM.search(answer.text)
            assert form is not None, answer.text
            hidden = {field: unescape(value) for field, value in _HIDDEN.findall(answer.text)}
            typed = {"login": name, "password": "x"} if "prompt" in hidden else {"logout": "yes"}
            assert name or "prompt" not in hidden, "asked to sign in"
            answer = self.there.post(urljoin(str(answer.url), unescape(form[1])), data=hidden | typed)
        raise AssertionError(f"no end at {answer.url}")

    def sign_in(self, name: str, return_to: str = "/factors") -> httpx.Response:
        """The whole way: to the provider with our request, and back with its answer; what we say to that."""
        begun = self.here.http.get(f"/sso/{self.peer.connection_id}/start", params={"return_to": return_to})
        assert begun.status_code == 302, begun.text
        return self.here.http.get(self.led(begun.headers["location"], name))


@contextmanager
def visiting(peer: OpenIDPeer) -> Iterator[Visitor]:
    """Somebody new."""
    trusted = ssl.create_default_context(cafile=peer.running.stack["ca_file"])
    with Person(peer.running, "") as person, httpx.Client(verify=trusted, timeout=30) as there:
        yield Visitor(peer, person, there)


@contextmanager
def openid_peer(running: Running, token: str, certificate: tuple[Path, Path]) -> Iterator[OpenIDPeer]:
    """
    The provider, whose person `ada` is one of its engineers, and the tenant's connection to it by a secret.

    *certificate* is a chain and its key, for the address `CALLED`.
    """
    secret = secrets.token_urlsafe(24)
    command = [
        *(str(ROOT / ".venv" / "bin" / "node"), str(ROOT / "tests" / "peers" / "openid_provider.mjs")),
        *(str(ROOT / ".tools" / "peers" / "node_modules"), *map(str, certificate), CALLED),
    ]
    trusting = os.environ | {"NODE_EXTRA_CA_CERTS": running.stack["ca_file"]}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=trusting) as node:
        assert node.stdin and node.stdout
        issuer = f"https://{CALLED}:{int(node.stdout.readline())}"
        body = {
            "name": "oidc-provider",
            "type": "oidc",
            "oidc": {"issuer": issuer, "client_id": CLIENT, "client_secret": secret},
            "group_mappings": [{"group": "Engineers", "role": "operator"}],
            "provisioning": {"jit": True},
        }
        with connected(running, token, **body) as (connection_id, domain):
            ours = f"{running.stack['url']}/sso/{connection_id}"
            client = {
                "client_id": CLIENT,
                "client_secret": secret,
                "redirect_uris": [f"{ours}/callback"],
                "post_logout_redirect_uris": [f"{ours}/slo"],
                "backchannel_logout_uri": f"{ours}/backchannel-logout",
                "backchannel_logout_session_required": True,
                "scope": "openid email profile groups",
            }
            said = {"name": "Ada Lovelace", "email_verified": True, "groups": ["Engineers", "Staff"]}
            users = {"ada": {"email": f"ada@{domain}", **said}}
            peer = OpenIDPeer(running, connection_id, issuer, domain, node, users, client)
            peer.go_on()
            yield peer
        node.stdin.close()
        node.wait(10)


def by_keys_of_ours(peer: OpenIDPeer, token: str) -> None:
    """Have us authenticate by `private_key_jwt` from now on: the provider is given the keys that we publish."""
    path = f"/v1/sso-connections/{peer.connection_id}"
    changed = peer.running.call("PATCH", path, token=token, json={"oidc": {"client_secret": None}}, headers=ANY)
    assert (changed.status_code, changed.json()["oidc"]["has_secret"]) == (200, False), changed.text
    published = peer.running.call("GET", f"/sso/{peer.connection_id}/keys").json()
    rest = {name: value for name, value in peer.client.items() if name != "client_secret"}
    method = {"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "RS256"}
    peer.client = rest | method | {"jwks": published}
    peer.go_on()
