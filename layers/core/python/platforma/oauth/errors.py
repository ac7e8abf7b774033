"""
What the OAuth endpoints refuse with.

The codes are RFC 6749 section 5.2's and RFC 8707 section 2's, and `invalid_token` is RFC 6750 section 3.1's. A detail is
sent as `error_description`: printable ASCII without quotes and backslashes (RFC 6749 section 5.2), and it echoes no input.
"""

from typing import TYPE_CHECKING, ClassVar

from platforma.kernel.errors import Forbidden, Invalid, Malformed, PlatformaError, Unauthenticated
from platforma.oauth.sessions.model import ACR_MULTI

if TYPE_CHECKING:
    from platforma.oauth.model import Client


class OAuthError(PlatformaError):
    """An error that travels as `{"error", "error_description"}` with *status*."""

    status: ClassVar[int] = 400


class InvalidRequest(OAuthError, Malformed):
    """A parameter is missing, repeated or malformed, or two ways of authentication are used at once."""

    code = "invalid_request"
    public = "The request is malformed."


class InvalidClient(OAuthError, Unauthenticated):
    """
    The client is not who it says it is; unknown, wrong and dead credentials are one error.

    *client* is set where the secret was a genuine one of ours that is good no more: that belongs in its tenant's log.
    """

    code = "invalid_client"
    public = "Client authentication failed."
    status = 401
    challenge = 'Basic realm="platforma", charset="UTF-8"'

    def __init__(self, detail: str | None = None, *, client: "Client | None" = None) -> None:
        super().__init__(detail)
        self.client = client


class InvalidDPoPProof(OAuthError, Unauthenticated):
    """No proof of possession of the key, or one that is not for this request (RFC 9449 sections 5 and 7.1)."""

    code = "invalid_dpop_proof"
    public = "The DPoP proof is missing or not valid for this request."

    @property
    def challenge(self) -> str:
        """What a protected resource answers it with."""
        return f'DPoP realm="platforma", error="{self.code}", algs="ES256 EdDSA PS256 RS256"'


class UseDPoPNonce(InvalidDPoPProof):
    """The proof needs the *nonce* of this server (RFC 9449 sections 8 and 9)."""

    code = "use_dpop_nonce"
    public = "The DPoP proof must carry the nonce in the header DPoP-Nonce."

    def __init__(self, nonce: str) -> None:
        super().__init__()
        self.nonce = nonce


class InvalidRedirectURI(OAuthError, Invalid):
    """A redirect URI that may not be registered (RFC 7591 section 3.2.2)."""

    code = "invalid_redirect_uri"
    public = "A redirect URI is not one that may be registered."


class InvalidClientMetadata(OAuthError, Invalid):
    """Another member of a registration is at fault (RFC 7591 section 3.2.2)."""

    code = "invalid_client_metadata"
    public = "The client metadata is not valid."


class UnauthorizedClient(OAuthError, Invalid):
    """The client is not registered for this grant."""

    code = "unauthorized_client"
    public = "The client is not registered for this grant type."


class UnsupportedGrantType(OAuthError, Invalid):
    """A grant that this server does not offer."""

    code = "unsupported_grant_type"
    public = "This grant type is not offered."


class InvalidGrant(OAuthError, Invalid):
    """
    What is shown to be exchanged (code, refresh token, token) is not good, or not for this client.

    Unknown, spent, expired, ended or another client's: one error for all of them.
    """

    code = "invalid_grant"
    public = "What was presented is not valid, or not for this client."


class AuthorizationPending(OAuthError, Invalid):
    """The person has not decided on what their device asks (RFC 8628 section 3.5)."""

    code = "authorization_pending"
    public = "The person has not decided yet. Ask again."


class SlowDown(OAuthError, Invalid):
    """As `AuthorizationPending`, asked too soon: the device has to wait 5 seconds longer from then on."""

    code = "slow_down"
    public = "Ask less often: wait five seconds longer between requests."


class ExpiredToken(OAuthError, Invalid):
    """A device code that nobody decided on in time."""

    code = "expired_token"
    public = "The device code has expired. Begin again."


class InvalidScope(OAuthError, Invalid):
    """A scope that is malformed, or more than the client is registered for."""

    code = "invalid_scope"
    public = "The scope is malformed or exceeds what the client is registered for."


class InvalidTarget(OAuthError, Invalid):
    """A `resource` for which no tokens are issued here."""

    code = "invalid_target"
    public = "No tokens are issued for this resource."


class InvalidToken(Unauthenticated):
    """An access token that is not one of ours, for us, now; which of these is not said."""

    code = "invalid_token"
    public = "The access token is not valid."
    challenge = 'Bearer realm="platforma", error="invalid_token"'


class InsufficientUserAuthentication(Forbidden):
    """
    The person may do this once they have shown a second factor (RFC 9470 section 3).

    They are known, so that it is told of as a denial; a client takes the challenge back to the authorization endpoint.
    """

    code = "insufficient_user_authentication"
    public = "Sign in with a second factor to do this."
    challenge = f'Bearer realm="platforma", error="{code}", acr_values="{ACR_MULTI}"'


class Unfetched(Invalid):
    """A document at an address of a client's choosing could not be had; why is for our own log alone."""

    code = "unfetched"
    public = "A document that the client names could not be read."


class InsufficientScope(OAuthError, Forbidden):
    """An access token that is good, and not for this (RFC 6750 section 3.1)."""

    code = "insufficient_scope"
    public = "The access token was not given for this."
    status = 403
    challenge = 'Bearer realm="platforma", error="insufficient_scope", scope="openid"'
