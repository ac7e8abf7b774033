"""Access tokens: JWTs in the profile of RFC 9068, ES256 alone, one hour."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import jwt

from platforma.kernel.clock import Clock
from platforma.kernel.errors import Unauthenticated
from platforma.keys.signing import PrivateKey, PublicKey
from platforma.oauth.compact_jws import json_object, parse_compact, verify_own_signature
from platforma.oauth.errors import InvalidToken

LIFETIME_SECONDS = 3600
SKEW_SECONDS = 10
"""By how much the clock of the issuing instance may be ahead. There is no tolerance for expiry."""
ALGORITHM = "ES256"
TYPE = "at+jwt"
_CONFIRMATIONS = frozenset({"jkt", "x5t#S256"})
_SIGN_IN = ("sid", "auth_time", "acr", "amr")


class SigningKeys(Protocol):
    """The keys that sign tokens, as `platforma.keys.signing.SigningKeys` knows them."""

    def active(self, algorithm: str = ...) -> PrivateKey:
        """The key that signs by *algorithm* now, ES256 unless said otherwise."""

    def public(self, kid: str) -> PublicKey:
        """
        The key that *kid* names.

        Raises:
            Unauthenticated: none that is in the key set.
        """


@dataclass(frozen=True, slots=True)
class SignIn:
    """The sign-in behind a token: the grant that it is given by, and how the person was authenticated."""

    grant_id: str
    sid: str
    auth_time: int
    acr: str
    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccessToken:
    """
    What a verified access token says; made by `verify_access_token` and by its issuer alone.

    *scope* caps what may be done. *roles* are those at the time of issue and only inform other readers: our decisions use
    the roles that the subject has now. *iat*, *exp* and *auth_time* are epoch seconds. If a person's sign-in is behind the
    token, *sid* names the session, and *auth_time*, *acr* and *amr* say when and how they authenticated.
    """

    jti: str
    sub: str
    tenant_id: str
    client_id: str
    scope: tuple[str, ...]
    roles: tuple[str, ...]
    audience: str
    iat: int
    exp: int
    binding: Mapping[str, str] | None = None
    act: Mapping[str, Any] | None = None
    sid: str | None = None
    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()

    @property
    def token_type(self) -> str:
        """How it is shown (RFC 9449 section 5); one that is bound to a certificate alone is shown as a bearer token."""
        return "DPoP" if "jkt" in (self.binding or {}) else "Bearer"

    @property
    def grant_id(self) -> str | None:
        """The grant that it was given by, if a person's authorization is behind it."""
        grant_id, dot, _ = self.jti.partition(".")
        return grant_id if dot else None

    @property
    def sign_in(self) -> SignIn | None:
        """The sign-in behind it, if there is one. A token exchanged for this one ends with the same grant and session."""
        if self.grant_id is None or self.sid is None or self.auth_time is None or self.acr is None:
            return None
        return SignIn(self.grant_id, self.sid, self.auth_time, self.acr, self.amr)

    @property
    def revocable_ids(self) -> tuple[str, ...]:
        """
        The ids by which it may be revoked: its own, its grant's, its session's, and that of the certificate it is bound
        to.
        """
        bound = (self.binding or {}).get("x5t#S256")
        certificate = None if bound is None else f"x5t#S256:{bound}"
        return tuple(each for each in (self.jti, self.grant_id, self.sid, certificate) if each is not None)

    @property
    def mfa(self) -> bool | None:
        """Whether a second factor was shown; None where nobody signed in."""
        return None if self.sid is None else "mfa" in self.amr


def issue_access_token(
    *,
    signing_keys: SigningKeys,
    issuer: str,
    subject: str,
    client_id: str,
    tenant_id: str,
    scope: tuple[str, ...],
    roles: tuple[str, ...],
    now: datetime,
    audience: str | None = None,
    binding: Mapping[str, str] | None = None,
    act: Mapping[str, Any] | None = None,
    sign_in: SignIn | None = None,
    not_after: int | None = None,
) -> tuple[str, AccessToken]:
    """
    A signed token, and what it says. *audience* is the issuer itself unless another API is meant; *binding* is `cnf`,
    *act* says who acts for the subject. It ends after its hour, or at *not_after* (epoch seconds) if that is sooner.

    Raises:
        Unavailable: there is no key to sign with.
    """
    iat = int(now.timestamp())
    claims = AccessToken(
        jti=f"{sign_in.grant_id}.{secrets.token_urlsafe(16)}" if sign_in else secrets.token_urlsafe(16),
        sub=subject,
        tenant_id=tenant_id,
        client_id=client_id,
        scope=scope,
        roles=roles,
        audience=audience or issuer,
        iat=iat,
        exp=min(iat + LIFETIME_SECONDS, not_after or iat + LIFETIME_SECONDS),
        binding=binding,
        act=act,
        **({name: getattr(sign_in, name) for name in _SIGN_IN} if sign_in else {}),
    )
    body: dict[str, Any] = {
        "iss": issuer,
        "sub": subject,
        "aud": claims.audience,
        "exp": claims.exp,
        "iat": iat,
        "jti": claims.jti,
        "client_id": client_id,
        "scope": " ".join(scope),
        "tenant_id": tenant_id,
        "roles": list(roles),
    }
    if binding is not None:
        body["cnf"] = dict(binding)
    if act is not None:
        body["act"] = dict(act)
    if sign_in is not None:
        body |= {"sid": sign_in.sid, "auth_time": sign_in.auth_time, "acr": sign_in.acr, "amr": list(sign_in.amr)}
    key = signing_keys.active()
    return jwt.encode(body, key.private_key, algorithm=ALGORITHM, headers={"typ": TYPE, "kid": key.kid}), claims


def verify_access_token(
    token: str,
    *,
    signing_keys: SigningKeys,
    issuer: str,
    clock: Clock,
    is_audience: Callable[[str, str], bool] | None = None,
) -> AccessToken:
    """
    Turn a presented token into its claims, if we issued it, it is valid now, and it is meant for this audience.

    The audience must be this API itself. With *is_audience* (tenant id, audience) it must instead be one for which that
    holds; a token for this API is then refused. *is_audience* is called only after the signature was verified.

    Nothing about *token* is verified yet. We choose the algorithm, not the token (RFC 8725 section 3.1), and the key comes
    from our key set, whatever else the header names. Whether subject, client and tenant are active is not asked here.

    Raises:
        InvalidToken: it is not; one error for every cause.
        Unavailable: the key set cannot be read.
    """
    unverified = parse_compact(token)
    header = unverified.header
    if header["alg"] != ALGORITHM or header["typ"] != TYPE or not isinstance(header["kid"], str):
        raise InvalidToken
    try:
        key = signing_keys.public(header["kid"])
        if key.algorithm != ALGORITHM:
            raise InvalidToken
    except Unauthenticated:
        raise InvalidToken from None
    verify_own_signature(unverified, key)
    claims = _checked(json_object(unverified.payload), issuer=issuer, now=clock().timestamp())
    meant = claims.audience == issuer if is_audience is None else is_audience(claims.tenant_id, claims.audience)
    if not meant:
        raise InvalidToken
    return claims


def _checked(claims: dict[str, Any], *, issuer: str, now: float) -> AccessToken:
    """RFC 9068 section 4: issuer and times; RFC 9068 section 2.2 and ours: what must be there."""
    texts = ("iss", "sub", "aud", "jti", "client_id", "scope", "tenant_id")
    times = (claims.get("iat"), claims.get("exp"), claims.get("nbf", claims.get("iat")))
    roles, amr, binding = claims.get("roles"), claims.get("amr", []), claims.get("cnf", {})
    signed_in = [claims[name] for name in _SIGN_IN if name in claims]
    if (
        not all(isinstance(claims.get(name), str) for name in texts)
        or not all(type(time) is int for time in times)
        or not (isinstance(roles, list) and all(isinstance(role, str) for role in roles))
        or not _is_binding(binding)
        or not isinstance(claims.get("act", {}), dict)
        or not (isinstance(amr, list) and all(isinstance(each, str) for each in amr))
        or not _sign_in_is_whole(signed_in)
        or claims["iss"] != issuer
        or not now < claims["exp"]
        or max(claims["iat"], times[2]) > now + SKEW_SECONDS
    ):
        raise InvalidToken
    return AccessToken(
        jti=claims["jti"],
        sub=claims["sub"],
        tenant_id=claims["tenant_id"],
        client_id=claims["client_id"],
        scope=tuple(claims["scope"].split()),
        roles=tuple(roles),
        audience=claims["aud"],
        iat=claims["iat"],
        exp=claims["exp"],
        binding=binding or None,
        act=claims.get("act"),
        sid=claims.get("sid"),
        auth_time=claims.get("auth_time"),
        acr=claims.get("acr"),
        amr=tuple(amr),
    )


def _is_binding(binding: Any) -> bool:
    """What a token may be bound to here; a confirmation that is not understood is none (RFC 7800 section 3.1)."""
    return isinstance(binding, dict) and binding.keys() <= _CONFIRMATIONS and all(map(_is_text, binding.values()))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _sign_in_is_whole(found: list[Any]) -> bool:
    """All of what tells of a sign-in, or nothing of it."""
    if not found:
        return True
    return len(found) == len(_SIGN_IN) and isinstance(found[0], str) and type(found[1]) is int and isinstance(found[2], str)
