"""
Signed request objects (RFC 9101, JAR): what a client asks for, in a token that it signs, by value.

What stands in the object counts, and nothing beside it does (section 6.3). It is signed by a key of the client's own: an
unsigned one says nothing that the browser could not have changed, and none is fetched from an address (section 10.4.1).
"""

import json
from collections.abc import Mapping
from typing import Any

from platforma.kernel.clock import Clock
from platforma.oauth.authorization.errors import InvalidRequestObject
from platforma.oauth.client_assertion import ALGORITHMS, FAPI2_ALGORITHMS, SKEW_SECONDS
from platforma.oauth.client_keys import ClientKeys
from platforma.oauth.compact_jws import json_object, parse_foreign, verify_signature
from platforma.oauth.errors import InvalidToken, Unfetched
from platforma.oauth.form import MANY, one_of
from platforma.oauth.model import Client

MAX_LIFE_SECONDS = 3600
"""FAPI 2.0 Message Signing section 5.3.1: no more than an hour behind `nbf`."""
_TYPES = frozenset({None, "JWT", "jwt", "oauth-authz-req+jwt"})
_OF_THE_TOKEN = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti", "sub"})


def open_request_object(
    request: str, *, client: Client, client_keys: ClientKeys, issuer: str, clock: Clock
) -> dict[str, str]:
    """
    The parameters of the authorization request that *client* signed, as if they had been sent.

    Raises:
        InvalidRequestObject: not a token that the client signed for *issuer*, now, about a request of its own.
    """
    try:
        unverified = parse_foreign(request)
        if unverified.header.get("typ") not in _TYPES:
            raise InvalidRequestObject
        key = client_keys.key_of(client, unverified.header.get("kid"), unverified.header["alg"])
        verify_signature(unverified, key, FAPI2_ALGORITHMS if client.profile == "fapi2" else ALGORITHMS)
        claims = json_object(unverified.payload)
    except (InvalidToken, Unfetched):
        raise InvalidRequestObject from None
    _check(claims, client, issuer, clock().timestamp(), fapi2=client.profile == "fapi2")
    return {name: _sent(name, value) for name, value in claims.items() if name not in _OF_THE_TOKEN}


def _check(claims: Mapping[str, Any], client: Client, issuer: str, now: float, *, fapi2: bool) -> None:
    """Section 6.2, and FAPI 2.0 Message Signing section 5.3.1 for clients of that profile."""
    audience = claims.get("aud")
    begins, ends = claims.get("nbf", claims.get("iat")), claims.get("exp")
    times = [claims[name] for name in ("exp", "nbf", "iat") if name in claims]
    if not all(isinstance(time, (int, float)) and not isinstance(time, bool) for time in times):
        raise InvalidRequestObject
    meant = audience == issuer or (isinstance(audience, list) and issuer in audience)
    # A `sub` would make the object a client assertion (section 10.8); one inside another says two things at once.
    other = "sub" in claims or "request" in claims or "request_uri" in claims
    if claims.get("iss") != client.id or claims.get("client_id") != client.id or not meant or other:
        raise InvalidRequestObject
    if ends is None or ends <= now or any(claims[name] > now + SKEW_SECONDS for name in ("nbf", "iat") if name in claims):
        raise InvalidRequestObject
    if (fapi2 and "nbf" not in claims) or ends - (now if begins is None else begins) > MAX_LIFE_SECONDS:
        raise InvalidRequestObject


def _sent(name: str, value: Any) -> str:
    if name in MANY and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return one_of(value)
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, dict)):
        raise InvalidRequestObject
    return json.dumps(value)
