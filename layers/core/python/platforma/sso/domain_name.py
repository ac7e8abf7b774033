"""Names of domains as they are compared: ASCII (A-labels), lower case, without a trailing dot (RFC 1123, RFC 5890)."""

import re

from platforma.kernel.errors import FieldError, Unprocessable

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_FORM = re.compile(rf"\A(?:{_LABEL}\.)+(?=[a-z0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?\Z")


def parse_domain(text: object, *, pointer: str = "/domain") -> str:
    """
    The domain that *text* names; a bare top level, an address and a name beyond ASCII are none.

    Raises:
        Unprocessable: it names none.
    """
    if isinstance(text, str) and len(text) <= 200 and text.isascii() and _FORM.match(name := text.lower()):
        return name
    raise Unprocessable(errors=[FieldError(pointer, "Not a domain in its ASCII form, such as `acme.example`.")])


def domain_of(email: str) -> str:
    """The domain of an address that `parse_email` gave."""
    return email.rpartition("@")[2]
