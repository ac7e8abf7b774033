"""What the compliance report says of an endpoint is what a client meets there: real handshakes on the loopback interface."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from contextlib import contextmanager

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from platforma.adapters.tls_endpoints import TLSEndpoints
from platforma.kernel.errors import Unavailable

pytestmark = pytest.mark.enable_socket
ENDS = dt.datetime(2036, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    """A certificate for 127.0.0.1, which is also its own root."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1).public_key(key.public_key())
    made = made.not_valid_before(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)).not_valid_after(ENDS)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = made.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(pem + private)
    return path


@contextmanager
def endpoint(identity, *, least=ssl.TLSVersion.TLSv1_3, most=ssl.TLSVersion.TLSv1_3, mutual=False):
    """A server that speaks these versions; its URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = least, most
    context.load_cert_chain(identity)
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(identity)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                with connection, context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(65536)
                    secured.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            except OSError:
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def test_an_endpoint_that_speaks_1_3_alone_is_seen_as_such(identity):
    with endpoint(identity) as url:
        seen = TLSEndpoints(url, None, ca_file=str(identity)).outside()

    assert (seen.version, seen.older, seen.trusted, seen.certified_until, seen.answered) == (
        "TLSv1.3",
        None,
        True,
        ENDS,
        True,
    )


def test_an_endpoint_that_also_speaks_1_2_is_seen_to(identity):
    with endpoint(identity, least=ssl.TLSVersion.TLSv1_2) as url:
        seen = TLSEndpoints(url, None, ca_file=str(identity)).outside()

    assert (seen.version, seen.older) == ("TLSv1.3", "TLSv1.2")


def test_a_certificate_that_nobody_vouches_for_is_not_believed(identity):
    with endpoint(identity) as url:
        seen = TLSEndpoints(url, None).outside()

    assert (seen.trusted, seen.certified_until) == (False, None)


@pytest.mark.parametrize("least", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_who_has_no_certificate_is_seen_to_be_refused(identity, least):
    with endpoint(identity, least=least, most=least, mutual=True) as url:
        seen = TLSEndpoints("https://x.test", url, ca_file=str(identity)).inside()

    assert seen is not None
    assert (seen.answered, seen.older) == (False, None)
    assert seen.version in ("", "TLSv1.3")


def test_an_internal_endpoint_that_answers_anybody_is_seen_to(identity):
    with endpoint(identity) as url:
        seen = TLSEndpoints("https://x.test", url, ca_file=str(identity)).inside()

    assert seen is not None
    assert seen.answered


def test_an_endpoint_that_is_gone_is_no_evidence(identity):
    with endpoint(identity) as url:
        pass

    with pytest.raises(Unavailable):
        TLSEndpoints(url, None).outside()
