"""The tokens of a grant: what a code and a refresh token are exchanged for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from platforma.identity.model import Principal
from platforma.identity.principals import read_principal
from platforma.oauth.access_token import SignIn, issue_access_token
from platforma.oauth.claims import claims_of
from platforma.oauth.errors import InvalidGrant, InvalidTarget
from platforma.oauth.grants.granting import Granting
from platforma.oauth.grants.model import Grant
from platforma.oauth.grants.refresh_token_format import new_refresh_token
from platforma.oauth.id_token import issue_id_token
from platforma.oauth.model import Client
from platforma.oauth.token_response import TokenResponse


def person_of(grant: Grant, by: Granting) -> Principal:
    """
    The person behind *grant*, who is active, and whose session and grant nobody ended.

    Raises:
        InvalidGrant: one of these is not so.
    """
    person = read_principal(grant.tenant_id, grant.user_id, directory=by.directory, groups=by.groups)
    ids = (grant.id, grant.session_id)
    if person is None or not person.active or by.revocations.any_of(grant.tenant_id, ids, user_id=grant.user_id):
        raise InvalidGrant
    return person


def mint(
    grant: Grant,
    *,
    client: Client,
    person: Principal,
    scope: tuple[str, ...],
    by: Granting,
    now: datetime,
    binding: Mapping[str, str] | None,
    nonce: str | None = None,
    refresh_token: str | None = None,
) -> TokenResponse:
    """
    An access token of *scope*, bound to the key that *binding* (`cnf`) names, and an ID token where `openid` is in it.

    Raises:
        InvalidGrant: the person is gone.
        Unavailable: there is no key to sign with, or the person's name cannot be read.
    """
    token, claims = issue_access_token(
        signing_keys=by.signing_keys,
        issuer=by.issuer,
        subject=grant.user_id,
        client_id=client.id,
        tenant_id=grant.tenant_id,
        scope=scope,
        roles=tuple(sorted(person.roles)),
        now=now,
        audience=grant.audience,
        binding=binding,
        sign_in=SignIn(grant.id, grant.session_id, int(grant.auth_time.timestamp()), grant.acr, grant.amr),
    )
    id_token = None
    if "openid" in scope:
        id_token = issue_id_token(
            grant,
            client=client,
            access_token=token,
            claims=_asked_claims(grant, scope, by),
            signing_keys=by.signing_keys,
            issuer=by.issuer,
            now=now,
            nonce=nonce,
        )
    return TokenResponse(token, claims, refresh_token, id_token)


def first_answer(
    grant: Grant, *, client: Client, by: Granting, now: datetime, nonce: str | None = None
) -> tuple[Grant, TokenResponse]:
    """
    What a new *grant* gives at first, with a refresh token where `offline_access` is in it; and the grant as it is then.

    Raises:
        InvalidGrant: the person, or the session, is good no more.
        Unavailable: there is no key to sign with, or the person's name cannot be read.
    """
    person, refresh_token = person_of(grant, by), None
    if "offline_access" in grant.scope:
        refresh_token, kept = new_refresh_token(grant.id, 1, secrets=by.secrets)
        grant = grant.refreshed(kept, None, now)
    answer = mint(
        grant,
        client=client,
        person=person,
        scope=grant.scope,
        by=by,
        now=now,
        binding=grant.binding,
        nonce=nonce,
        refresh_token=refresh_token,
    )
    return grant, answer


def require_target(form: Mapping[str, str], grant: Grant) -> None:
    """
    Require that a `resource` named again is the one that was granted (RFC 8707 section 2.2).

    Raises:
        InvalidTarget: it is another.
    """
    if form.get("resource", grant.audience) != grant.audience:
        raise InvalidTarget


def _asked_claims(grant: Grant, scope: tuple[str, ...], by: Granting) -> dict[str, Any]:
    """What the client asked to have in the ID token by name; the rest is what userinfo is for (Core section 5.4)."""
    names = grant.claims.get("id_token", {})
    if not names:
        return {}
    user = by.directory.user(grant.tenant_id, grant.user_id)
    if user is None:
        raise InvalidGrant
    return dict(claims_of(user, scope=scope, names=names))
