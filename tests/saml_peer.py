"""A SAML identity provider of somebody else's code (`samlp`), on another site than ours, and a connection to it."""

import json
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from tests.connected import ANY, connected
from tests.fakes.identity_provider import FakeIdentityProvider, pair
from tests.peer import CALLED
from tests.running import Running

ROOT = Path(__file__).parents[1]
SITE = "https://idp.samlp.test"
_CERTIFICATE = "{http://www.w3.org/2000/09/xmldsig#}X509Certificate"


@dataclass
class SAMLPeer:
    """The provider, which signs *email* in; *at* is where it really listens."""

    connection_id: str
    email: str
    at: str

    def forwarded(self, url: str) -> httpx.Response:
        """What the provider's site answers to *url*."""
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == SITE
        return httpx.get(f"{self.at}{parts.path}?{parts.query}", timeout=30)


def metadata_at(site: str, mode: str) -> str:
    """The provider's metadata, where it answers at *site*."""
    places = (
        f'<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{site}/{mode}"/>'
    )
    return FakeIdentityProvider().metadata(services=places)


@contextmanager
def saml_peer(
    running: Running, token: str, mode: str, role: str = "operator", certificate: tuple[Path, Path] | None = None
) -> Iterator[SAMLPeer]:
    """
    A provider that answers as *mode* says (`response`, `assertion`, `both`, `encrypted`), for a domain that was vouched for,
    whose engineers have *role*. With a *certificate* (chain and key) it is at the address `CALLED`, for real browsers.
    """
    body = {
        "name": f"samlp {mode}",
        "type": "saml",
        "saml": {"metadata_xml": metadata_at(SITE, mode)},
        "group_mappings": [{"group": "Engineers", "role": role}],
        "provisioning": {"jit": True},
    }
    with connected(running, token, **body) as (connection_id, domain):
        email = f"ada@{domain}"
        user = {"id": secrets.token_hex(8), "email": email, "name": "Ada Lovelace", "groups": ["Engineers", "Staff"]}
        with samlp(running, connection_id, user, certificate) as port:
            at = f"http://127.0.0.1:{port}"
            if certificate is not None:
                at = f"https://{CALLED}:{port}"
                moved = {"saml": {"metadata_xml": metadata_at(at, mode)}}
                path = f"/v1/sso-connections/{connection_id}"
                assert running.call("PATCH", path, token=token, json=moved, headers=ANY).status_code == 200
            yield SAMLPeer(connection_id, email, at)


@contextmanager
def samlp(
    running: Any, connection_id: str, user: dict[str, Any], certificate: tuple[Path, Path] | None = None
) -> Iterator[int]:
    """The provider's program for the connection; the port that it listens at."""
    metadata = running.call("GET", f"/sso/{connection_id}/metadata")
    assert metadata.status_code == 200, metadata.text
    told = "".join(next(etree.fromstring(metadata.content).iter(_CERTIFICATE)).text.split())
    lines = "\n".join(told[at : at + 64] for at in range(0, len(told), 64))
    pem = f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
    public = x509.load_pem_x509_certificate(pem.encode()).public_key()
    settings = {
        "issuer": FakeIdentityProvider().entity_id,
        "key": pair().key_pem.decode(),
        "certificate": pair().pem,
        "ourCertificate": pem,
        "ourKey": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "acs": f"{running.stack['url']}/sso/{connection_id}/acs",
        "user": user,
        "tls": None if certificate is None else [*map(str, certificate), CALLED],
    }
    command = [
        *(str(ROOT / ".venv" / "bin" / "node"), str(ROOT / "tests" / "peers" / "saml_provider.cjs")),
        *(str(ROOT / ".tools" / "peers" / "node_modules"), json.dumps(settings)),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdin and node.stdout
        yield int(node.stdout.readline())
        node.stdin.close()
        node.wait(10)
