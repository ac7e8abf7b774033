"""TLS 1.3 outside, mutual TLS inside, and an edge that no path climbs out of."""

import base64
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from infra.local import certificates, openbao, vault
from infra.local.ports import Ports
from infra.local.progress import wait_until
from infra.local.stack import ROOT, Stack
from infra.vault import apply
from tests.integration.conftest import Running


def address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 443)


@pytest.mark.parametrize("which", ["url", "internal_url"])
def test_tls_1_2_is_refused(running: Running, which: str):
    context = ssl.create_default_context(cafile=running.stack["ca_file"])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    host = address(running.stack[which])

    with socket.create_connection(host, timeout=10) as raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw, server_hostname=host[0])


HYBRID = """
const [host, port, ca, pair, group] = process.argv.slice(1), fs = require("fs");
const client = pair ? {cert: fs.readFileSync(pair + ".pem"), key: fs.readFileSync(pair + "-key.pem")} : {};
const socket = require("tls").connect({host, port, servername: host, ca: fs.readFileSync(ca), ecdhCurve: group, ...client});
socket.on("secureConnect", () => { console.log(socket.getProtocol()); socket.end(); });
socket.on("error", (error) => { console.log(error.code); process.exit(1); });
"""
"""One connection, by OpenSSL 3.5 in node, which offers this one group alone."""


def agreed(running: Running, which: str, group: str) -> str:
    stack = running.stack
    pair = stack["client_cert_file"].removesuffix(".pem") if which == "internal_url" else ""
    host, port = address(stack[which])
    command = [str(ROOT / ".venv" / "bin" / "node"), "-e", HYBRID, host, str(port), stack["ca_file"], pair, group]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout.strip()


@pytest.mark.parametrize("which", ["url", "internal_url"])
def test_keys_are_agreed_on_by_x25519_with_ml_kem_where_the_client_offers_nothing_else(running: Running, which: str):
    assert agreed(running, which, "X25519MLKEM768") == "TLSv1.3"


def test_who_has_no_post_quantum_group_is_served_and_who_has_a_weak_one_alone_is_not(running: Running):
    assert agreed(running, "url", "X25519") == "TLSv1.3"
    assert agreed(running, "url", "ffdhe2048") != "TLSv1.3"


def test_the_inside_asks_for_a_client_certificate(running: Running):
    stack = running.stack
    context = ssl.create_default_context(cafile=stack["ca_file"])
    with httpx.Client(verify=context) as stranger, pytest.raises(httpx.HTTPError):
        stranger.get(stack["internal_url"] + "/.well-known/jwks.json")

    context.load_cert_chain(stack["client_cert_file"], stack["client_key_file"])
    with httpx.Client(verify=context) as known:
        assert known.get(stack["internal_url"] + "/.well-known/jwks.json").status_code == 200


def shown_inside(running: Running, certificate: Path, key: Path) -> int:
    """What the internal URL answers to whoever shows this certificate."""
    context = ssl.create_default_context(cafile=running.stack["ca_file"])
    context.load_cert_chain(certificate, key)
    with httpx.Client(base_url=running.stack["internal_url"], verify=context, timeout=30) as client:
        return client.get("/v1/me").status_code


def test_inside_a_certificate_of_another_ca_is_refused_in_the_handshake_whatever_it_says(running: Running, tmp_path: Path):
    root = certificates.Pair(tmp_path / "ca.pem", tmp_path / "ca-key.pem")
    leaf = certificates.Pair(tmp_path / "leaf.pem", tmp_path / "leaf-key.pem")
    certificates.ensure_root(root)
    uri = "spiffe://platforma/service/local-service"
    certificates.ensure_leaf(leaf, root, common_name="local-service", uri=uri, server=False)

    with pytest.raises(httpx.HTTPError):
        shown_inside(running, leaf.certificate, leaf.key)


def test_inside_a_certificate_that_ended_is_refused_and_a_servers_is_none(running: Running, tmp_path: Path):
    stack = Stack(running.home, Ports(vault=address(running.stack["vault"]["addr"])[1]))
    pair = openbao.operator_pair(stack)
    operator = apply.sign_in(stack.vault_addr, ca=stack.ca_file, certificate=pair.certificate, key=pair.key)
    named = {"common_name": vault.SERVICE, "uri_sans": f"spiffe://platforma/service/{vault.SERVICE}"}
    ended = vault.issue(operator, "service", named | {"ttl": "1s"})
    good = vault.issue(operator, "service", named)
    server = vault.issue(operator, "edge", vault.EDGE_NAMES)
    operator.adapter.close()
    time.sleep(2)

    shown = {}
    for name, issued in (("ended", ended), ("good", good), ("server", server)):
        certificate, key = tmp_path / f"{name}.pem", tmp_path / f"{name}-key.pem"
        certificate.write_text(issued.certificate)
        key.write_text(issued.private_key)
        try:
            shown[name] = shown_inside(running, certificate, key)
        except httpx.HTTPError:
            shown[name] = 0
    assert shown == {"ended": 0, "good": 200, "server": 0}


@pytest.fixture
def inside(running: Running) -> Iterator[httpx.Client]:
    """A client of the internal URL that shows the service's certificate and no other credential."""
    context = ssl.create_default_context(cafile=running.stack["ca_file"])
    context.load_cert_chain(running.stack["client_cert_file"], running.stack["client_key_file"])
    with httpx.Client(base_url=running.stack["internal_url"], verify=context, timeout=30) as client:
        yield client


def certificate_of(running: Running) -> dict[str, str]:
    """The service's certificate, in the header that the inner listener hands it over in."""
    leaf = x509.load_pem_x509_certificate(Path(running.stack["client_cert_file"]).read_bytes())
    return {"X-Client-Cert": base64.b64encode(leaf.public_bytes(serialization.Encoding.DER)).decode()}


def test_inside_the_certificate_alone_is_the_service(running: Running, token: str, inside: httpx.Client):
    reply = inside.get("/v1/me")

    assert reply.status_code == 200, reply.text
    assert reply.json()["principal"] == {"type": "service", "id": "local-service"}
    assert (reply.json()["tenant_id"], reply.json()["roles"]) == (running.stack["tenant"]["id"], ["viewer"])
    request_id = reply.headers["x-request-id"]
    (event,) = running.call("GET", f"/v1/audit/events?request_id={request_id}", token=token).json()["items"]
    assert (event["principal_type"], event["principal_id"]) == ("service", "local-service")


def test_inside_what_vaults_agent_fetched_is_the_service(running: Running, tmp_path: Path):
    """An operator lets it keep its certificate and gives it the first one; the sample's agent has the next at once."""
    stack = Stack(running.home, Ports(vault=address(running.stack["vault"]["addr"])[1]))
    pair = openbao.operator_pair(stack)
    operator = apply.sign_in(stack.vault_addr, ca=stack.ca_file, certificate=pair.certificate, key=pair.key)
    first = apply.Setup(operator).service(vault.SERVICE)
    operator.adapter.close()
    apply.put(tmp_path, first | {"ca.pem": stack.ca_file.read_text()})
    text = (ROOT / "infra" / "samples" / "service-agent.hcl").read_text().replace("billing", vault.SERVICE)
    text = text.replace("/etc/platforma", str(tmp_path)).replace("https://vault.example.com:8200", stack.vault_addr)
    (tmp_path / "agent.hcl").write_text(text)
    with (tmp_path / "log").open("wb") as log:
        command = [str(openbao.binary()), "agent", f"-config={tmp_path / 'agent.hcl'}"]
        environment = {"HOME": str(tmp_path), "PATH": os.defpath}
        agent = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        fetched = wait_until(lambda: (tmp_path / "client.pem").read_text() != first["client.pem"], 60)
    finally:
        agent.terminate()
        agent.wait(20)

    assert fetched, (tmp_path / "log").read_text()
    assert shown_inside(running, tmp_path / "client.pem", tmp_path / "client.pem") == 200


def test_the_service_may_what_a_viewer_may(inside: httpx.Client):
    question = {"action": "infrastructure.clusters.get", "resource": {"type": "cluster", "id": "cls_eu01"}, "context": {}}

    assert inside.post("/v1/authorize", json=question).json()["decision"] == "allow"
    assert inside.get("/v1/users").status_code == 403


def test_inside_a_token_is_still_its_owner(token: str, inside: httpx.Client):
    assert inside.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).json()["roles"] == ["admin"]


@pytest.mark.parametrize("name", ["X-Client-Cert", "x-client-cert", "X_Client_Cert"])
def test_outside_a_certificate_in_a_header_is_ignored(running: Running, name: str):
    headers = {name: certificate_of(running)["X-Client-Cert"]}

    assert running.call("GET", "/v1/me", headers=headers).status_code == 401


def test_inside_a_certificate_in_a_header_does_not_replace_the_one_shown(inside: httpx.Client):
    forged = {"X-Client-Cert": "MAA="}

    assert inside.get("/v1/me", headers=forged).json()["principal"]["id"] == "local-service"


@pytest.mark.parametrize(
    "path", ["/v1/../_ministack/health", "/v1/%2e%2e/%2e%2e/_ministack/health", "/..%2f..%2f_ministack/health"]
)
def test_no_path_climbs_out_of_the_api(running: Running, path: str):
    host, port = address(running.stack["url"])
    context = ssl.create_default_context(cafile=running.stack["ca_file"])
    with socket.create_connection((host, port), timeout=10) as raw, context.wrap_socket(raw, server_hostname=host) as tls:
        tls.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = tls.recv(65536).decode(errors="replace")

    assert answer.split()[1] in {"400", "403", "404"}
    assert "ministack" not in answer


def test_a_forged_address_is_not_believed(running: Running, token: str):
    headers = {"X-Forwarded-For": "10.9.8.7", "Forwarded": "for=10.9.8.7"}
    request_id = running.call("GET", "/v1/me", token=token, headers=headers).headers["x-request-id"]

    (event,) = running.call("GET", f"/v1/audit/events?request_id={request_id}", token=token).json()["items"]

    assert event["ip_address"] == "127.0.0.1"


def test_answers_are_strict_and_not_cached(running: Running, token: str):
    headers = running.call("GET", "/v1/me", token=token).headers

    assert headers["strict-transport-security"].startswith("max-age=")
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
