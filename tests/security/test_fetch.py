"""Server-side request forgery by the addresses that clients name: what is called, and what is not."""

import datetime as dt
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from platforma.adapters import fetch
from platforma.adapters.fetch import MAX_BYTES, PublicFetch
from platforma.oauth.errors import Unfetched

LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
        *(
            "::1",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "ff02::1",
            "::",
        ),
        "255.255.255.255",
    ],
)
def test_a_name_that_resolves_to_a_private_address_is_not_called(address):
    with pytest.raises(Unfetched) as refused:
        PublicFetch(resolve=lambda *_: [address]).get("https://client.test/jwks")

    assert refused.value.facts["cause"] == "not a public address"


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    with pytest.raises(Unfetched) as refused:
        PublicFetch(resolve=lambda *_: ["8.8.8.8", "10.0.0.1"]).get("https://client.test/jwks")

    assert refused.value.facts["cause"] == "not a public address"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "2130706433", "0x7f.1", "localhost", "169.254.169.254"])
def test_no_spelling_of_an_address_is_called(host):
    with pytest.raises(Unfetched):
        PublicFetch().get(f"https://{host}/")


@pytest.mark.parametrize(
    "url", ["http://8.8.8.8/", "ftp://a.test/", "file:///etc/passwd", "https://u:p@a.test/", "https:///x", "//a.test/", "x"]
)
def test_another_url_than_plain_https_is_not_resolved(url):
    asked = []

    with pytest.raises(Unfetched):
        PublicFetch(resolve=lambda *given: asked.append(given) or ["8.8.8.8"]).get(url)

    assert asked == []


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    """A certificate for `client.test`, which is also its own root."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client.test")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1).public_key(key.public_key())
    made = made.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("client.test")]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(pem + private)
    return path


@contextmanager
def answering(identity, *answer, pause=0.0):
    """A server on the loopback interface that answers one request with these pieces; its port, and what it was asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity)
    listener, asked = socket.create_server(("127.0.0.1", 0)), []

    def serve():
        connection, _ = listener.accept()
        try:
            with connection, context.wrap_socket(connection, server_side=True) as secured:
                asked.append(secured.recv(65536))
                for piece in answer:
                    secured.sendall(piece)
                    time.sleep(pause)
                asked.append(b"all was sent")
        except OSError:
            pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], asked
    finally:
        listener.close()
        thread.join(5)


def fetching(identity, seen=None):
    def resolve(host, _port):
        if seen is not None:
            seen.append(host)
        return ["127.0.0.1"]

    return PublicFetch(networks=LOOPBACK, ca_file=str(identity), resolve=resolve)


HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


@pytest.mark.enable_socket
def test_a_document_is_fetched_from_the_address_that_was_looked_at_once(identity):
    seen = []
    with answering(identity, HEAD, b'{"keys":[]}') as (port, asked):
        body = fetching(identity, seen).get(f"https://client.test:{port}/jwks?a=1")

    assert (body, seen) == (b'{"keys":[]}', ["client.test"])
    assert asked[0].startswith(b"GET /jwks?a=1 HTTP/1.1\r\nHost: client.test")


@pytest.mark.enable_socket
def test_a_redirect_is_not_followed(identity):
    redirect = b"HTTP/1.1 302 Found\r\nLocation: https://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    with answering(identity, redirect) as (port, _), pytest.raises(Unfetched) as refused:
        fetching(identity).get(f"https://client.test:{port}/")

    assert refused.value.facts == {"status": 302}


@pytest.mark.enable_socket
def test_a_document_without_end_is_cut_off(identity):
    with (
        answering(identity, HEAD, *[b"x" * 65536] * (MAX_BYTES // 65536 + 2)) as (port, _),
        pytest.raises(Unfetched) as refused,
    ):
        fetching(identity).get(f"https://client.test:{port}/")

    assert refused.value.facts["cause"] == "too large"


@pytest.mark.enable_socket
@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 2", HEAD])
def test_an_answer_that_drips_is_cut_off_wherever_it_is(identity, head, monkeypatch):
    monkeypatch.setattr(fetch, "TIMEOUT_SECONDS", 1.0)
    with (
        answering(identity, head, *[b"0"] * 200, pause=0.2) as (port, asked),
        pytest.raises(Unfetched) as refused,
    ):
        fetching(identity).get(f"https://client.test:{port}/")

    assert len(asked) == 1, "it was heard to the end"
    assert refused.value.facts["cause"] in ("too slow", "BadStatusLine", "RemoteDisconnected", "LineTooLong")


@pytest.mark.enable_socket
def test_a_certificate_for_another_name_is_refused(identity):
    with answering(identity, HEAD) as (port, asked), pytest.raises(Unfetched) as refused:
        fetching(identity).get(f"https://other.test:{port}/")

    assert (refused.value.facts["cause"], asked) == ("SSLCertVerificationError", [])


def test_the_networks_of_a_laptop_are_no_others():
    laptop = PublicFetch(networks=LOOPBACK)

    assert laptop._may_call(ip_address("127.0.0.1"))
    assert not laptop._may_call(ip_address("10.0.0.1"))
