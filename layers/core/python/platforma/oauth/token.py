"""The token endpoint (RFC 6749 section 3.2) behind client authentication: which grant, and may this client use it."""

from collections.abc import Collection, Mapping

from platforma.kernel.clock import Clock
from platforma.oauth.access_token import SigningKeys
from platforma.oauth.client_credentials import TokenResponse, issue_client_credentials
from platforma.oauth.errors import InvalidRequest, UnauthorizedClient, UnsupportedGrantType
from platforma.oauth.model import GRANT_TYPES, TOKEN_EXCHANGE, Client
from platforma.oauth.token_exchange import IsLive, exchange_token


def issue_token(
    form: Mapping[str, str],
    *,
    client: Client,
    signing_keys: SigningKeys,
    issuer: str,
    clock: Clock,
    is_live: IsLive,
    audiences: Collection[str] = (),
    binding: Mapping[str, str] | None = None,
) -> TokenResponse:
    """
    The answer to a token request of this authenticated *client*; *audiences* are those of its tenant's protected APIs.

    *binding* is the `cnf` of the key or certificate that the request proves to hold.

    Raises:
        InvalidRequest: no `grant_type`.
        UnsupportedGrantType: one that is not offered.
        UnauthorizedClient: one that the client is not registered for.
        OAuthError: what the grant itself refuses.
    """
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise InvalidRequest("grant_type is missing.")
    if grant_type not in GRANT_TYPES:
        raise UnsupportedGrantType
    if grant_type not in client.grant_types:
        raise UnauthorizedClient
    if grant_type == TOKEN_EXCHANGE:
        return exchange_token(
            form,
            client=client,
            signing_keys=signing_keys,
            issuer=issuer,
            clock=clock,
            audiences=audiences,
            is_live=is_live,
            binding=binding,
        )
    return issue_client_credentials(
        form,
        client=client,
        signing_keys=signing_keys,
        issuer=issuer,
        clock=clock,
        audiences=audiences,
        binding=binding,
    )
