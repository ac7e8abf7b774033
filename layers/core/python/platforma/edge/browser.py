"""
What a browser holds for us, and what it sends back.

All cookies have the prefix `__Host-`, so that no other host can plant them, no script reads them, and they travel with
top-level navigation from other sites but with nothing else (RFC 6265bis section 5.6.7.1): the client's link has to find the
sign-in, its forms must not use it. Only the cookie of a sign-in under way at an identity provider comes with a POST from
another site, which is how SAML's answers come; it is good for nothing else, and for ten minutes.
"""

from collections.abc import Mapping

SESSION = "__Host-platforma"
"""The sign-in session's, `oauth.sessions`."""
BROWSER = "__Host-platforma-browser"
"""What binds interactions to the browser that began them, `oauth.authorization.interaction`."""

SETUP = "__Host-platforma-setup"
"""The session's that a setup link was exchanged for, `edge.pages.setup`."""


_FLOW = "__Host-platforma-sso-"


def flow_cookie(handle: str) -> str:
    """The name of the cookie of a sign-in that is under way at an identity provider, `sso.flow`."""
    return _FLOW + handle


def flow_kept(handle: str, value: str) -> str:
    """The `Set-Cookie` that has the browser hold a flow while it lasts."""
    return f"{flow_cookie(handle)}={value}; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=600"


def flow_forgotten(handle: str) -> str:
    """The `Set-Cookie` that has the browser hold the flow no longer."""
    return f"{flow_cookie(handle)}=; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=0"


def cookie(headers: Mapping[str, str], name: str) -> str | None:
    """The value of the cookie *name*; None where there is none, or where it was sent twice and says two things."""
    values = {
        value.strip('"')
        for pair in headers.get("cookie", "").replace(",", ";").split(";")
        for key, _, value in [pair.strip().partition("=")]
        if key == name
    }
    return values.pop() if len(values) == 1 else None


def kept(name: str, value: str) -> str:
    """The `Set-Cookie` that has the browser hold *value* until it is closed."""
    return f"{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax"


def kept_for(name: str, value: str, seconds: int) -> str:
    """The `Set-Cookie` that has the browser hold *value* so long."""
    return f"{kept(name, value)}; Max-Age={seconds}"


def forgotten(name: str) -> str:
    """The `Set-Cookie` that has the browser hold it no longer."""
    return f"{name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
