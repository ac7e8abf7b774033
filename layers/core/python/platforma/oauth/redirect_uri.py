"""Redirect URIs as they may be registered."""

import re
from urllib.parse import urlsplit

MAX_LENGTH = 2048
_CHARACTERS = re.compile(r"\A[A-Za-z0-9:/?#\[\]@!$&'()*+,;=%._~-]+\Z")  # RFC 3986 section 2
_PRIVATE_USE = re.compile(r"\A[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+\Z")
_LOOPBACK_PORT = re.compile(r"\A(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?(?=[/?]|\Z)", re.ASCII)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def fault_of(uri: str, *, public: bool) -> str | None:
    """
    What is wrong with *uri* as a client's redirect URI; None if nothing.

    Source: RFC 6749 section 3.1.2 (absolute, no fragment); RFC 9700 section 2.6 (TLS); RFC 8252 sections 7.1 and 7.3
    (private-use schemes, which contain a dot, and http on the loopback interface for applications on one's own machine).
    """
    if len(uri) > MAX_LENGTH or not _CHARACTERS.match(uri):
        return f"Must be a URI of at most {MAX_LENGTH} characters."
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "Must be a URI."
    if "#" in uri or "@" in parts.netloc:
        return "Must have no fragment and no user information."
    good = {
        "https": bool(host),
        "http": host in _LOOPBACK,
    }.get(parts.scheme, public and bool(_PRIVATE_USE.match(parts.scheme)))
    if not good:
        return "Must be https, or http on the loopback interface, or (public clients) of a scheme such as com.example.app."
    return None


def matches(registered: str, asked: str) -> bool:
    """
    Whether *asked* is the *registered* redirect URI, character by character (RFC 9700 section 2.1).

    The one exemption: the port of http at a loopback address (RFC 8252 section 7.3), which an application on one's own
    machine does not know beforehand. `localhost` is a name, and no such address (RFC 8252 section 8.3).
    """
    if asked == registered:
        return True
    mine, theirs = _LOOPBACK_PORT.match(registered), _LOOPBACK_PORT.match(asked)
    if mine is None or theirs is None or mine[1] != theirs[1] or fault_of(asked, public=True) is not None:
        return False
    return registered[mine.end() :] == asked[theirs.end() :]


def leads_to(uri: str, origin: str) -> bool:
    """
    Whether the redirect URI *uri* leads to a page of *origin*, as a browser names it (RFC 6454 section 6.2).

    Scheme, host and port are alike, the port of a loopback address aside, as in `matches`. What has no origin (a private-use
    scheme; `null`, which every sandboxed page has) leads to none.
    """
    parts = urlsplit(uri)
    port = "" if parts.port in (None, {"https": 443, "http": 80}.get(parts.scheme)) else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return parts.scheme in ("https", "http") and matches(f"{parts.scheme}://{host}{port}", origin)
