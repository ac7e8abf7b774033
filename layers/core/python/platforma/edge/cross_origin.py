"""
Which pages of other sites may read an answer in a browser (Fetch standard, section 3.2, CORS).

Public documents may be read by any. What a client asks for by itself (tokens, their end, userinfo) may be read by pages of
the sites that its redirect URIs lead to, since that is where a client without a server runs. Which client asks is known once
its request is there: the question before it (preflight) is answered for anybody, and gives nothing away. Credentials mode is
never allowed: no such answer depends on a cookie. All else is read by our own site alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from platforma.edge.answer import Answer
from platforma.edge.call import Call
from platforma.edge.endpoints import ENDPOINTS
from platforma.kernel.errors import PlatformaError
from platforma.oauth.redirect_uri import leads_to

_ANYBODY = {"Access-Control-Allow-Origin": "*"}
_SENT = "Authorization, Content-Type, DPoP, *"
"""What a page may send along; `*` is any header but `Authorization`, and older browsers do not know it."""
_SEEN = "DPoP-Nonce, Retry-After, WWW-Authenticate, X-Request-Id"
"""Of the headers that answers have, those that a client reads."""
_KEPT_SECONDS = 600

RedirectURIs = Callable[[str], Iterable[str]]
"""The redirect URIs of an active client; none of any other."""


def preflight(call: Call) -> Answer:
    """What a browser asks before it sends a request of another site's page (Fetch standard, section 4.8)."""
    methods = [row.method for row in ENDPOINTS if row.path == call.endpoint.path and row.method != "OPTIONS"]
    allowed = {
        **_ANYBODY,
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Allow-Headers": _SENT,
        "Access-Control-Max-Age": str(_KEPT_SECONDS),
    }
    return Answer(204, headers=allowed)


def readable(answer: Answer, call: Call, redirect_uris: RedirectURIs) -> Answer:
    """*answer* with what lets a page of another site read it, if one may that asked."""
    if call.endpoint.readable_by == "any site":
        return replace(answer, headers={**answer.headers, **_ANYBODY})
    if call.endpoint.readable_by != "the client's sites":
        return answer
    headers = {**answer.headers, "Vary": "Origin"}
    origin = call.headers.get("origin")
    if origin is not None and call.client_id is not None and _may(origin, call.client_id, redirect_uris):
        headers |= {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _SEEN}
    return replace(answer, headers=headers)


def _may(origin: str, client_id: str, redirect_uris: RedirectURIs) -> bool:
    try:
        return any(leads_to(uri, origin) for uri in redirect_uris(client_id))
    except PlatformaError:  # who may read it cannot be told: nobody then
        return False
