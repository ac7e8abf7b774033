"""URLs of tenants' choice that this system calls."""

from urllib.parse import urlsplit


def is_called(url: str) -> bool:
    """Whether *url* is one by its form: https, without credentials or fragment. Who calls it looks at its address."""
    try:
        parts = urlsplit(url)
        good = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and not parts.fragment
        good = good and parts.port != 0
    except ValueError:
        good = False
    return good and url.isascii() and url.isprintable() and " " not in url
