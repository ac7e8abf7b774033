"""Where a browser may be sent after a sign-in: pages of ours, and redirect URIs that clients of the tenant registered."""

import re
from urllib.parse import parse_qs, urlsplit

from platforma.kernel.errors import Malformed
from platforma.oauth.ports import Clients

HOME = "/factors"
"""Where a sign-in ends that nobody asked for by name."""
AUTHORIZE = "/oauth2/authorize"
MAX_LENGTH = 1800
_MAX_CLIENTS = 1000
_PLAIN = re.compile(r"\A[!-~]+\Z")


class NoWayBack(Malformed):
    """`return_to` is neither a page of ours nor a registered redirect URI: a redirect to it could lead anywhere."""

    code = "return_to_refused"
    public = "This address to return to is not known here."


def parse_return_to(value: str | None, tenant_id: str, *, pages: frozenset[str], url: str, clients: Clients) -> str:
    """
    Where to go back to; without a *value* one's own page. *pages* are the paths of ours that may be named, *url* our own.

    Raises:
        NoWayBack: nothing that is known here.
    """
    if not value:
        return HOME
    if len(value) > MAX_LENGTH or not _PLAIN.match(value) or "\\" in value:
        raise NoWayBack
    own = value.removeprefix(url) if value.startswith(f"{url}/") else value
    if own.startswith("/") and not own.startswith("//"):
        parts = urlsplit(own)
        if parts.path in pages and not parts.netloc and not parts.fragment:
            return own
        raise NoWayBack
    after: str | None = None
    for _ in range(_MAX_CLIENTS // 100):
        page, after = clients.page(tenant_id, limit=100, after=after)
        if any(value in client.redirect_uris for client in page if client.status == "active"):
            return value
        if after is None:
            break
    raise NoWayBack


def interaction_of(return_to: str) -> str | None:
    """The id of the authorization request that *return_to* goes on with, if it is one."""
    parts = urlsplit(return_to)
    if parts.path != AUTHORIZE or parts.netloc:
        return None
    return next(iter(parse_qs(parts.query).get("flow", ())), None)
