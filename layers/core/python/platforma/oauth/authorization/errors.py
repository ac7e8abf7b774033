"""
What an authorization request is refused with (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6).

An error may travel to the redirect URI only once that URI is known to be the client's: until then it is shown where the
person is, and leads nowhere (RFC 9700 section 4.11).
"""

from typing import ClassVar

from platforma.kernel.errors import Invalid
from platforma.oauth.errors import InvalidRequest, OAuthError


class UntrustedRequest(InvalidRequest):
    """Client or redirect URI are not known to be ours and the client's: it must not travel."""

    public = "This link is not a good one: the application that sent you here is not known by it."
    travels: ClassVar[bool] = False


class AuthorizationError(OAuthError, Invalid):
    """An error that may travel."""


class UnsupportedResponseType(AuthorizationError):
    """Another response type than `code`."""

    code = "unsupported_response_type"
    public = "The response type is not offered: use code."


class AccessDenied(AuthorizationError):
    """The person said no."""

    code = "access_denied"
    public = "The request was declined."


class LoginRequired(AuthorizationError):
    """`prompt=none`, and nobody is signed in that it could be answered for."""

    code = "login_required"
    public = "The person has to sign in."


class ConsentRequired(AuthorizationError):
    """`prompt=none`, and the person was not asked yet."""

    code = "consent_required"
    public = "The person has to be asked."


class UnmetAuthenticationRequirements(AuthorizationError):
    """The person could not authenticate as was asked (OpenID Connect Unmet Authentication Requirements 1.0)."""

    code = "unmet_authentication_requirements"
    public = "The person did not authenticate as was asked for."


class RegistrationNotSupported(AuthorizationError):
    """A client's own description in the request (OpenID Connect Core section 7.2.1)."""

    code = "registration_not_supported"
    public = "Clients are not registered like this."


class InvalidRequestURI(OAuthError, Invalid):
    """A `request_uri` that is unknown, over, or another client's; it does not travel, since nothing of it is known."""

    code = "invalid_request_uri"
    public = "The request_uri is unknown, over or expired."


class InvalidRequestObject(OAuthError, Invalid):
    """A request object that its client did not sign for us, now; nothing in it is believed, so it does not travel."""

    code = "invalid_request_object"
    public = "The request object is not one that the client signed for this server."
