"""ID tokens (OpenID Connect Core section 2): who signed in, when and how, said to the client and to nobody else."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import jwt

from platforma.kernel.errors import Unauthenticated
from platforma.keys.signing import ALGORITHMS
from platforma.oauth.access_token import SigningKeys
from platforma.oauth.compact_jws import json_object, parse_compact, verify_own_signature
from platforma.oauth.errors import InvalidToken
from platforma.oauth.grants.model import Grant
from platforma.oauth.model import Client

LIFETIME_SECONDS = 3600
TYPE = "JWT"


def issue_id_token(
    grant: Grant,
    *,
    client: Client,
    access_token: str,
    claims: Mapping[str, Any],
    signing_keys: SigningKeys,
    issuer: str,
    now: datetime,
    nonce: str | None = None,
) -> str:
    """
    A signed ID token of *grant* with *claims* besides, by the algorithm that the client registered.

    Raises:
        Unavailable: there is no key to sign with.
    """
    key = signing_keys.active(client.id_token_signed_response_alg)
    iat = int(now.timestamp())
    body: dict[str, Any] = {
        **claims,
        "iss": issuer,
        "sub": grant.user_id,
        "aud": client.id,
        "exp": iat + LIFETIME_SECONDS,
        "iat": iat,
        "auth_time": int(grant.auth_time.timestamp()),
        "acr": grant.acr,
        "amr": list(grant.amr),
        "sid": grant.session_id,
        "at_hash": _half_hash(access_token, key.algorithm),
    }
    if nonce is not None:
        body["nonce"] = nonce
    return jwt.encode(body, key.private_key, algorithm=key.algorithm, headers={"typ": TYPE, "kid": key.kid})


def verify_id_token_hint(token: str, *, client_id: str | None, signing_keys: SigningKeys, issuer: str) -> dict[str, Any]:
    """
    What an ID token of ours says, shown back to us as a hint of who is meant; of *client_id*, where that is known.

    It may have expired: a hint proves nothing that a session does not (OpenID Connect Core section 3.1.2.1). The key that
    signed it must still be in our key set.

    Raises:
        InvalidToken: it is not one of ours, or another client's.
    """
    unverified = parse_compact(token)
    header = unverified.header
    if header["typ"] != TYPE or header["alg"] not in ALGORITHMS or not isinstance(header["kid"], str):
        raise InvalidToken
    try:
        key = signing_keys.public(header["kid"])
    except Unauthenticated:
        raise InvalidToken from None
    verify_own_signature(unverified, key)
    claims = json_object(unverified.payload)
    if (
        claims.get("iss") != issuer
        or not all(isinstance(claims.get(name), str) for name in ("sub", "aud", "sid"))
        or client_id not in (None, claims["aud"])
    ):
        raise InvalidToken
    return claims


def _half_hash(access_token: str, algorithm: str) -> str:
    """`at_hash` (OpenID Connect Core section 3.1.3.6): the left half of the hash that the signature's algorithm uses."""
    made = (hashlib.sha512 if algorithm == "EdDSA" else hashlib.sha256)(access_token.encode()).digest()
    return urlsafe_b64encode(made[: len(made) // 2]).rstrip(b"=").decode()
