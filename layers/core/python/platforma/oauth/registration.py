"""
What a client may register, checked field by field (RFC 7591 section 2).

Scopes and roles are checked for their form alone: whether the caller may give them is for the edge to ask of the policy.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from platforma.kernel.errors import FieldError, Unprocessable
from platforma.oauth import client_metadata
from platforma.oauth.model import AUTH_METHODS, GRANT_TYPES, TOKEN_EXCHANGE
from platforma.oauth.redirect_uri import fault_of
from platforma.oauth.scope import MAX_SCOPE, scope_fault

FIELDS = (
    *("name", "type", "grant_types", "redirect_uris", "scopes", "token_endpoint_auth_method", "roles"),
    *client_metadata.DEFAULTS,
)
CHANGEABLE = (*(name for name in FIELDS if name != "type"), "status")
DEFAULTS: Mapping[str, Any] = {
    "type": "confidential",
    "grant_types": ("client_credentials",),
    "redirect_uris": (),
    "scopes": (),
    "token_endpoint_auth_method": None,
    "roles": (),
    "status": "active",
    **client_metadata.DEFAULTS,
}
_PROVED = frozenset({"client_credentials", TOKEN_EXCHANGE})
"""Grants by which a client gets tokens for what it is (RFC 6749 section 4.4, RFC 8693 section 2.1)."""
_ROLE = re.compile(r"\A[a-z][a-z0-9_.-]{0,63}\Z")
_MAX_LIST, _MAX_ROLES = 100, 1024


def checked(
    fields: Mapping[str, Any], *, known: Iterable[str], current: Mapping[str, Any], platform: bool
) -> dict[str, Any]:
    """
    The registration that *current* becomes with *fields*, lists as tuples.

    Raises:
        Unprocessable: with the pointer of every field that is at fault.
    """
    faults = [FieldError(f"/{_pointer(name)}", "Unknown field.") for name in fields if name not in set(known)]
    merged = {**current, **{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}}
    merged |= client_metadata.demanded(fields, merged)
    for name, check in _CHECKS.items():
        faults += check(merged.get(name), merged, platform)
    if faults:
        raise Unprocessable("The client cannot be registered like this.", errors=faults)
    return merged


def _pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _name(value: Any, _: Mapping[str, Any], __: bool) -> list[FieldError]:
    good = isinstance(value, str) and bool(value.strip()) and len(value) <= 120 and value.isprintable()
    return [] if good else [FieldError("/name", "Must be 1 to 120 printable characters.")]


def _type(value: Any, _: Mapping[str, Any], __: bool) -> list[FieldError]:
    return _one_of("/type", value, ("confidential", "public"))


def _status(value: Any, _: Mapping[str, Any], __: bool) -> list[FieldError]:
    return _one_of("/status", value, ("active", "suspended"))


def _grant_types(value: Any, merged: Mapping[str, Any], _: bool) -> list[FieldError]:
    faults = _each(
        "/grant_types", value, lambda grant: None if grant in GRANT_TYPES else f"One of: {', '.join(GRANT_TYPES)}."
    )
    if not faults and not _PROVED.isdisjoint(value) and merged["type"] == "public":
        faults.append(FieldError("/grant_types", "client_credentials and token-exchange are for confidential clients."))
    return faults


def _redirect_uris(value: Any, merged: Mapping[str, Any], _: bool) -> list[FieldError]:
    return _each("/redirect_uris", value, lambda uri: fault_of(uri, public=merged["type"] == "public"))


def _post_logout_redirect_uris(value: Any, merged: Mapping[str, Any], _: bool) -> list[FieldError]:
    return _each("/post_logout_redirect_uris", value, lambda uri: fault_of(uri, public=merged["type"] == "public"))


def _scopes(value: Any, _: Mapping[str, Any], platform: bool) -> list[FieldError]:
    faults = _each("/scopes", value, lambda scope: scope_fault(scope, platform=platform))
    return faults or _length("/scopes", value, MAX_SCOPE)


def _auth_method(value: Any, merged: Mapping[str, Any], _: bool) -> list[FieldError]:
    if merged["type"] == "public":
        if value in (None, "none"):
            return []
        return [FieldError("/token_endpoint_auth_method", "A public client has no way to authenticate but none.")]
    return [] if value is None else _one_of("/token_endpoint_auth_method", value, AUTH_METHODS)


def _roles(value: Any, _: Mapping[str, Any], __: bool) -> list[FieldError]:
    faults = _each("/roles", value, lambda role: None if _ROLE.match(role) else "Not the name of a role.")
    return faults or _length("/roles", value, _MAX_ROLES)


def _length(pointer: str, value: tuple[str, ...], limit: int) -> list[FieldError]:
    """Tokens carry scopes and roles, and must fit a header."""
    return [] if len(" ".join(value)) <= limit else [FieldError(pointer, f"Must have at most {limit} characters together.")]


def _one_of(pointer: str, value: Any, accepted: tuple[str, ...]) -> list[FieldError]:
    return [] if isinstance(value, str) and value in accepted else [FieldError(pointer, f"One of: {', '.join(accepted)}.")]


def _each(pointer: str, value: Any, fault: Callable[[str], str | None]) -> list[FieldError]:
    if not isinstance(value, tuple) or len(value) > _MAX_LIST:
        return [FieldError(pointer, f"Must be a list of at most {_MAX_LIST} texts.")]
    faults = []
    for index, item in enumerate(value):
        detail = (
            "Must be a text." if not isinstance(item, str) else "Listed twice." if item in value[:index] else fault(item)
        )
        if detail:
            faults.append(FieldError(f"{pointer}/{index}", detail))
    return faults


_CHECKS: Mapping[str, Callable[[Any, Mapping[str, Any], bool], list[FieldError]]] = {
    "name": _name,
    "type": _type,
    "status": _status,
    "grant_types": _grant_types,
    "redirect_uris": _redirect_uris,
    "scopes": _scopes,
    "token_endpoint_auth_method": _auth_method,
    "roles": _roles,
    "post_logout_redirect_uris": _post_logout_redirect_uris,
    **client_metadata.CHECKS,
}
