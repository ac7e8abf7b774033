"""TLS 1.3 outside, mutual TLS inside, and an edge that no path climbs out of."""

import socket
import ssl
from urllib.parse import urlsplit

import httpx
import pytest

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


def test_the_inside_asks_for_a_client_certificate(running: Running):
    stack = running.stack
    context = ssl.create_default_context(cafile=stack["ca_file"])
    with httpx.Client(verify=context) as stranger, pytest.raises(httpx.HTTPError):
        stranger.get(stack["internal_url"] + "/.well-known/jwks.json")

    context.load_cert_chain(stack["client_cert_file"], stack["client_key_file"])
    with httpx.Client(verify=context) as known:
        assert known.get(stack["internal_url"] + "/.well-known/jwks.json").status_code == 200


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
