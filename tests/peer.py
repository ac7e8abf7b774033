"""A server of somebody else's beside the deployed system: https, with a certificate that the system's functions believe."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from infra.local import vault
from infra.local.ports import Ports
from infra.local.stack import Stack
from tests.running import Running

CALLED = "127.77.0.1"
"""An address of the network that the local run lets functions call (`infra.local.up.PEERS`)."""

Answer = Callable[[str, dict[str, str]], tuple[int, bytes]]


@dataclass
class Peer:
    """
    *calls* are what it was sent: path, and the form or query; *bodies* the same as the status that it answered, headers by
    names in small letters, and bytes. *answer* makes status and body of each; *reply* where bytes are not a form.
    """

    url: str
    answer: Answer = lambda _path, _form: (200, b"{}")
    reply: Callable[[bytes], tuple[int, bytes]] | None = None
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    bodies: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)

    def wait(self, count: int, *, seconds: float = 30) -> list[tuple[str, dict[str, str]]]:
        """What it was sent, once that is *count* calls."""
        ends = time.monotonic() + seconds
        while len(self.calls) < count and time.monotonic() < ends:
            time.sleep(0.1)
        assert len(self.calls) >= count, self.calls
        return self.calls


def certificate(running: Running, folder: Path, address: str) -> tuple[Path, Path]:
    """A server's certificate of the stack's own authority, and its key."""
    ports = Ports(vault=int(running.stack["vault"]["addr"].rpartition(":")[2]))
    operator, _ = vault.set_up(Stack(running.home, ports))
    issued = vault.issue(operator, "edge", {"ip_sans": address, "ttl": "1h"})
    operator.adapter.close()
    places = folder / "peer.pem", folder / "peer-key.pem"
    for place, text in zip(places, (issued.certificate, issued.private_key), strict=True):
        place.write_text(text)
    return places


@contextmanager
def serving(running: Running, folder: Path, address: str = CALLED) -> Iterator[Peer]:
    """A peer that listens at *address*."""
    chain, key = certificate(running, folder, address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())

        def _answer(self, sent: str) -> None:
            form = {name: values[0] for name, values in parse_qs(sent).items()}
            path = urlsplit(self.path).path
            status, body = peer.answer(path, form) if peer.reply is None else peer.reply(sent.encode())
            headers = {name.lower(): value for name, value in self.headers.items()}
            peer.bodies.append((status, headers, sent.encode()))
            peer.calls.append((path, form))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_args: object) -> None:
            """A caller that goes away is what some tests are about."""

    with Server((address, 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        peer = Peer(f"https://{address}:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield peer
        server.shutdown()
