"""
Certificates of clients (RFC 8705): who one says to be (`tls_client_auth`, section 2.1), and its thumbprint (section 3.1).

The listener that spoke mutual TLS has verified the chain, and that the client holds the key. Names are compared exactly: a
subject as RFC 4514 writes it, alternative names as they stand in the certificate.
"""

from base64 import urlsafe_b64encode
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from platforma.kernel.clock import Clock
from platforma.oauth.errors import InvalidClient
from platforma.oauth.model import Client

_UNREADABLE = (
    *(ValueError, TypeError, x509.DuplicateExtension, x509.InvalidVersion),
    x509.UnsupportedGeneralNameType,
)


def certificate_thumbprint(presented: bytes) -> str:
    """
    `x5t#S256`: base64url SHA-256 of the DER of the certificate that was shown, in PEM or DER.

    Raises:
        InvalidClient: it is no certificate.
    """
    return _thumbprint(_certificate(presented))


def verify_subject(presented: bytes | None, *, client: Client, clock: Clock) -> None:
    """
    Require that the connection's certificate is valid now and has the one name that *client* registered.

    Raises:
        InvalidClient: there is none, or it is not.
    """
    if presented is None:
        raise InvalidClient
    leaf = _certificate(presented)
    if not leaf.not_valid_before_utc <= clock() < leaf.not_valid_after_utc or not _named(leaf, client):
        raise InvalidClient


def _named(leaf: x509.Certificate, client: Client) -> bool:
    if client.tls_client_auth_subject_dn is not None:
        return leaf.subject.rfc4514_string() == client.tls_client_auth_subject_dn
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (*_UNREADABLE, x509.ExtensionNotFound):
        return False
    hosts, uris = (names.get_values_for_type(kind) for kind in (x509.DNSName, x509.UniformResourceIdentifier))
    return client.tls_client_auth_san_dns in hosts or client.tls_client_auth_san_uri in uris


def _certificate(presented: bytes) -> x509.Certificate:
    try:
        if presented.lstrip().startswith(b"-----BEGIN"):
            return x509.load_pem_x509_certificate(presented)
        return x509.load_der_x509_certificate(presented)
    except _UNREADABLE:
        raise InvalidClient from None


def _thumbprint(leaf: x509.Certificate) -> str:
    return urlsafe_b64encode(sha256(leaf.public_bytes(Encoding.DER)).digest()).rstrip(b"=").decode()
