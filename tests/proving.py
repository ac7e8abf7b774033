"""A client that holds a key: DPoP proofs, signed assertions and certificates, as a library of the field makes them."""

import datetime as dt
import hashlib
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from platforma.keys.jwk import thumbprint, to_jwk


class Holder:
    """A P-256 key and what it signs; *now* is epoch seconds."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.jwk = to_jwk(self.key.public_key())
        self.jkt = thumbprint(self.jwk)
        self._now = now

    def proof(
        self, method: str, url: str, *, token: str | None = None, nonce: str | None = None, header: Any = None, **claims: Any
    ) -> str:
        """A proof for this request; what is given besides replaces what it would say, None leaves it out."""
        said: dict[str, Any] = {"htm": method, "htu": url, "iat": int(self._now()), "jti": str(uuid4()), "nonce": nonce}
        if token is not None:
            said["ath"] = urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
        said = {name: value for name, value in {**said, **claims}.items() if value is not None}
        head = {"typ": "dpop+jwt", "jwk": self.jwk, **(header or {})}
        return jwt.encode(said, self.key, algorithm="ES256", headers=head)

    def assertion(self, client_id: str, audience: str, **claims: Any) -> dict[str, str]:
        """The parameters by which a client of this key authenticates (RFC 7523 section 2.2)."""
        now = int(self._now())
        said = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "iat": now,
            "exp": now + 60,
            "jti": str(uuid4()),
            **claims,
        }
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode(said, self.key, algorithm="ES256"),
        }


def certificate(clock: Callable[[], dt.datetime], *, names: Sequence[x509.GeneralName] = (), days: int = 1) -> bytes:
    """A certificate of `CN=pay, O=A`, in DER, that ends in so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pay"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "A")])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).serial_number(1).public_key(key.public_key())
    made = made.not_valid_before(clock() - dt.timedelta(days=2)).not_valid_after(clock() + dt.timedelta(days=days))
    if names:
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
