"""
Token introspection (RFC 7662): whether a token is good, told to those of its tenant whom it concerns, and to nobody else.

That is, of a refresh token, the client that holds it; of an access token, any confidential client of its tenant, as the
resource server that it was shown to. Whatever else is asked, or goes wrong, the answer is that it is not active
(section 2.2).
"""

from collections.abc import Mapping
from typing import Any

from platforma.kernel.errors import Unauthenticated
from platforma.oauth.access_token import AccessToken, verify_access_token
from platforma.oauth.errors import InvalidRequest
from platforma.oauth.grants.granting import Granting
from platforma.oauth.grants.model import Grant
from platforma.oauth.grants.refresh_token_format import genuine_refresh_token
from platforma.oauth.model import Client
from platforma.oauth.token_exchange import IsLive

INACTIVE: Mapping[str, Any] = {"active": False}


def introspect(form: Mapping[str, str], *, client: Client, by: Granting, is_live: IsLive) -> Mapping[str, Any]:
    """
    What the token in *form* is, to the authenticated *client*.

    *is_live* tells whether a token's subject and client are active and nothing of it was revoked.

    Raises:
        InvalidRequest: there is no token.
    """
    token = form.get("token")
    if token is None:
        raise InvalidRequest("token is missing.")
    if client.type != "confidential":
        return INACTIVE
    family = _live_family(token, by)
    if family is not None:
        return _family(family) if family.client_id == client.id else INACTIVE
    claims = verified(token, by)
    if claims is None or claims.tenant_id != client.tenant_id or not is_live(claims):
        return INACTIVE
    return _access_token(claims, by.issuer)


def verified(token: str, by: Granting) -> AccessToken | None:
    """What an access token of ours says, for whatever API it is meant; None for anything else."""
    try:
        return verify_access_token(
            token,
            signing_keys=by.signing_keys,
            issuer=by.issuer,
            clock=by.clock,
            is_audience=lambda _tenant, _audience: True,
        )
    except Unauthenticated:
        return None


def _live_family(token: str, by: Granting) -> Grant | None:
    """The grant whose current refresh token *token* is, if it could be used now."""
    shown = genuine_refresh_token(token, secrets=by.secrets)
    grant = by.grants.get(shown.grant_id) if shown else None
    if shown is None or grant is None or grant.token_hash != shown.hash or not grant.refreshable(by.clock()):
        return None
    revoked = by.revocations.any_of(grant.tenant_id, (grant.id, grant.session_id), user_id=grant.user_id)
    return None if revoked else grant


def _family(grant: Grant) -> dict[str, Any]:
    return {
        "active": True,
        "scope": " ".join(grant.scope),
        "client_id": grant.client_id,
        "sub": grant.user_id,
        "aud": grant.audience,
        "iat": int((grant.used_at or grant.created_at).timestamp()),
        "exp": int(grant.refreshable_until.timestamp()),
        "token_type": "refresh_token",
    }


def _access_token(claims: AccessToken, issuer: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "active": True,
        "iss": issuer,
        "sub": claims.sub,
        "aud": claims.audience,
        "client_id": claims.client_id,
        "tenant_id": claims.tenant_id,
        "scope": " ".join(claims.scope),
        "roles": list(claims.roles),
        "iat": claims.iat,
        "exp": claims.exp,
        "jti": claims.jti,
        "token_type": claims.token_type,
    }
    if claims.sid is not None:
        told |= {"sid": claims.sid, "auth_time": claims.auth_time, "acr": claims.acr, "amr": list(claims.amr)}
    return told | {name: dict(held) for name, held in (("cnf", claims.binding), ("act", claims.act)) if held is not None}
