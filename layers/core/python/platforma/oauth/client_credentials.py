"""The client credentials grant (RFC 6749 section 4.4): a client acts for itself, with the roles it was given."""

from collections.abc import Collection, Mapping

from platforma.kernel.clock import Clock
from platforma.oauth.access_token import SigningKeys, issue_access_token
from platforma.oauth.errors import InvalidTarget
from platforma.oauth.model import Client
from platforma.oauth.scope import granted_scope
from platforma.oauth.token_response import TokenResponse


def issue_client_credentials(
    form: Mapping[str, str],
    *,
    client: Client,
    signing_keys: SigningKeys,
    issuer: str,
    clock: Clock,
    audiences: Collection[str] = (),
    binding: Mapping[str, str] | None = None,
) -> TokenResponse:
    """
    An access token for the authenticated *client* itself; without `scope`, with all of its scopes. No refresh token.

    It is meant for the `resource` asked for, one of the *audiences* of the client's tenant, else for this API itself.

    Raises:
        InvalidScope: malformed, or more than the client is registered for.
        InvalidTarget: a `resource` that is neither (RFC 8707 section 2).
    """
    audience = form.get("resource", issuer)
    if audience != issuer and audience not in audiences:
        raise InvalidTarget
    token, claims = issue_access_token(
        signing_keys=signing_keys,
        issuer=issuer,
        subject=client.id,
        client_id=client.id,
        tenant_id=client.tenant_id,
        scope=granted_scope(form.get("scope"), client.scopes),
        roles=client.roles,
        now=clock(),
        audience=audience,
        binding=binding,
    )
    return TokenResponse(token, claims)
