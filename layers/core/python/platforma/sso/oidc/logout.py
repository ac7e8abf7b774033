"""
Sign-out at an OpenID provider, both ways: the browser is sent there (OpenID Connect RP-Initiated Logout 1.0), and the
provider tells us that a session of its own has ended (OpenID Connect Back-Channel Logout 1.0).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from platforma.kernel.clock import Clock
from platforma.kernel.errors import AlreadyUsed
from platforma.oauth.client_keys import ClientKeys
from platforma.oauth.ports import SingleUse
from platforma.sso.errors import AnswerRejected
from platforma.sso.model import Connection, ProviderSession
from platforma.sso.oidc.id_token import OLDEST, SKEW, require_for_us, require_timely, signed_by_provider
from platforma.sso.oidc.provider import Providers

EVENT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST_HINT = 6000
"""A longer ID token does not fit into an address that every server takes, and is not shown again."""
_KIND = "logout token"
_TYPES = ("logout+jwt", "application/logout+jwt", "jwt")
_LONGEST_ID = 255


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """What a verified logout token says: whose session ended there, and which (None: all of them)."""

    subject: str
    index: str | None


def ask_openid_logout(ended: ProviderSession, connection: Connection, *, url: str) -> str | None:
    """Where the browser goes to end the provider's session too; it comes back to `/sso/{id}/slo`. None: nowhere."""
    assert connection.oidc is not None
    if ended.logout_url is None:
        return None
    parameters = {
        "client_id": connection.oidc.client_id,
        "post_logout_redirect_uri": f"{url}/sso/{connection.id}/slo",
        **({"id_token_hint": ended.hint} if ended.hint is not None else {}),
    }
    return f"{ended.logout_url}{'&' if '?' in ended.logout_url else '?'}{urlencode(parameters, quote_via=quote)}"


def believe_logout_token(
    connection: Connection,
    token: str,
    *,
    providers: Providers,
    client_keys: ClientKeys,
    single_use: SingleUse,
    clock: Clock,
) -> SessionEnded:
    """
    What a logout token says (section 2.6). Nothing about it is verified yet. It is used up by this.

    Raises:
        AnswerRejected: it is not the provider's, not for us, no logout token, old, was shown before, or names nobody: a
            token of a `sid` alone is not taken.
    """
    assert connection.oidc is not None
    provider = providers.of(connection.oidc.issuer)
    key_of = partial(client_keys.key_at, connection.id, provider.jwks_uri)
    header, claims = signed_by_provider(token, _KIND, key_of=key_of)
    if str(header.get("typ", "JWT")).lower() not in _TYPES:
        raise AnswerRejected("It is a token of another type.")
    require_for_us(claims, _KIND, issuer=provider.issuer, client_id=connection.oidc.client_id)
    require_timely(claims, _KIND, clock())
    events = claims.get("events")
    if not isinstance(events, Mapping) or not isinstance(events.get(EVENT), Mapping) or "nonce" in claims:
        raise AnswerRejected("It is no logout token.")
    subject, index, identifier = (_text(claims, name) for name in ("sub", "sid", "jti"))
    if subject is None or identifier is None:
        raise AnswerRejected("The logout token names nobody, or has no id.")
    until = datetime.fromtimestamp(claims["iat"], UTC) + OLDEST + 2 * SKEW
    try:
        single_use.spend(f"oidc logout {connection.id} {identifier}", until=until)
    except AlreadyUsed:
        raise AnswerRejected("The logout token was used before.") from None
    return SessionEnded(subject, index)


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_ID:
        raise AnswerRejected(f"The logout token's {name} is none.")
    return value
