"""
A client certificate as a credential: which service calls, where mutual TLS was spoken.

The listener that speaks it has verified the chain and that the client holds the key, and hands the certificate over: API
Gateway in the event's `requestContext.identity.clientCert`, another edge in a header which it sets on every request from its
mutual TLS listener and removes from every other. Nothing else may be believed to carry one.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from platforma.identity.service import is_service_name
from platforma.kernel.clock import Clock
from platforma.kernel.errors import Unauthenticated

SERVICE_URI = "spiffe://platforma/service/"
MAX_CERTIFICATE = 16384
_UNREADABLE = (
    *(ValueError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.InvalidVersion),
    x509.UnsupportedGeneralNameType,
)


def presented_certificate(event: Mapping[str, Any], headers: Mapping[str, str], *, header: str) -> bytes | None:
    """
    The certificate (PEM or DER) that the client showed; None if it showed none. Nothing in it is verified here.

    *header* names the header that the edge hands it over in, base64 of DER; empty where API Gateway does. WARNING: name one
    only behind an edge that removes it from what clients send.
    """
    if header:
        text = headers.get(header, "")
        if not text or len(text) > MAX_CERTIFICATE:
            return None
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return None
    identity = (event.get("requestContext") or {}).get("identity") or {}
    text = str((identity.get("clientCert") or {}).get("clientCertPem") or "")
    return text.encode() if 0 < len(text) <= MAX_CERTIFICATE else None


def verify_service_certificate(presented: bytes, *, clock: Clock) -> str:
    """
    The name of the service that a client certificate is of (X.509-SVID section 4 and 5.2).

    Its chain was verified when the connection was made; a connection may outlive it, so its time is looked at again.

    Raises:
        Unauthenticated: it is no certificate, not valid now, or not a service's.
    """
    try:
        pem = presented.lstrip().startswith(b"-----BEGIN")
        leaf = x509.load_pem_x509_certificate(presented) if pem else x509.load_der_x509_certificate(presented)
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        is_authority = _is_authority(leaf)
    except _UNREADABLE:
        raise Unauthenticated from None
    if not leaf.not_valid_before_utc <= clock() < leaf.not_valid_after_utc:
        raise Unauthenticated
    if is_authority or ExtendedKeyUsageOID.CLIENT_AUTH not in usages or len(uris) != 1:
        raise Unauthenticated
    name = uris[0].removeprefix(SERVICE_URI)
    if name == uris[0] or not is_service_name(name):
        raise Unauthenticated
    return name


def _is_authority(leaf: x509.Certificate) -> bool:
    try:
        found = leaf.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS).value
    except x509.ExtensionNotFound:
        return False
    return isinstance(found, x509.BasicConstraints) and found.ca
