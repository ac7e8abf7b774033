"""
Token revocation (RFC 7009): a client gives back what it holds.

A refresh token takes its family and all access tokens of its grant along (section 2.1). An access token ends alone. What is
not the client's, or no token at all, is answered in the same way, and nothing is done.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from platforma.kernel.events import Attempt
from platforma.oauth.errors import InvalidRequest
from platforma.oauth.grants.granting import Granting
from platforma.oauth.grants.refresh_token_format import genuine_refresh_token
from platforma.oauth.introspection import verified
from platforma.oauth.model import Client


def revoke_token(form: Mapping[str, str], *, client: Client, attempt: Attempt, by: Granting) -> None:
    """
    End the token in *form*, if it is the authenticated *client*'s.

    Raises:
        InvalidRequest: there is no token.
    """
    token = form.get("token")
    if token is None:
        raise InvalidRequest("token is missing.")
    if (shown := genuine_refresh_token(token, secrets=by.secrets)) is not None:
        grant = by.grants.get(shown.grant_id)
        if grant is not None and grant.client_id == client.id and grant.ended_at is None:
            attempt.user_id = grant.user_id
            event = attempt.event("success", resource=grant.id, resource_type="grant")
            by.grants.end(grant, by.clock(), event)
        return
    claims = verified(token, by)
    if claims is not None and claims.client_id == client.id and claims.tenant_id == client.tenant_id:
        event = attempt.event("success", resource=claims.jti, resource_type="access_token")
        by.revocations.revoke(claims.tenant_id, claims.jti, datetime.fromtimestamp(claims.exp, UTC), event)
