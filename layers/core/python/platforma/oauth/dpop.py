"""
DPoP proofs (RFC 9449): whoever shows a token holds the key that it was issued to.

A proof is for one request: its method, its URL (as configured, never as the Host header says), the token beside it (`ath`),
and, at our own endpoints, a nonce of ours. Nonces are stateless: the current span of time and a MAC over it, so that every
instance knows every other's, and they rotate by themselves.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from platforma.kernel.clock import Clock
from platforma.kernel.errors import AlreadyUsed
from platforma.keys.jwk import NotAKey, from_jwk, thumbprint
from platforma.oauth.compact_jws import json_object, parse_foreign, verify_signature
from platforma.oauth.errors import InvalidDPoPProof, InvalidToken, UseDPoPNonce
from platforma.oauth.ports import SingleUse

ALGORITHMS = ("ES256", "EdDSA", "Ed25519", "PS256", "RS256")
TYPE = "dpop+jwt"
AGE_SECONDS = 60
"""How old a proof may be: so long, and the skew, its id is remembered."""
SKEW_SECONDS = 10
NONCE_SPAN_SECONDS = 150
"""A nonce is good in the span of time that it is made in and in the next: five minutes at most."""
_NONCE_PURPOSE = b"platforma dpop nonce v1\x00"
_MAX_JTI = 256


class Nonces:
    """Makes and knows nonces; *secret* is the platform's own."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._secret, self._clock = secret, clock

    def current(self) -> str:
        """The nonce of this time."""
        return self._of(self._span())

    def knows(self, nonce: object) -> bool:
        """Whether *nonce* is of this span of time or of the one before."""
        span = self._span()
        return isinstance(nonce, str) and any(
            hmac.compare_digest(self._of(each).encode(), nonce.encode()) for each in (span, span - 1)
        )

    def _span(self) -> int:
        return int(self._clock().timestamp()) // NONCE_SPAN_SECONDS

    def _of(self, span: int) -> str:
        mac = hmac.digest(self._secret, _NONCE_PURPOSE + span.to_bytes(8, "big"), hashlib.sha256)
        return urlsafe_b64encode(mac[:18]).decode()


@dataclass(frozen=True, slots=True)
class Proof:
    """A verified proof: the thumbprint of its key (RFC 7638), and the nonce that it carried."""

    jkt: str
    nonce: str | None


def verify_proof(
    proof: str,
    *,
    method: str,
    urls: Collection[str],
    single_use: SingleUse,
    clock: Clock,
    nonces: Nonces | None,
    access_token: str | None = None,
) -> Proof:
    """
    Turn the value of a `DPoP` header into the key that it proves (RFC 9449 section 4.3).

    *urls* are the names of the requested URL by configuration. Without *nonces* none is asked for. *access_token* is the
    token that is shown beside it.

    Raises:
        UseDPoPNonce: all is well but the nonce; it carries the one to use.
        InvalidDPoPProof: it is no proof for this request, or was shown before.
    """
    try:
        unverified = parse_foreign(proof, embedded_key=True)
        jwk = unverified.header["jwk"]
        if unverified.header.get("typ") != TYPE or not isinstance(jwk, dict):
            raise InvalidDPoPProof
        verify_signature(unverified, from_jwk(jwk), ALGORITHMS)
        claims = json_object(unverified.payload)
    except (InvalidToken, NotAKey):
        raise InvalidDPoPProof from None
    now = clock().timestamp()
    _check(claims, method=method, urls=urls, access_token=access_token, now=now)
    if nonces is not None and not nonces.knows(claims.get("nonce")):
        raise UseDPoPNonce(nonces.current())
    jkt = thumbprint(jwk)
    try:
        spent = hashlib.sha256(claims["jti"].encode()).hexdigest()
        until = datetime.fromtimestamp(claims["iat"] + AGE_SECONDS + SKEW_SECONDS, UTC)
        single_use.spend(f"dpop|{jkt}|{spent}", until=until)
    except AlreadyUsed:
        raise InvalidDPoPProof from None
    return Proof(jkt, claims.get("nonce"))


def token_hash(access_token: str) -> str:
    """`ath`: base64url SHA-256 of the token's ASCII (RFC 9449 section 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()).rstrip(b"=").decode()


def _check(claims: dict[str, Any], *, method: str, urls: Collection[str], access_token: str | None, now: float) -> None:
    jti, iat, url = claims.get("jti"), claims.get("iat"), claims.get("htu")
    times = [iat, *(claims[name] for name in ("nbf", "exp") if name in claims)]
    if not all(isinstance(time, (int, float)) and not isinstance(time, bool) for time in times):
        raise InvalidDPoPProof
    fresh = now - AGE_SECONDS <= float(iat or 0) <= now + SKEW_SECONDS
    fresh = fresh and claims.get("nbf", 0) <= now + SKEW_SECONDS and claims.get("exp", now + 1) > now
    if (
        not fresh
        or not (isinstance(jti, str) and 0 < len(jti) <= _MAX_JTI)
        or claims.get("htm") != method
        or not isinstance(url, str)
        or _plain(url) not in {_plain(each) for each in urls}
    ):
        raise InvalidDPoPProof
    if access_token is not None and claims.get("ath") != token_hash(access_token):
        raise InvalidDPoPProof


def _plain(url: str) -> tuple[str, str | None, int | None, str] | None:
    """A URL without query and fragment, normalised (RFC 3986 sections 6.2.2 and 6.2.3)."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None
    if "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port, unquote(parts.path or "/")
