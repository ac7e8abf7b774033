"""Tokens of directories; and what lists of SCIM's may be asked, which is read as RFC 7644 has it and not held to this."""

from pydantic import BaseModel, Field

from platforma.edge.schemas.common import Body, Timestamp, View

_MAX_SECONDS = 10 * 366 * 86400


class TokenCreate(Body):
    """A token; without `expires_in` (seconds) it is good until it is revoked."""

    expires_in: int | None = Field(None, ge=60, le=_MAX_SECONDS)


class TokenView(View):
    """A token, without its text."""

    id: str
    created_at: Timestamp
    expires_at: Timestamp | None
    last_used_at: Timestamp | None


class TokenCreated(View):
    """A new token; `token` is shown this once."""

    id: str
    token: str
    created_at: Timestamp
    expires_at: Timestamp | None


class TokenList(View):
    """The tokens of a connection: five at most."""

    items: list[TokenView]
    next_cursor: str | None


class ShownQuery(BaseModel):
    """What is shown of a resource (RFC 7644 section 3.9)."""

    attributes: str | None = None
    excludedAttributes: str | None = None  # noqa: N815  the RFC's


class ListQuery(ShownQuery):
    """Which resources, in which order (RFC 7644 section 3.4.2)."""

    filter: str | None = None
    sortBy: str | None = None  # noqa: N815  the RFC's
    sortOrder: str | None = None  # noqa: N815  the RFC's
    startIndex: str | None = None  # noqa: N815  the RFC's
    count: str | None = None
    cursor: str | None = None
