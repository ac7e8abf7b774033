"""The certificate of a Caddy on this machine, by its admin socket: the local stack's edge."""

import http.client
import json
import os
import socket
from collections.abc import Sequence
from pathlib import Path

from platforma.certificates.ports import Pair
from platforma.kernel.errors import Unavailable

TAG = "edge"
_FILES = "/config/apps/tls/certificates/load_files"


class Caddy:
    """
    `Installer` for the edge at *host*. The pair's files lie in *folder* (`edge.pem`, `edge-key.pem`), so that a Caddy that
    is started later shows it too; *admin* is the socket's path.

    Caddy loads the files anew beside its open connections, and goes on with the old pair if they are no good.
    """

    name = "edge"

    def __init__(self, host: str, folder: Path, admin: Path) -> None:
        self._host, self._folder, self._admin = host, folder, admin

    def serves(self, domains: Sequence[str]) -> bool:
        """Whether it is for the edge's host."""
        return self._host in domains

    def install(self, _known: str | None, pair: Pair) -> str:
        """Write the files and have them loaded."""
        certificate, key = self._folder / "edge.pem", self._folder / "edge-key.pem"
        try:
            _write_private(key, pair.private_key)
            _write_private(certificate, pair.chain)
            self._load([{"certificate": str(certificate), "key": str(key), "tags": [TAG]}])
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable("The edge does not take the certificate.", cause=type(error).__name__) from None
        return self._host

    def _load(self, files: list[dict[str, object]]) -> None:
        connection = _OverSocket(self._admin)
        try:
            # Without the header an unchanged configuration would be left as it is, and so the old certificate.
            headers = {"Content-Type": "application/json", "Cache-Control": "must-revalidate"}
            connection.request("PATCH", _FILES, json.dumps(files), headers)
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise Unavailable("The edge does not take the certificate.", status=answer.status)


class _OverSocket(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        """Open it."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by us alone from its first byte."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
    fresh.replace(path)
