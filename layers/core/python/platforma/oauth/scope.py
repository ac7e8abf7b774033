"""Scopes: action patterns of the policy, and OpenID Connect's own. A scope only narrows."""

from collections.abc import Sequence

from platforma.oauth.errors import InvalidScope
from platforma.policy.actions import parse_pattern, within
from platforma.policy.catalogue import PLATFORM_DOMAIN

OPENID_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
"""They ask for a person's identity or presence, which no client has: client credentials never get them."""
MAX_SCOPE = 3072
"""Characters of a client's or token's scopes together, so that a token fits a header."""


def scope_fault(scope: str, *, platform: bool) -> str | None:
    """What is wrong with *scope* as one that a client is registered for; None if nothing."""
    if scope in OPENID_SCOPES:
        return None
    pattern = parse_pattern(scope)
    if pattern is None:
        return "Must be an action pattern or an OpenID Connect scope."
    if pattern.domain == PLATFORM_DOMAIN and not platform:
        return "The domain `platform` is for platform clients alone."
    return None


def granted_scope(requested: str | None, registered: Sequence[str]) -> tuple[str, ...]:
    """
    The scope of a client's own token: what was *requested*, or all that it is *registered* for (RFC 6749 section 3.3).

    A pattern is within the registered ones if they cover all that it ever could.

    Raises:
        InvalidScope: malformed, not within, or there is none to give.
    """
    held = [scope for scope in registered if scope not in OPENID_SCOPES]
    if requested is None:
        if not held:
            raise InvalidScope("The client is registered for no scope that it could get by itself.")
        return tuple(held)
    if len(requested) > MAX_SCOPE:
        raise InvalidScope
    asked = tuple(dict.fromkeys(requested.split(" ")))
    if not within(asked, held):
        raise InvalidScope
    return asked
