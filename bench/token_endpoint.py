"""
The token endpoint, client credentials for an ES256 JWT: our handler in process and over HTTP, node-oidc-provider over HTTP.

All in one run. Ours is the deployed function's handler, whole: client authentication (with a good ticket), decision of the
scope, signature, sealed audit event, log line; its tables are in memory, as the peer's are. Over HTTP both are asked by the
same single client, one request after the other on one connection, so that the figures compare; neither is its server's most.
"""

import base64
import contextlib
import http.client
import importlib.util
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any
from unittest import mock
from urllib.parse import urlencode

from bench.authorizer import deployed
from platforma import bootstrap
from platforma.kernel.clock import system_clock
from platforma.kernel.events import Attempt

ROOT = Path(__file__).parents[1]
NODE = ROOT / ".venv" / "bin" / "node"
MODULES = ROOT / ".tools" / "peers" / "node_modules"
FORM = urlencode({"grant_type": "client_credentials", "scope": "infrastructure:read"})
ROUNDS, CALLS = 5, 400


@contextlib.contextmanager
def _by_name() -> Iterator[None]:
    """The ports of the area, which were bound before the tables were put in memory."""
    parts = bootstrap.parts
    with mock.patch.dict(bootstrap.oauth.ports, {"clients": parts.oauth.clients, "secrets": parts.ground.secrets}):
        bootstrap.oauth.made.clear()
        yield
    bootstrap.oauth.made.clear()


def _client(tenant_id: str) -> dict[str, str]:
    attempt = Attempt("bench", "bench.token_endpoint.run", system_clock, tenant_id=tenant_id)
    fields = {"name": "bench", "scopes": ["infrastructure:read"]}
    client, secret = bootstrap.oauth.create_client(fields, tenant_id=tenant_id, attempt=attempt)
    pair = base64.b64encode(f"{client.id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}


def _function() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_oauth_token", ROOT / "functions" / "oauth_token" / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _per_second(call: Callable[[], None], clock: Callable[[], float]) -> int:
    """The median over rounds of how many a second."""
    rates = []
    for _ in range(ROUNDS):
        started = clock()
        for _ in range(CALLS):
            call()
        rates.append(CALLS / (clock() - started))
    return round(median(rates))


def _asking(port: int, headers: dict[str, str], path: str) -> tuple[http.client.HTTPConnection, Callable[[], None]]:
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def ask() -> None:
        connection.request("POST", path, FORM, headers)
        answer = connection.getresponse()
        body = json.loads(answer.read())
        assert answer.status == 200, body
        assert body["access_token"].count(".") == 2

    return connection, ask


@contextlib.contextmanager
def _served(handle: Callable[[dict[str, str], bytes], dict[str, Any]]) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536  # head and body in one segment

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = handle(dict(self.headers), body)
            sent = answer["body"].encode()
            self.send_response_only(answer["statusCode"])
            for name, value in {**answer["headers"], "Content-Length": str(len(sent))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            """The function's own line is enough."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextlib.contextmanager
def _peer(secret: str) -> Iterator[int]:
    asked = [str(NODE), str(Path(__file__).with_suffix(".mjs")), str(MODULES), "bench", secret, "https://platforma.test"]
    with subprocess.Popen(
        asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        with process.stdin:  # its end is the peer's, behind whatever starts node here
            yield int(next(line for line in process.stdout if line.strip().isdigit()))


def run() -> dict[str, Any]:
    """Tokens a second; ours in process by CPU time of one core, over HTTP by the clock."""
    event = json.loads((ROOT / "tests" / "events" / "oauth_token.client_credentials.json").read_text())
    event.pop("multiValueHeaders", None)
    figures: dict[str, Any] = {}
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        deployed() as (tenant_id, _),
        _by_name(),
    ):
        headers, handler = _client(tenant_id), _function().handler

        def handle(sent: dict[str, str], body: bytes) -> dict[str, Any]:
            answer: dict[str, Any] = handler(
                {**event, "headers": sent, "body": body.decode(), "isBase64Encoded": False}, None
            )
            return answer

        def in_process() -> None:
            assert handle(headers, FORM.encode())["statusCode"] == 200

        in_process()
        figures["handler_per_second_of_one_core"] = _per_second(in_process, time.process_time)
        with _served(handle) as port:
            connection, ask = _asking(port, headers, "/oauth2/token")
            figures["handler_over_http_per_second"] = _per_second(ask, time.perf_counter)
            connection.close()
    secret = "s" * 43
    with _peer(secret) as port:
        pair = base64.b64encode(f"bench:{secret}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        connection, ask = _asking(port, headers, "/token")
        ask()
        figures["oidc_provider_over_http_per_second"] = _per_second(ask, time.perf_counter)
        connection.close()
    peer = figures["oidc_provider_over_http_per_second"]
    figures["ratio_to_oidc_provider"] = round(figures["handler_per_second_of_one_core"] / peer, 2)
    figures["ratio_over_http"] = round(figures["handler_over_http_per_second"] / peer, 2)
    return figures


if __name__ == "__main__":
    for figure, value in run().items():
        print(f"{figure:40} {value}")
