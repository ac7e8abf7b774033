"""
Who reports a leak: the signature of GitHub's secret scanning partner program over the raw body.

ECDSA on P-256 with SHA-256, base64 of DER, by one of the keys that GitHub publishes
(docs.github.com/code-security/secret-scanning/secret-scanning-partner-program).
"""

import binascii
from base64 import b64decode
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from platforma.kernel.errors import Unauthenticated

_LONGEST = 256


class ScannerKeys(Protocol):
    """The public keys that reports are signed with, as PEM, by identifier."""

    def find(self, identifier: str) -> str | None:
        """
        The key of this identifier; None if there is none.

        Raises:
            Unavailable: it cannot be told.
        """


def verify_report(raw: bytes, identifier: str | None, signature: str | None, *, scanner_keys: ScannerKeys) -> None:
    """
    Make sure that *raw* is a report of the scanner. Nothing of it may be read before.

    Raises:
        Unauthenticated: it is not.
        Unavailable: the scanner's keys cannot be had.
    """
    if not identifier or not signature or len(identifier) > _LONGEST or len(signature) > _LONGEST:
        raise Unauthenticated
    pem = scanner_keys.find(identifier)
    if pem is None:
        raise Unauthenticated
    try:
        key = load_pem_public_key(pem.encode())
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise Unauthenticated
        key.verify(b64decode(signature, validate=True), raw, ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        raise Unauthenticated from None
