"""
`private_key_jwt`: a client signs who it is with a key of its own (RFC 7523 section 3, OpenID Connect Core section 9).

The audience is this server's issuer identifier, as one string: neither a list nor the URL of an endpoint, which another
server could have told the client to use (the audience injection that draft-ietf-oauth-rfc7523bis closes).
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from platforma.kernel.clock import Clock
from platforma.kernel.errors import AlreadyUsed
from platforma.oauth.client_keys import ClientKeys
from platforma.oauth.compact_jws import json_object, parse_foreign, verify_signature
from platforma.oauth.errors import InvalidClient, InvalidToken, Unfetched
from platforma.oauth.model import Client
from platforma.oauth.ports import SingleUse

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("ES256", "EdDSA", "Ed25519", "PS256", "RS256")
FAPI2_ALGORITHMS = ("ES256", "EdDSA", "Ed25519", "PS256")
"""FAPI 2.0 Security Profile section 5.4.1."""
SKEW_SECONDS = 10
MAX_LIFE_SECONDS = 3600
"""How far ahead an assertion may expire: so long its id is remembered."""
_TYPES = frozenset({None, "JWT", "jwt", "client-authentication+jwt"})
_MAX_JTI = 256


def subject_of(assertion: str) -> str:
    """
    The client that *assertion* says to be of. Nothing about it is verified.

    Raises:
        InvalidClient: it cannot be read.
    """
    try:
        subject = json_object(parse_foreign(assertion).payload).get("sub")
    except InvalidToken:
        raise InvalidClient from None
    if not isinstance(subject, str):
        raise InvalidClient
    return subject


def verify_assertion(
    assertion: str, *, client: Client, keys: ClientKeys, single_use: SingleUse, issuer: str, clock: Clock
) -> None:
    """
    Require that *assertion* is *client*'s own, meant for *issuer*, now, and shown for the first time.

    Raises:
        InvalidClient: it is not; one error for every cause.
    """
    try:
        unverified = parse_foreign(assertion)
        if unverified.header.get("typ") not in _TYPES:
            raise InvalidClient
        key = keys.key_of(client, unverified.header.get("kid"), unverified.header["alg"])
        verify_signature(unverified, key, FAPI2_ALGORITHMS if client.profile == "fapi2" else ALGORITHMS)
        expires = _checked(json_object(unverified.payload), client_id=client.id, issuer=issuer, now=clock().timestamp())
        jti = json_object(unverified.payload)["jti"]
        spent = f"assertion|{client.id}|{sha256(jti.encode()).hexdigest()}"
        single_use.spend(spent, until=datetime.fromtimestamp(expires + SKEW_SECONDS, UTC))
    except (InvalidToken, Unfetched, AlreadyUsed):
        raise InvalidClient from None


def _checked(claims: dict[str, Any], *, client_id: str, issuer: str, now: float) -> float:
    """The claims of RFC 7523 section 3; when it expires."""
    jti, expires = claims.get("jti"), claims.get("exp")
    begins = [claims[name] for name in ("iat", "nbf") if name in claims]
    times = [expires, *begins]
    if (
        claims.get("iss") != client_id
        or claims.get("sub") != client_id
        or claims.get("aud") != issuer
        or not (isinstance(jti, str) and 0 < len(jti) <= _MAX_JTI)
        or not all(isinstance(time, (int, float)) and not isinstance(time, bool) for time in times)
        or not now < float(expires or 0) <= now + MAX_LIFE_SECONDS
        or any(time > now + SKEW_SECONDS for time in begins)
    ):
        raise InvalidClient
    return float(expires or 0)
