"""A real Chromium before the deployed system; it believes the server's key that our authority vouches for."""

import base64
import hashlib
import os
import re
import secrets
import socket
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import sync_playwright

from tests.peer import CALLED, certificate
from tests.running import Running
from tests.signing_in import DEVICE_GRANT, challenge
from tests.world import PASSWORD

HOME = Path(__file__).resolve().parents[2] / ".tools" / "peers" / "browser"
NONE_OF_ITS_BUSINESS = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-pings")

FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""  # the one that comes with the fonts looks for them in /tmp


def pin(shown):
    """The hash of the key in a certificate: what Chromium shall believe and no other."""
    key = shown.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def shown_by(stack):
    """The server's certificate, once our authority has vouched for it."""
    address = urlsplit(stack["url"])
    trusted = ssl.create_default_context(cafile=stack["ca_file"])
    with (
        socket.create_connection((address.hostname, address.port), timeout=10) as plain,
        trusted.wrap_socket(plain, server_hostname=address.hostname) as connection,
    ):
        return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))


@pytest.fixture(scope="session")
def elsewhere(running, tmp_path_factory):
    """The certificate of another site than ours, and its key."""
    return certificate(running, tmp_path_factory.mktemp("elsewhere"), CALLED)


@pytest.fixture(scope="session")
def chromium(running, elsewhere, tmp_path_factory):
    believed = shown_by(running.stack), x509.load_pem_x509_certificate(elsewhere[0].read_bytes())
    fonts = tmp_path_factory.mktemp("fonts")
    (fonts / "fonts.conf").write_text(FONTS.format(fonts=HOME / "fonts", cache=fonts / "cache"))
    libraries = {"LD_LIBRARY_PATH": str(HOME / "al2023" / "lib")}
    inside = os.environ | libraries | {"FONTCONFIG_FILE": str(fonts / "fonts.conf")}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=HOME / "chromium",
            env=inside,
            args=[
                "--no-sandbox",
                "--no-zygote",
                "--disable-gpu",
                *NONE_OF_ITS_BUSINESS,
                f"--ignore-certificate-errors-spki-list={','.join(map(pin, believed))}",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, running):
    context = chromium.new_context(base_url=running.stack["url"], locale="en-GB", viewport={"width": 800, "height": 900})
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on(
        "console",
        lambda said: (
            page.faults.append(said.text) if said.type == "error" and not re.search(r"status of 4\d\d", said.text) else None
        ),
    )
    yield page
    context.close()
    assert page.faults == []


class Application(BaseHTTPRequestHandler):
    """What a client on one's own machine says to a browser that comes back (RFC 8252 section 7.3)."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b'<!doctype html><link rel="icon" href="data:,"><title>Back</title><p>You may close this window.')

    def log_message(self, *_args):
        """Say nothing."""


@dataclass(frozen=True)
class Client:
    """A public client that listens on a port of this machine, and the person who is to sign in to it."""

    running: Running
    id: str
    callback: str
    email: str
    user_id: str
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def link(self, **more: str) -> str:
        usual = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.callback,
            "scope": "openid profile email",
            "state": "a-state",
            "code_challenge": challenge(self.verifier),
            "code_challenge_method": "S256",
        }
        return f"/oauth2/authorize?{urlencode(usual | more)}"

    def ask_for_device(self) -> Any:
        """What a device of the client's is told when it asks."""
        form = {"client_id": self.id, "scope": "openid profile infrastructure:read"}
        reply = self.running.call("POST", "/oauth2/device_authorization", data=form)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def poll(self, asked: Any) -> httpx.Response:
        """What the device is answered when it asks again."""
        form = {"grant_type": DEVICE_GRANT, "client_id": self.id, "device_code": asked["device_code"]}
        return self.running.call("POST", "/oauth2/token", data=form)

    def answer(self, page) -> dict[str, str]:
        """What came back with the browser."""
        page.wait_for_url(f"{self.callback}*")
        return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}

    def tokens(self, page) -> Any:
        """The tokens that the code which came back gives."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self.id,
            "code": self.answer(page)["code"],
            "redirect_uri": self.callback,
            "code_verifier": self.verifier,
        }
        reply = self.running.call("POST", "/oauth2/token", data=form)
        assert reply.status_code == 200, reply.text
        return reply.json()


@pytest.fixture(scope="session")
def callback():
    server = HTTPServer(("127.0.0.1", 0), Application)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/callback"
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(running, token, callback):
    email = f"ada-{secrets.token_hex(4)}@demo.test"
    person = {"email": email, "name": "Ada Lovelace", "password": PASSWORD, "roles": ["viewer"]}
    user = running.call("POST", "/v1/users", token=token, json=person)
    assert user.status_code == 201, user.text
    app = {
        "name": "Notebook",
        "type": "public",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", DEVICE_GRANT],
        "redirect_uris": ["http://127.0.0.1/callback"],
        "scopes": ["openid", "profile", "email", "infrastructure:read", "infrastructure:manage"],
    }
    registered = running.call("POST", "/v1/oauth-clients", token=token, json=app)
    assert registered.status_code == 201, registered.text
    return Client(running, registered.json()["client_id"], callback, email, user.json()["id"])
