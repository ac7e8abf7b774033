"""What an authorization request comes to: a redirect back to the client, or a page that the person has to see first."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from platforma.oauth.authorization.checks import Recipient
from platforma.oauth.authorization.model import AuthorizationRequest
from platforma.oauth.errors import OAuthError

Where = Literal["login", "consent"]


@dataclass(frozen=True, slots=True)
class Redirect:
    """Back to the client at *uri*, with *parameters* in the way of *mode*."""

    uri: str
    mode: str
    parameters: dict[str, str]

    @property
    def location(self) -> str:
        """Where a browser is sent (RFC 6749 section 4.1.2; OAuth 2.0 Multiple Response Types section 2.1)."""
        text = urlencode(self.parameters)
        if self.mode == "fragment":
            return f"{self.uri}#{text}"
        return f"{self.uri}{'&' if '?' in self.uri else '?'}{text}"


@dataclass(frozen=True, slots=True)
class Page:
    """The person has to see *page* in the interaction *flow*; *browser* is what their browser shall hold from now on."""

    page: Where
    flow: str
    browser: str


def granted(request: AuthorizationRequest, code: str, *, issuer: str) -> Redirect:
    """Back with a code, its `state`, and who we are (RFC 9207 section 2)."""
    return _back(request.redirect_uri, request.response_mode, {"code": code}, request.state, issuer)


def refused(asked: AuthorizationRequest | Recipient, error: OAuthError, *, issuer: str) -> Redirect:
    """Back with an error that may travel."""
    parameters = {"error": error.code, "error_description": error.detail}
    return _back(asked.redirect_uri, asked.response_mode, parameters, asked.state, issuer)


def _back(uri: str, mode: str, parameters: dict[str, str], state: str | None, issuer: str) -> Redirect:
    stated = {"state": state} if state is not None else {}
    return Redirect(uri, mode, {**parameters, **stated, "iss": issuer})
