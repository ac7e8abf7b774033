"""What an OpenID provider says of itself (OpenID Connect Discovery 1.0 section 4), read now and then."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from platforma.kernel.clock import Clock
from platforma.kernel.errors import Malformed
from platforma.kernel.strict_json import parse_json
from platforma.oauth.errors import Unfetched
from platforma.sso.errors import AnswerRejected
from platforma.sso.ports import Fetch

KEPT = timedelta(minutes=10)
_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Provider:
    """
    A provider's endpoints. *issues_iss*: its authorization responses name it (RFC 9207). *end_session_endpoint*: people sign
    out there (OpenID Connect RP-Initiated Logout 1.0 section 2.1).
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    auth_methods: frozenset[str]
    scopes: frozenset[str]
    issues_iss: bool
    end_session_endpoint: str | None


class Providers:
    """Finds providers by issuer; what was read is kept for ten minutes."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch, self._clock = fetch, clock
        self._read: OrderedDict[str, tuple[datetime, Provider]] = OrderedDict()

    def of(self, issuer: str) -> Provider:
        """
        The provider whose issuer identifier this is.

        Raises:
            AnswerRejected: it cannot be reached, or what it says is not about this issuer.
        """
        known = self._read.get(issuer)
        if known is not None and self._clock() - known[0] < KEPT:
            return known[1]
        try:
            document = parse_json(self._fetch.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration"))
        except (Unfetched, Malformed):
            raise AnswerRejected("The provider's configuration could not be read at its issuer.") from None
        provider = read_configuration(document, issuer)
        self._read[issuer] = (self._clock(), provider)
        self._read.move_to_end(issuer)
        while len(self._read) > _REMEMBERED:
            self._read.popitem(last=False)
        return provider


def read_configuration(document: Any, issuer: str) -> Provider:
    """
    The provider that a configuration document describes; it must be *issuer*'s own (section 4.3).

    Raises:
        AnswerRejected: it is not, or lacks what is needed.
    """
    if not isinstance(document, Mapping) or document.get("issuer") != issuer:
        raise AnswerRejected("The provider's configuration is of another issuer.")
    userinfo, end_session = document.get("userinfo_endpoint"), document.get("end_session_endpoint")
    return Provider(
        issuer=issuer,
        authorization_endpoint=_endpoint(document, "authorization_endpoint"),
        token_endpoint=_endpoint(document, "token_endpoint"),
        jwks_uri=_endpoint(document, "jwks_uri"),
        userinfo_endpoint=None if userinfo is None else _endpoint(document, "userinfo_endpoint"),
        auth_methods=_names(document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])),
        scopes=_names(document.get("scopes_supported", [])),
        issues_iss=document.get("authorization_response_iss_parameter_supported") is True,
        end_session_endpoint=str(end_session) if _usable(end_session) else None,
    )


def _endpoint(document: Mapping[str, Any], name: str) -> str:
    if not _usable(url := document.get(name)):
        raise AnswerRejected(f"The provider's configuration has no usable {name}.")
    return str(url)


def _usable(url: Any) -> bool:
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        return False
    return (
        parts is not None
        and parts.scheme == "https"
        and bool(parts.hostname)
        and "@" not in parts.netloc
        and not parts.fragment
    )


def _names(value: Any) -> frozenset[str]:
    return frozenset(each for each in value if isinstance(each, str)) if isinstance(value, list) else frozenset()
