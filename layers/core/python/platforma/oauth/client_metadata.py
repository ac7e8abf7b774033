"""
The rest of what a client may register: keys and certificates, logout, and what it demands of every request.

Each check sees the whole registration, since one field may demand another (RFC 7591 section 2, RFC 8705 section 2.1.2,
OpenID Connect Back-Channel Logout 1.0 section 2.2, FAPI 2.0 Security Profile section 5.3).
"""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from platforma.kernel.errors import FieldError
from platforma.keys.jwk import NotAKey, from_jwk
from platforma.oauth.redirect_uri import MAX_LENGTH

Check = Callable[[Any, Mapping[str, Any], bool], list[FieldError]]

ID_TOKEN_ALGORITHMS = ("RS256", "ES256", "EdDSA")
TLS_SUBJECTS = ("tls_client_auth_subject_dn", "tls_client_auth_san_dns", "tls_client_auth_san_uri")
"""The ways to say which certificate is the client's; exactly one is used (RFC 8705 section 2.1.2)."""
DEFAULTS: Mapping[str, Any] = {
    "post_logout_redirect_uris": (),
    "jwks": None,
    "jwks_uri": None,
    "first_party": False,
    "id_token_signed_response_alg": "RS256",
    "profile": None,
    "require_pushed_authorization_requests": False,
    "dpop_bound_access_tokens": False,
    "tls_client_certificate_bound_access_tokens": False,
    **dict.fromkeys(TLS_SUBJECTS),
    "backchannel_logout_uri": None,
    "backchannel_logout_session_required": False,
    "require_signed_request_object": False,
}
FAPI2: Mapping[str, Any] = {"require_pushed_authorization_requests": True, "id_token_signed_response_alg": "ES256"}
_FLAGS = tuple(name for name, value in DEFAULTS.items() if value is False)
_MAX_KEYS, _MAX_JWKS = 20, 16384


def demanded(fields: Mapping[str, Any], merged: Mapping[str, Any]) -> dict[str, Any]:
    """What `profile: fapi2` makes of the fields that were left out of *fields*."""
    if fields.get("profile") != "fapi2":
        return {}
    asked = {name: value for name, value in FAPI2.items() if name not in fields}
    if "dpop_bound_access_tokens" not in fields and not merged.get("tls_client_certificate_bound_access_tokens"):
        asked["dpop_bound_access_tokens"] = True
    return asked


def https_fault(uri: str) -> str | None:
    """What is wrong with *uri* as one that this server is to call; None if nothing. Where it leads is looked at then."""
    try:
        parts = urlsplit(uri)
        good = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or len(uri) > MAX_LENGTH or not uri.isascii() or not uri.isprintable() or " " in uri:
        return f"Must be an https URI of at most {MAX_LENGTH} characters."
    return "Must have no fragment and no user information." if "#" in uri or "@" in parts.netloc else None


def _jwks(value: Any, merged: Mapping[str, Any], _: bool) -> list[FieldError]:
    if value is None:
        return []
    if merged["jwks_uri"] is not None:
        return [FieldError("/jwks", "Either jwks or jwks_uri (RFC 7591 section 2).")]
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list) or not 0 < len(keys) <= _MAX_KEYS or len(json.dumps(value)) > _MAX_JWKS:
        return [FieldError("/jwks", f"Must be a key set of 1 to {_MAX_KEYS} keys.")]
    return [FieldError(f"/jwks/keys/{index}", fault) for index, key in enumerate(keys) if (fault := _key_fault(key))]


def _key_fault(key: Any) -> str | None:
    if not isinstance(key, dict):
        return "Must be a JSON Web Key."
    try:
        from_jwk(key)
    except NotAKey as error:
        return str(error)
    return None if isinstance(key.get("kid", ""), str) else "Its kid must be a text."


def _jwks_uri(value: Any, _: Mapping[str, Any], __: bool) -> list[FieldError]:
    return _uri("/jwks_uri", value)


def _backchannel(value: Any, _: Mapping[str, Any], __: bool) -> list[FieldError]:
    return _uri("/backchannel_logout_uri", value)


def _uri(pointer: str, value: Any) -> list[FieldError]:
    fault = None if value is None else https_fault(value) if isinstance(value, str) else "Must be a text."
    return [FieldError(pointer, fault)] if fault else []


def _algorithm(value: Any, _: Mapping[str, Any], __: bool) -> list[FieldError]:
    if isinstance(value, str) and value in ID_TOKEN_ALGORITHMS:
        return []
    return [FieldError("/id_token_signed_response_alg", f"One of: {', '.join(ID_TOKEN_ALGORITHMS)}.")]


def _authentication(_: Any, merged: Mapping[str, Any], __: bool) -> list[FieldError]:
    """What the way to authenticate needs: a key, a subject."""
    method, subjects = merged["token_endpoint_auth_method"], [name for name in TLS_SUBJECTS if merged[name] is not None]
    faults = [
        FieldError(f"/{name}", "Must be 1 to 512 printable characters.") for name in subjects if not _plain(merged[name])
    ]
    if method == "private_key_jwt" and merged["jwks"] is None and merged["jwks_uri"] is None:
        faults.append(FieldError("/jwks", "private_key_jwt needs jwks or jwks_uri."))
    if merged["require_signed_request_object"] is True and merged["jwks"] is None and merged["jwks_uri"] is None:
        faults.append(FieldError("/jwks", "require_signed_request_object needs jwks or jwks_uri."))
    if (method == "tls_client_auth") != (len(subjects) == 1):
        faults.append(
            FieldError(f"/{TLS_SUBJECTS[0]}", f"tls_client_auth, and it alone, needs one of {', '.join(TLS_SUBJECTS)}.")
        )
    if merged["backchannel_logout_session_required"] is True and merged["backchannel_logout_uri"] is None:
        faults.append(FieldError("/backchannel_logout_uri", "backchannel_logout_session_required needs one."))
    return faults


def _plain(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 512 and value.isprintable()


def _flag(name: str) -> Check:
    def check(value: Any, _: Mapping[str, Any], __: bool) -> list[FieldError]:
        return [] if isinstance(value, bool) else [FieldError(f"/{name}", "Must be true or false.")]

    return check


def _profile(value: Any, merged: Mapping[str, Any], _: bool) -> list[FieldError]:
    if value is None:
        return []
    if value != "fapi2":
        return [FieldError("/profile", "Must be fapi2.")]
    demands = {
        "token_endpoint_auth_method": merged["token_endpoint_auth_method"] in ("private_key_jwt", "tls_client_auth"),
        "require_pushed_authorization_requests": merged["require_pushed_authorization_requests"] is True,
        "id_token_signed_response_alg": merged["id_token_signed_response_alg"] in ("ES256", "EdDSA"),
        "dpop_bound_access_tokens": merged["dpop_bound_access_tokens"] is True
        or merged["tls_client_certificate_bound_access_tokens"] is True,
    }
    return [FieldError(f"/{name}", "Not as the profile fapi2 demands it.") for name, met in demands.items() if not met]


CHECKS: Mapping[str, Check] = {
    "jwks": _jwks,
    "jwks_uri": _jwks_uri,
    "id_token_signed_response_alg": _algorithm,
    "backchannel_logout_uri": _backchannel,
    **{name: _flag(name) for name in _FLAGS},
    TLS_SUBJECTS[0]: _authentication,
    "profile": _profile,
}
