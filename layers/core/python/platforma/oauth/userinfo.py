"""The userinfo endpoint (OpenID Connect Core section 5.3): what the granted scopes let a client know of a person."""

from collections.abc import Iterable

from platforma.identity.ports import Directory
from platforma.oauth.claims import claims_of
from platforma.oauth.errors import InsufficientScope, InvalidToken
from platforma.oauth.ports import Clients
from platforma.oauth.scope import openid_scopes_of


def userinfo(
    tenant_id: str,
    user_id: str | None,
    client_id: str | None,
    scope: Iterable[str],
    *,
    directory: Directory,
    clients: Clients,
) -> dict[str, str]:
    """
    `sub`, and the claims of the user that *scope* gives, of which the client may still have what it asks for.

    Raises:
        InsufficientScope: it was not given with `openid`, or to no person.
        InvalidToken: the person or the client is gone.
    """
    granted = frozenset(scope)
    if user_id is None or client_id is None or "openid" not in granted:
        raise InsufficientScope
    user, client = directory.user(tenant_id, user_id), clients.get(client_id)
    if user is None or client is None:
        raise InvalidToken
    return {"sub": user.id, **claims_of(user, scope=granted & openid_scopes_of(client))}
