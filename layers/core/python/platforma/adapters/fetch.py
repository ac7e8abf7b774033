"""
Calls to addresses that strangers choose: clients' key sets, logout URIs, identity providers' metadata.

Server-side request forgery is what to expect here, so: https alone; every address that the name resolves to must be a
public one; the connection goes to the very address that was looked at (no second resolution to rebind), with the certificate
checked against the name; no redirects, no proxy, no credentials of ours; size and time are bounded, the time as a whole.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlencode, urlsplit

from platforma.oauth.errors import Unfetched

MAX_BYTES = 256 * 1024
TIMEOUT_SECONDS = 3.0
_CHUNK = 16384
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("2002::/16"), IPv6Network("2001::/32"))
"""IPv6 networks that stand for IPv4 addresses, private ones too (RFC 6052, RFC 3056, RFC 4380)."""

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A status and a body of at most `MAX_BYTES`."""

    status: int
    body: bytes


def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of *host*."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


class PublicFetch:
    """
    `platforma.oauth.ports.Fetch` and `platforma.oauth.backchannel.Post`, and `send` beside them.

    *networks* are taken as public besides: WARNING, on a developer's machine alone. *ca_file* replaces the trusted roots.
    """

    def __init__(self, *, networks: Sequence[Network] = (), ca_file: str | None = None, resolve: Resolve = resolve) -> None:
        self._networks, self._resolve = tuple(networks), resolve
        self._context = ssl.create_default_context(cafile=ca_file)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2

    def get(self, url: str) -> bytes:
        """
        The body behind *url*.

        Raises:
            Unfetched: not such a URL, or no answer 200 in time and size.
        """
        fetched = self.send("GET", url, headers={"Accept": "application/json, application/jwk-set+json"})
        if fetched.status != 200:
            raise Unfetched(status=fetched.status)
        return fetched.body

    def post(self, url: str, form: Mapping[str, str]) -> int:
        """
        The status that a *form* is answered with.

        Raises:
            Unfetched: as `send`.
        """
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "*/*"}
        return self.send("POST", url, body=urlencode(form).encode(), headers=headers).status

    def send(self, method: str, url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Fetched:
        """
        The answer to a request, whatever its status; a redirect is an answer like any.

        Raises:
            Unfetched: not such a URL, not a public address, no certificate for the name, too large or too slow.
        """
        deadline = time.monotonic() + TIMEOUT_SECONDS
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or 443
            if parts.scheme != "https" or not host or "@" in parts.netloc:
                raise Unfetched(cause="not an https URL")
            connection = _Pinned(host, port, self._public(host, port), self._context)
            with connection.cut_off():
                target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                connection.request(method, target, body=body, headers={"Connection": "close", **(headers or {})})
                with connection.getresponse() as answer:
                    return Fetched(answer.status, _read(answer, connection, deadline))
        except (OSError, ValueError, HTTPException) as error:
            raise Unfetched(cause=type(error).__name__) from error

    def _public(self, host: str, port: int) -> str:
        """The first of *host*'s addresses, if each is one that may be called."""
        addresses = self._resolve(host, port)
        if not addresses or not all(self._may_call(ip_address(address)) for address in addresses):
            raise Unfetched(cause="not a public address")
        return addresses[0]

    def _may_call(self, address: Address) -> bool:
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if any(address in network for network in self._networks if network.version == address.version):
            return True
        if isinstance(address, IPv6Address) and any(address in network for network in _TRANSLATED):
            return False
        return address.is_global and not address.is_multicast


class _Pinned(HTTPSConnection):
    """A connection to one *address*, whose certificate must be for *host*."""

    def __init__(self, host: str, port: int, address: str, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=TIMEOUT_SECONDS, context=context)
        self._address, self._tls = address, context
        self._connected: socket.socket | None = None

    def connect(self) -> None:
        raw = socket.create_connection((self._address, self.port), TIMEOUT_SECONDS)
        try:
            secured = self._tls.wrap_socket(raw, server_hostname=self.host, do_handshake_on_connect=False)
        except BaseException:
            raw.close()
            raise
        self._connected = self.sock = secured
        secured.do_handshake()

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Close it at the end, and before that once the time is up: each byte that comes would begin a socket's anew."""
        watch = threading.Timer(TIMEOUT_SECONDS, self._cut)
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()
            self.close()

    def _cut(self) -> None:
        """End what is read and written; whoever waits for it is told that there is no more."""
        if self._connected is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._connected, socket.SHUT_RDWR)  # TLS's own belongs to the thread that reads


def _read(answer: HTTPResponse, connection: HTTPSConnection, deadline: float) -> bytes:
    body = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Unfetched(cause="too slow")
        if connection.sock is not None:
            connection.sock.settimeout(left)
        chunk = answer.read1(_CHUNK)
        if not chunk and time.monotonic() < deadline:  # afterwards it may be that it was cut off
            return body
        body += chunk
        if len(body) > MAX_BYTES:
            raise Unfetched(cause="too large")
