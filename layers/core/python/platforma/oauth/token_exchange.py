"""
Token exchange (RFC 8693): a client that was shown a token gets one to go on with, for less and never for more.

What is given lies within the token that is shown and within what the client is registered for, ends no later, stays in its
tenant, and says who acts for whom (`act`): there is no impersonation that could not be told from the person.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from platforma.kernel.clock import Clock
from platforma.oauth.access_token import AccessToken, SigningKeys, issue_access_token, verify_access_token
from platforma.oauth.errors import InvalidGrant, InvalidRequest, InvalidScope, InvalidTarget, InvalidToken
from platforma.oauth.model import Client
from platforma.oauth.scope import MAX_SCOPE, OPENID_SCOPES
from platforma.oauth.token_response import TokenResponse
from platforma.policy.actions import within

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  a type's name
MAX_ACTORS = 4
"""How long a chain of delegation may grow, so that a token fits a header."""
IsLive = Callable[[AccessToken], bool]


@dataclass(frozen=True, slots=True)
class ExchangeResponse(TokenResponse):
    """A successful answer (RFC 8693 section 2.2.1)."""

    def as_json(self) -> dict[str, object]:
        """The body of the answer."""
        return {**TokenResponse.as_json(self), "issued_token_type": ACCESS_TOKEN}


def exchange_token(
    form: Mapping[str, str],
    *,
    client: Client,
    signing_keys: SigningKeys,
    issuer: str,
    clock: Clock,
    audiences: Collection[str],
    is_live: IsLive,
    binding: Mapping[str, str] | None = None,
) -> TokenResponse:
    """
    An access token for the subject of `subject_token`, for the authenticated *client* to act with.

    Without `scope` it has what both the subject token and the client have. *audiences* are those of the tenant's protected
    APIs, *is_live* tells whether a token's subject and client are active and nothing of it was revoked.

    Raises:
        InvalidRequest: tokens are missing, of another type, or asked for as another type.
        InvalidGrant: a token is not good, of another tenant, or bound to a key that this request does not prove.
        InvalidScope: more than the token or the client has, or nothing is left.
        InvalidTarget: a `resource` or `audience` for which no tokens are issued.
    """
    if form.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        raise InvalidRequest("Only access tokens are issued here.")

    def shown(name: str) -> AccessToken:
        if name not in form or form.get(f"{name}_type") != ACCESS_TOKEN:
            raise InvalidRequest(f"{name} must be an access token, and {name}_type say so.")
        try:
            token = verify_access_token(
                form[name],
                signing_keys=signing_keys,
                issuer=issuer,
                clock=clock,
                is_audience=lambda tenant_id, audience: (
                    tenant_id == client.tenant_id and (audience == issuer or audience in audiences)
                ),
            )
        except InvalidToken:
            raise InvalidGrant from None
        if token.tenant_id != client.tenant_id or not is_live(token) or token.binding not in (None, binding):
            raise InvalidGrant
        return token

    subject = shown("subject_token")
    if "actor_token" not in form and "actor_token_type" in form:
        raise InvalidRequest("actor_token_type is for an actor_token.")
    actor = shown("actor_token").sub if "actor_token" in form else client.id
    text, claims = issue_access_token(
        signing_keys=signing_keys,
        issuer=issuer,
        subject=subject.sub,
        client_id=client.id,
        tenant_id=client.tenant_id,
        scope=_scope(form.get("scope"), subject, client),
        roles=subject.roles,
        now=clock(),
        audience=_audience(form, subject, issuer, audiences),
        binding=binding,
        act=_acting(actor, subject),
        sign_in=subject.sign_in,
        not_after=subject.exp,
    )
    return ExchangeResponse(text, claims)


def _scope(requested: str | None, subject: AccessToken, client: Client) -> tuple[str, ...]:
    held = [scope for scope in subject.scope if scope not in OPENID_SCOPES and within([scope], client.scopes)]
    # What the client has and the token covers, for a token that is wider than the client.
    held += [scope for scope in client.scopes if scope not in (*OPENID_SCOPES, *held) and within([scope], subject.scope)]
    if requested is None:
        asked = tuple(held)
    else:
        asked = tuple(dict.fromkeys(requested.split(" "))) if len(requested) <= MAX_SCOPE else ()
    if not asked or not within(asked, held):
        raise InvalidScope
    return asked


def _audience(form: Mapping[str, str], subject: AccessToken, issuer: str, audiences: Collection[str]) -> str:
    named = {form[name] for name in ("resource", "audience") if name in form} or {subject.audience}
    (audience, *more) = named
    if more or (audience != issuer and audience not in audiences):
        raise InvalidTarget
    return audience


def _acting(actor: str, subject: AccessToken) -> Mapping[str, Any] | None:
    """Who acts, outermost the one who acts now (RFC 8693 section 4.1); nobody for one's own token."""
    if actor == subject.sub:
        return subject.act
    acting: dict[str, Any] = {"sub": actor}
    if subject.act is not None:
        acting["act"] = subject.act
    depth, inner = 1, acting
    while isinstance(inner.get("act"), dict):
        depth, inner = depth + 1, inner["act"]
    if depth > MAX_ACTORS:
        raise InvalidGrant("The chain of delegation is too long.")
    return acting
