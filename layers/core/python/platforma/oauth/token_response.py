"""A successful answer of the token endpoint (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3)."""

from dataclasses import dataclass, field

from platforma.oauth.access_token import AccessToken


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """It is not to be cached, and its tokens not to be logged."""

    access_token: str = field(repr=False)
    claims: AccessToken
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)

    @property
    def jti(self) -> str:
        """The id of the access token."""
        return self.claims.jti

    def as_json(self) -> dict[str, object]:
        """The body of the answer."""
        body: dict[str, object] = {
            "access_token": self.access_token,
            "token_type": self.claims.token_type,
            "expires_in": self.claims.exp - self.claims.iat,
            "scope": " ".join(self.claims.scope),
        }
        further = {"refresh_token": self.refresh_token, "id_token": self.id_token}
        return body | {name: token for name, token in further.items() if token is not None}
