"""The token endpoint (RFC 6749 section 3.2) behind client authentication: which grant, and may this client use it."""

from collections.abc import Collection, Mapping

from platforma.kernel.events import Attempt
from platforma.oauth.authorization_code import redeem_code
from platforma.oauth.client_credentials import issue_client_credentials
from platforma.oauth.device_code import redeem_device_code
from platforma.oauth.errors import InvalidRequest, UnauthorizedClient, UnsupportedGrantType
from platforma.oauth.grants.granting import Granting
from platforma.oauth.model import DEVICE_CODE, GRANT_TYPES, TOKEN_EXCHANGE, Client
from platforma.oauth.refresh_token import ReplayedResponse, refresh
from platforma.oauth.token_exchange import IsLive, exchange_token
from platforma.oauth.token_response import TokenResponse


def issue_token(
    form: Mapping[str, str],
    *,
    client: Client,
    attempt: Attempt,
    by: Granting,
    is_live: IsLive,
    audiences: Collection[str] = (),
    binding: Mapping[str, str] | None = None,
) -> TokenResponse | ReplayedResponse:
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
    if grant_type == "authorization_code":
        return redeem_code(form, client=client, attempt=attempt, by=by, binding=binding)
    if grant_type == "refresh_token":
        return refresh(form, client=client, attempt=attempt, by=by, binding=binding)
    if grant_type == DEVICE_CODE:
        return redeem_device_code(form, client=client, attempt=attempt, by=by, binding=binding)
    if grant_type == TOKEN_EXCHANGE:
        return exchange_token(
            form,
            client=client,
            signing_keys=by.signing_keys,
            issuer=by.issuer,
            clock=by.clock,
            audiences=audiences,
            is_live=is_live,
            binding=binding,
        )
    return issue_client_credentials(
        form,
        client=client,
        signing_keys=by.signing_keys,
        issuer=by.issuer,
        clock=by.clock,
        audiences=audiences,
        binding=binding,
    )
