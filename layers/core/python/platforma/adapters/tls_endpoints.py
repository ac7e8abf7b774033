"""
What the deployed endpoints accept, seen by knocking at them as a client would: nothing is sent but a request for `/`.

Knocked at is the system's own address alone, as its settings name it.
"""

import socket
import ssl
import warnings
from datetime import UTC, datetime
from urllib.parse import urlsplit

from platforma.compliance.ports import EndpointState
from platforma.kernel.errors import Unavailable

_SECONDS = 3.0
_NEWEST_OF_OLD = {"TLSv1.3": ssl.TLSVersion.TLSv1_2, "TLSv1.2": ssl.TLSVersion.TLSv1_1}


class TLSEndpoints:
    """`Endpoints`. *ca_file* replaces the trusted roots, for an edge whose certificate no public authority issued."""

    def __init__(self, outside: str, inside: str | None, *, ca_file: str | None = None) -> None:
        self._outside, self._inside, self._ca_file = outside, inside, ca_file

    def outside(self) -> EndpointState:
        """The endpoint for everybody; TLS below 1.3 is tried."""
        return self._seen(self._outside, least="TLSv1.3")

    def inside(self) -> EndpointState | None:
        """The endpoint for services; TLS below 1.2 is tried."""
        return None if self._inside is None else self._seen(self._inside, least="TLSv1.2")

    def _seen(self, url: str, *, least: str) -> EndpointState:
        parts = urlsplit(url)
        host, port = str(parts.hostname), parts.port or 443
        trusting, trusted = ssl.create_default_context(cafile=self._ca_file), True
        try:
            version, until, answered = _knocked(host, port, trusting)
        except ssl.SSLCertVerificationError:
            version, until, answered = _knocked(host, port, _blind())
            trusted = False
        except Unavailable as refused:
            if refused.facts.get("cause") not in _REFUSALS:
                raise
            version, until, answered, trusted = "", None, False, False
        return EndpointState(f"{host}:{port}", version, least, self._older(host, port, least), trusted, until, answered)

    def _older(self, host: str, port: int, least: str) -> str | None:
        """What a client got that knows nothing as new as *least*; None: it was refused."""
        old = _blind()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that such versions are out of date is what this is about
            old.maximum_version = _NEWEST_OF_OLD[least]
        old.set_ciphers("ALL:@SECLEVEL=0")  # what is refused here is to be the version, not the cipher
        try:
            return _knocked(host, port, old)[0]
        except Unavailable as refused:
            if refused.facts.get("cause") in _REFUSALS:
                return None
            raise


_REFUSALS = ("SSLError", "SSLEOFError", "SSLZeroReturnError", "ConnectionResetError")


def _blind() -> ssl.SSLContext:
    """What looks at a handshake and believes nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _knocked(host: str, port: int, context: ssl.SSLContext) -> tuple[str, datetime | None, bool]:
    """
    The version that was agreed on, until when the certificate is good (as far as it was verified), and whether a request
    without a client certificate was answered.

    Raises:
        SSLCertVerificationError: the certificate is not believed.
        Unavailable: there was no handshake; *cause* says why.
    """
    try:
        with (
            socket.create_connection((host, port), _SECONDS) as raw,
            context.wrap_socket(raw, server_hostname=host) as tls,
        ):
            named = tls.getpeercert() or {}
            until = named.get("notAfter")
            moment = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(until)), UTC) if until else None
            return str(tls.version()), moment, _answered(tls, host)
    except ssl.SSLCertVerificationError:
        raise
    except OSError as error:
        raise Unavailable(cause=type(error).__name__) from error


def _answered(tls: ssl.SSLSocket, host: str) -> bool:
    """Under TLS 1.3 a server asks for a certificate, and a client is done, before it is refused (RFC 8446 section 4.4.2)."""
    try:
        tls.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return tls.recv(1) != b""
    except (ssl.SSLError, ConnectionError):
        return False
