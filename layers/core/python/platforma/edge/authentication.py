"""
Who is calling: a presented credential becomes a `Caller`, or the request is refused.

The credential is an access token or an API key in `Authorization: Bearer`, a key-bound token in `Authorization: DPoP`, or
an API key in `X-API-Key`. If a request has none of these, the client certificate of its connection says which service
calls. All our functions and the authorizer use this module, so a credential means the same everywhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from platforma.apikeys.model import APIKey, Refusal
from platforma.apikeys.ports import Keys
from platforma.apikeys.rate_limit import Limiter, charge_key
from platforma.apikeys.verify import verify_key
from platforma.edge.client_certificate import verify_service_certificate
from platforma.edge.subjects import Subjects
from platforma.kernel.clock import Clock
from platforma.kernel.errors import Malformed, Unauthenticated
from platforma.kernel.events import Attempt, PrincipalType
from platforma.keys.ports import Secrets
from platforma.keys.signing import SigningKeys
from platforma.oauth.access_token import AccessToken, verify_access_token
from platforma.oauth.denied_certificates import presented_id
from platforma.oauth.errors import InvalidRequest, InvalidToken
from platforma.oauth.form import parse_form
from platforma.oauth.scope import OPENID_SCOPES
from platforma.policy.model import Subject

_KEY_PREFIXES = ("pk_live_", "pk_test_")


@dataclass(frozen=True, slots=True)
class Caller:
    """
    A proven caller. *subject* is what the decision engine sees; *expires_at* is when the credential ends, if it does.

    *signed_in* says that a person calls by their own sign-in, through the tenant's own client: then they may change what is
    theirs. *openid_scopes* are the token's scopes that are no action patterns: they permit nothing here, and let a client
    read who the person is.
    """

    tenant_id: str
    principal_type: PrincipalType
    principal_id: str
    user_id: str | None
    subject: Subject
    credential: Literal["token", "key", "certificate"]
    client_id: str | None = None
    token_id: str | None = None
    audience: str | None = None
    openid_scopes: tuple[str, ...] = ()
    signed_in: bool = False
    session_id: str | None = None
    key: APIKey | None = None
    expires_at: datetime | None = None

    @property
    def acting_id(self) -> str:
        """Whose things are the caller's own: a key's owner's, else the principal's."""
        return self.key.owner_id if self.key is not None else self.principal_id

    @property
    def scopes(self) -> tuple[str, ...]:
        """The action patterns that cap the caller."""
        return self.subject.scopes or ()


def presented_credential(headers: Mapping[str, str]) -> str:
    """
    The one credential that *headers* carry.

    Raises:
        Unauthenticated: none, or of a scheme not served here.
        Malformed: two that differ, or a header that was sent twice.
    """
    authorization, key = headers.get("authorization"), headers.get("x-api-key")
    if authorization is None and key is None:
        raise Unauthenticated
    if key is not None and "," in key:
        raise Malformed("X-API-Key was sent more than once.")
    if authorization is None:
        return (key or "").strip()
    if "," in authorization:
        raise Malformed("Authorization was sent more than once.")
    scheme, _, credential = authorization.strip().partition(" ")
    if scheme.lower() not in ("bearer", "dpop") or not credential:
        raise Unauthenticated
    if key is not None and key.strip() != credential.strip():
        raise Malformed("Authorization and X-API-Key name different credentials.")
    return credential.strip()


def with_token_of(headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
    """
    *headers* as if they carried the `access_token` of the form that *body* is (RFC 6750 section 2.2), where it is one.

    Raises:
        InvalidRequest: a form that is none, or the token is in both (section 2).
    """
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return headers
    if (token := parse_form(body).get("access_token")) is None:
        return headers
    if "authorization" in headers or "x-api-key" in headers:
        raise InvalidRequest("The token is shown in more than one way.")
    return {**headers, "authorization": f"Bearer {token}"}


def scheme_of(headers: Mapping[str, str]) -> str:
    """`dpop` or `bearer`: how the credential is shown that `presented_credential` found."""
    return "dpop" if headers.get("authorization", "").strip().lower().startswith("dpop ") else "bearer"


class Authenticator:
    """Proves credentials against the stores; keeps nothing but what its parts cache."""

    def __init__(
        self,
        *,
        issuer: str,
        signing_keys: SigningKeys,
        keys: Keys,
        limiter: Limiter,
        secrets: Secrets,
        subjects: Subjects,
        clock: Clock,
    ) -> None:
        self._issuer, self._signing_keys = issuer, signing_keys
        self._keys, self._limiter, self._secrets, self._subjects, self._clock = keys, limiter, secrets, subjects, clock

    def authenticate(
        self,
        headers: Mapping[str, str],
        attempt: Attempt,
        *,
        is_audience: Callable[[str, str], bool] | None = None,
        certificate: bytes | None = None,
        prove: Callable[[AccessToken, str, str], None],
    ) -> Caller:
        """
        The caller that the request's credential stands for, now; *attempt* has the address that it comes from.

        A token must be meant for this API, or, with *is_audience*, for one of which that holds (tenant id, audience).
        *certificate* is the client's, as the edge reports it; it counts only if there is no other credential. *prove*
        (token, its text, scheme) requires that the caller holds the key or certificate that the token is bound to.

        Raises:
            Unauthenticated: no credential, or one that is not good: one error for every cause.
            Malformed: contradictory headers.
            Unavailable: the keys or tables needed to tell are out of reach.
        """
        if certificate is not None and "authorization" not in headers and "x-api-key" not in headers:
            return self._by_certificate(certificate)
        credential = presented_credential(headers)
        scheme = scheme_of(headers)
        if credential.startswith(_KEY_PREFIXES):
            if scheme != "bearer":
                raise Unauthenticated
            return self._by_key(credential, attempt)
        return self._by_token(credential, is_audience, lambda token: prove(token, credential, scheme))

    def _by_key(self, presented: str, attempt: Attempt) -> Caller:
        subject: Subject | None = None

        def permits(key: APIKey) -> Refusal | None:
            nonlocal subject
            subject = self._subjects.of_key(key)
            return None if subject is not None and subject.active else "suspended"

        key = verify_key(
            presented,
            keys=self._keys,
            secrets=self._secrets,
            clock=self._clock,
            ip_address=attempt.ip_address,
            attempt=attempt,
            permits=permits,
        )
        assert subject is not None
        return Caller(
            tenant_id=key.tenant_id,
            principal_type="api_key",
            principal_id=key.id,
            user_id=key.owner_id if key.owner_type == "user" else None,
            subject=subject,
            credential="key",
            key=key,
            expires_at=key.expires_at,
        )

    def charge(self, caller: Caller) -> None:
        """
        Charge a request to the limits of the caller's key, of its owner and of its tenant, where there are any.

        Raises:
            RateLimited: one has no more in this window, and none was charged.
            Unavailable: it could not be counted.
        """
        if caller.key is not None:
            charge_key(caller.key, limiter=self._limiter, clock=self._clock)

    def _by_certificate(self, presented: bytes) -> Caller:
        name = verify_service_certificate(presented, clock=self._clock)
        subject = self._subjects.of_certificate(name, presented_id(presented))
        if subject is None or not subject.active:
            raise Unauthenticated
        return Caller(
            tenant_id=subject.tenant_id,
            principal_type="service",
            principal_id=subject.id,
            user_id=None,
            subject=subject,
            credential="certificate",
        )

    def _by_token(
        self,
        presented: str,
        is_audience: Callable[[str, str], bool] | None,
        prove: Callable[[AccessToken], None],
    ) -> Caller:
        def is_other(tenant_id: str, audience: str) -> bool:
            # An API that was registered under our own name would be shown the tokens that are for us.
            return audience != self._issuer and is_audience is not None and is_audience(tenant_id, audience)

        token = verify_access_token(
            presented,
            signing_keys=self._signing_keys,
            issuer=self._issuer,
            clock=self._clock,
            is_audience=is_other if is_audience is not None else None,
        )
        prove(token)
        subject = self._subjects.of_token(token)
        if subject is None or not subject.active:
            raise InvalidToken
        return Caller(
            tenant_id=token.tenant_id,
            principal_type="user" if subject.type == "user" else "oauth_client",
            principal_id=token.sub,
            user_id=token.sub if subject.type == "user" else None,
            subject=subject,
            credential="token",
            client_id=token.client_id,
            token_id=token.jti,
            audience=token.audience,
            session_id=token.sid,
            signed_in=token.sid is not None and token.act is None and subject.first_party,
            openid_scopes=tuple(scope for scope in token.scope if scope in OPENID_SCOPES),
            expires_at=datetime.fromtimestamp(token.exp, UTC),
        )
