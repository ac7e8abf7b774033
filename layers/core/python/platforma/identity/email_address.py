"""
E-mail addresses: which are taken, and when two are the same.

Source: RFC 5321 section 4.5.3.1 (lengths), RFC 6531 (local parts beyond ASCII).
"""

import re
import unicodedata

from platforma.kernel.errors import FieldError, Unprocessable

_DOMAIN = re.compile(r"\A(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_LOCAL = re.compile(r"""\A[^\s"(),:;<>@\[\\\]]{1,64}\Z""")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})


def parse_email(text: object, *, pointer: str = "/email") -> str:
    """
    The address as it is kept and mailed to: NFC, its domain in lower case.

    A domain is taken in its ASCII form only, so that no letter of another script passes for one of its own, and a local
    part without characters that cannot be seen. Quoted local parts and address literals are refused.

    Raises:
        Unprocessable: not an address.
    """
    if isinstance(text, str) and len(text) <= 254:
        local, at, domain = unicodedata.normalize("NFC", text).rpartition("@")
        domain = domain.lower()
        seen = not any(unicodedata.category(character) in _HIDDEN for character in local)
        dots = not (local.startswith(".") or local.endswith(".") or ".." in local)
        if at and seen and dots and _LOCAL.match(local) and _LOCAL.match(_folded(local)) and _DOMAIN.match(domain):
            return f"{local}@{domain}"
    raise Unprocessable(errors=[FieldError(pointer, "Not an e-mail address (the domain must be in its ASCII form).")])


def folded(email: str) -> str:
    """The form in which addresses are compared: NFKC and case-folded; equal forms are one address."""
    return _folded(email)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
