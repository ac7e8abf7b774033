"""
A badly mannered front of a certificate authority: refuses nonces that were good, says that a rate is exceeded, or breaks.

It passes everything else on unchanged, so that what is tried is the client against a real authority that has bad days. The
authority must believe that it lives here (OpenBao: `pki/config/cluster`), since requests are signed over their URLs.
"""

import http.client
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

Misbehaviour = Callable[[str, str], tuple[int, str, dict[str, str]] | None]
"""Given method and path: a status, an ACME error type and headers to answer with; None to pass the request on."""
_KEPT = ("Content-Type", "Replay-Nonce", "Location", "Link", "Retry-After")


class Proxy:
    """Its *url*; *misbehave* may be changed at any time, and *seen* are the requests that came."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.misbehave: Misbehaviour = lambda _method, _path: None
        self.seen: list[tuple[str, str]] = []


def every_other_nonce() -> Misbehaviour:
    """Refuse the nonce of every other POST."""
    count = iter(range(1_000_000))

    def misbehave(method: str, _path: str) -> tuple[int, str, dict[str, str]] | None:
        return (400, "badNonce", {}) if method == "POST" and next(count) % 2 == 0 else None

    return misbehave


@contextmanager
def proxied(upstream: str, ca: Path, certificate: Path, key: Path) -> Iterator[Proxy]:
    """A proxy of the authority at *upstream*, with this certificate."""
    target, trusted = urlsplit(upstream), ssl.create_default_context(cafile=str(ca))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            proxy.seen.append((self.command, self.path))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if (refusal := proxy.misbehave(self.command, self.path)) is not None:
                status, kind, headers = refusal
                problem = {"type": f"urn:ietf:params:acme:error:{kind}", "detail": "a bad day", "status": status}
                self.send(status, json.dumps(problem).encode(), {"Content-Type": "application/problem+json", **headers})
                return
            connection = http.client.HTTPSConnection(target.netloc, timeout=20, context=trusted)
            sent = {name: self.headers[name] for name in ("Content-Type", "Accept") if name in self.headers}
            connection.request(self.command, self.path, body or None, sent)
            reply = connection.getresponse()
            kept = {name: reply.headers[name] for name in _KEPT if name in reply.headers}
            self.send(reply.status, reply.read(), kept)
            connection.close()

        def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_HEAD = answer  # noqa: N815  http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    proxy = Proxy(f"https://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
