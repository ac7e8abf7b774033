"""
What no event says: credentials.

Our own changes are told field by field and hold none. What callers say is another matter: a key in the place of an id, a
token in a user agent or a request id, a password among the attributes of a resource or in what another service writes. The
log keeps it for years and nobody can take it out, so that it is taken out before: a credential that shows by its form,
wherever it stands, and whatever callers named as one.
"""

import re
from collections.abc import Mapping
from typing import Any

REDACTED = "[redacted]"
_FORMS = re.compile(
    r"(?P<kept>pk_live_|pk_test_|scim_|whsec_)[0-9A-Za-z+/=_-]{32,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"
    r"|(?P<scheme>\b(?i:bearer|basic|dpop) +)[\w.~+/=-]{16,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.ASCII,
)
_NAMES = re.compile(
    r"(?:password|passwd|passphrase|secret|token|apikey|privatekey|secretkey|accesskey|credentials?|authorization|cookies?"
    r"|assertion|codeverifier|recoverycodes?|otp)\Z"
)
_MARK = re.compile(
    rb"pk_(?:live|test)_|scim_|whsec_|eyJ|PRIVATE KEY|(?i:bearer|basic|dpop) "
    rb"|(?i:passw|passphrase|secret|token|(?:api|private|access).?key|credential|authorization|cookie|assertion|verifier|recovery|otp)"
)
_SAID = frozenset({"attributes", "context"})
"""Members of our own events whose content is a caller's."""


def is_suspect(*texts: bytes) -> bool:
    """Whether `redacted` may find anything in what was serialized to these *texts*; most events need no closer look."""
    return any(_MARK.search(text) for text in texts)


def redacted(document: Mapping[str, Any], *, external: bool) -> dict[str, Any]:
    """*document*, an event as plain JSON, without credentials; of an *external* one all changes are a caller's word."""
    return {name: _redacted(value, external and name == "changes") for name, value in document.items()}


def _redacted(value: Any, said: bool) -> Any:
    if isinstance(value, str):
        return _FORMS.sub(_left, value)
    if isinstance(value, list):
        return [_redacted(inner, said) for inner in value]
    if isinstance(value, dict):
        return {
            _FORMS.sub(_left, name): REDACTED
            if said and _is_secret(name, inner)
            else _redacted(inner, said or name in _SAID)
            for name, inner in value.items()
        }
    return value


def _is_secret(name: str, value: Any) -> bool:
    """Whether the member is named as a credential. That there is one, or none, may be told."""
    return not (value is None or isinstance(value, bool)) and bool(_NAMES.search(re.sub(r"[\W_]", "", name).lower()))


def _left(found: re.Match[str]) -> str:
    return (found["kept"] or found["scheme"] or "") + REDACTED
