"""Scopes: action patterns of the policy, and OpenID Connect's own. A scope only narrows."""

from collections.abc import Sequence

from platforma.oauth.errors import InvalidScope
from platforma.oauth.model import Client
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


def openid_scopes_of(client: Client) -> frozenset[str]:
    """
    The OpenID Connect scopes that *client* may ask a person for: those that it is registered for, all where that is `*`.

    `openid` needs no registration: it tells the client who signed in, which is what it sent them here for.
    """
    return OPENID_SCOPES if "*" in client.scopes else OPENID_SCOPES.intersection(client.scopes) | {"openid"}


def authorized_scope(requested: str | None, client: Client) -> tuple[str, ...]:
    """
    What a person is asked to allow *client*: what was *requested*, or all action patterns that it is registered for.

    Of OpenID Connect's scopes those that it may not ask for are ignored (Core section 11 for `offline_access`, which without
    the refresh token grant would be for nothing); a pattern that it is not registered for is an error.

    Raises:
        InvalidScope: malformed, not within, or there is none to give.
    """
    held = [scope for scope in client.scopes if scope not in OPENID_SCOPES]
    asked = tuple(dict.fromkeys((requested or " ".join(held)).split()))
    patterns = [scope for scope in asked if scope not in OPENID_SCOPES]
    if not asked or not within(patterns, held):
        raise InvalidScope
    offered = set(openid_scopes_of(client))
    if "refresh_token" not in client.grant_types:
        offered.discard("offline_access")
    granted = tuple(scope for scope in asked if scope in offered or scope not in OPENID_SCOPES)
    if not granted:
        raise InvalidScope
    return granted


def narrowed_scope(requested: str | None, granted: Sequence[str]) -> tuple[str, ...]:
    """
    What of *granted* an access token shall have: what was *requested* of it, or all (RFC 6749 section 6).

    Raises:
        InvalidScope: more than was granted.
    """
    if requested is None:
        return tuple(granted)
    asked = tuple(dict.fromkeys(requested.split()))
    patterns = [scope for scope in asked if scope not in OPENID_SCOPES]
    if (
        not asked
        or len(requested) > MAX_SCOPE
        or not {*asked} - {*patterns} <= set(granted)
        or not within(patterns, granted)
    ):
        raise InvalidScope
    return asked
