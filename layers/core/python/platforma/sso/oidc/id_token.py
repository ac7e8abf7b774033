"""What a provider's ID token proves, or that it proves nothing (OpenID Connect Core section 3.1.3.7)."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

from platforma.keys.jwk import PublicKeyTypes
from platforma.oauth.compact_jws import json_object, parse_foreign, verify_signature
from platforma.oauth.errors import InvalidToken, Unfetched
from platforma.sso.errors import AnswerRejected

SKEW = timedelta(seconds=60)
OLDEST = timedelta(minutes=10)
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Public keys alone: neither `none` nor a MAC under the client's secret (RFC 8725 section 3.1)."""
MAX_BYTES = 64 * 1024
"""A token that lists a thousand groups by id has some fifty thousand bytes."""
KeyOf = Callable[[str | None, str], PublicKeyTypes]
"""The provider's key of a `kid`, for an algorithm."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must be for. *fresh_since*: the person must have been authenticated since then."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None
    fresh_since: datetime | None = None


def verify_id_token(token: str, expected: Expected, *, key_of: KeyOf, now: datetime) -> Mapping[str, Any]:
    """
    The claims of the token. Nothing about it is verified yet.

    Raises:
        AnswerRejected: it proves nothing; `why` says what was wrong.
    """
    header, claims = signed_by_provider(token, "ID token", key_of=key_of)
    require_for_us(claims, "ID token", issuer=expected.issuer, client_id=expected.client_id)
    _require_meant(claims, expected)
    require_timely(claims, "ID token", now)
    _require_fresh(claims, expected)
    told = claims.get("at_hash")
    if told is not None and expected.access_token is not None:
        made = _half_hash(expected.access_token, header["alg"])
        if not isinstance(told, str) or not hmac.compare_digest(told.encode(), made.encode()):
            raise AnswerRejected("The ID token and the access token do not belong together.")
    return claims


def auth_time_of(claims: Mapping[str, Any]) -> datetime:
    """When the person was authenticated; where that is not said, when the token was made."""
    told = claims.get("auth_time", claims["iat"])
    return datetime.fromtimestamp(told if _is_time(told) else claims["iat"], UTC)


def signed_by_provider(token: str, kind: str, *, key_of: KeyOf) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """
    Header and claims of a token of this *kind* that a key of the provider's signed; nothing else about it is verified.

    Raises:
        AnswerRejected: none of its keys did, or by no algorithm that is taken.
    """
    try:
        unverified = parse_foreign(token, max_bytes=MAX_BYTES)
        algorithm, kid = unverified.header["alg"], unverified.header.get("kid")
        if algorithm not in ALGORITHMS:
            raise AnswerRejected(f"The {kind} is signed by {algorithm[:20]}, which is not taken.")
        verify_signature(unverified, key_of(kid, algorithm), ALGORITHMS)
        return unverified.header, json_object(unverified.payload)
    except Unfetched:
        raise AnswerRejected("The provider's keys could not be read.") from None
    except InvalidToken:
        raise AnswerRejected(f"The {kind} is not signed by a key of the provider's.") from None


def require_for_us(claims: Mapping[str, Any], kind: str, *, issuer: str, client_id: str) -> None:
    """
    Require that *issuer* says it, to *client_id*.

    Raises:
        AnswerRejected: another does, or to another.
    """
    if claims.get("iss") != issuer:
        raise AnswerRejected(f"The {kind} is another issuer's.")
    audience, party = claims.get("aud"), claims.get("azp")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or client_id not in audiences:
        raise AnswerRejected(f"The {kind} is for another client.")
    if party not in (None, client_id) or (len(audiences) > 1 and party is None):
        raise AnswerRejected(f"The {kind} was made for another client.")


def _require_meant(claims: Mapping[str, Any], expected: Expected) -> None:
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise AnswerRejected("The ID token answers another browser's request.")
    if not isinstance(claims.get("sub"), str) or not 1 <= len(claims["sub"]) <= 255:
        raise AnswerRejected("The ID token names nobody.")


def require_timely(claims: Mapping[str, Any], kind: str, now: datetime) -> None:
    """
    Require that it was made lately, and is good now.

    Raises:
        AnswerRejected: it is not.
    """
    times = [claims.get(name) for name in ("iat", "exp")] + [claims[name] for name in ("nbf",) if name in claims]
    if not all(map(_is_time, times)):
        raise AnswerRejected(f"The {kind} has no usable times.")
    at = now.timestamp()
    if at >= claims["exp"] + SKEW.total_seconds():
        raise AnswerRejected(f"The {kind} has expired, or a clock is wrong.")
    if claims["iat"] > at + SKEW.total_seconds() or claims.get("nbf", 0) > at + SKEW.total_seconds():
        raise AnswerRejected(f"The {kind} is not good yet: a clock is wrong.")
    if claims["iat"] < at - (OLDEST + SKEW).total_seconds():
        raise AnswerRejected(f"The {kind} is old.")


def _require_fresh(claims: Mapping[str, Any], expected: Expected) -> None:
    if expected.fresh_since is not None:
        told = claims.get("auth_time")
        if not _is_time(told) or told < (expected.fresh_since - SKEW).timestamp():
            raise AnswerRejected("A fresh authentication was asked for, and the provider answered with an older one.")


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**40


def _half_hash(access_token: str, algorithm: str) -> str:
    """`at_hash` (section 3.1.3.6)."""
    made = (hashlib.sha512 if algorithm == "EdDSA" else hashlib.sha256)(access_token.encode()).digest()
    return urlsafe_b64encode(made[: len(made) // 2]).rstrip(b"=").decode()
