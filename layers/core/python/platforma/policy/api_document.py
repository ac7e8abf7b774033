"""A protected API as its tenant writes it: routes, domains and templates, checked with a JSON pointer to each fault."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from platforma.kernel.errors import FieldError, Unprocessable
from platforma.policy.actions import parse_action
from platforma.policy.catalogue import BUILT_IN_DOMAINS, CONTROL_DOMAINS, PLATFORM_DOMAIN
from platforma.policy.protected_api import Route

MAX_ROUTES = 500
MAX_DOMAINS = 20
_METHODS = frozenset({"*", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_DOMAIN = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_LITERAL = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@-]*")
_PARAMETER = re.compile(r"\{([A-Za-z0-9_-]+)(\+?)\}")
_TEMPLATE = re.compile(r"(?:[^{}]|\{[A-Za-z0-9_.-]+\})+")
_PLACE = re.compile(r"\{([A-Za-z0-9_.-]+)\}")
_TYPE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def parse_api(domains: Sequence[Any], routes: Sequence[Any]) -> tuple[tuple[str, ...], tuple[Route, ...]]:
    """
    The domains and routes of an API as a caller wrote them.

    Raises:
        Unprocessable: `errors` points below `/domains` and `/routes` to each fault.
    """
    errors = [*_check_domains(domains), *_check_routes(domains, routes)]
    if errors:
        raise Unprocessable("The protected API is not valid.", errors=errors)
    return tuple(domains), tuple(_route(route) for route in routes)


def _check_domains(domains: Sequence[Any]) -> Iterator[FieldError]:
    if len(domains) > MAX_DOMAINS:
        yield FieldError("/domains", f"At most {MAX_DOMAINS} domains.")
    for index, domain in enumerate(domains):
        if not isinstance(domain, str) or not _DOMAIN.fullmatch(domain):
            yield FieldError(f"/domains/{index}", "A lower-case word of at most 64 characters.")
        elif domain in CONTROL_DOMAINS or domain == PLATFORM_DOMAIN:
            yield FieldError(f"/domains/{index}", "This domain is the platform's own.")
        elif domain in domains[:index]:
            yield FieldError(f"/domains/{index}", "This domain stands here twice.")


def _check_routes(domains: Sequence[Any], routes: Sequence[Any]) -> Iterator[FieldError]:
    if not 1 <= len(routes) <= MAX_ROUTES:
        yield FieldError("/routes", f"A list of 1 to {MAX_ROUTES} routes.")
    known = BUILT_IN_DOMAINS.union(domain for domain in domains if isinstance(domain, str)) - {PLATFORM_DOMAIN}
    seen: set[tuple[Any, str]] = set()
    for index, route in enumerate(routes):
        at = f"/routes/{index}"
        if not isinstance(route, Mapping):
            yield FieldError(at, "An object with method, path, action and perhaps resource.")
            continue
        for name in sorted(route.keys() - {"method", "path", "action", "resource"}):
            yield FieldError(f"{at}/{name}", "Unknown field.")
        if route.get("method") not in _METHODS:
            yield FieldError(f"{at}/method", "* or one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS.")
        yield from _check_action(route.get("action"), f"{at}/action", known)
        faults = list(_check_path(route.get("path"), f"{at}/path"))
        yield from faults
        if not faults:
            shape = (route.get("method"), _PARAMETER.sub(r"{\2}", route["path"]))
            if shape in seen:
                yield FieldError(at, "Another route has this method and path.")
            seen.add(shape)
            yield from _check_resource(route.get("resource"), f"{at}/resource", route["path"])


def _check_action(action: Any, at: str, known: frozenset[str]) -> Iterator[FieldError]:
    parsed = parse_action(action) if isinstance(action, str) else None
    if parsed is None:
        yield FieldError(at, "An operation, domain.resource.verb, or a permission, domain:read or domain:manage.")
    elif parsed.domain not in known:
        yield FieldError(at, f"The domain {parsed.domain} is neither built in nor among this API's own.")


def _check_path(path: Any, at: str) -> Iterator[FieldError]:
    if not isinstance(path, str) or not path.startswith("/") or len(path) > 512:
        yield FieldError(at, "A path of at most 512 characters that begins with a slash.")
        return
    segments = path.split("/")[1:]
    names: list[str] = []
    for index, segment in enumerate(segments):
        parameter = _PARAMETER.fullmatch(segment)
        if parameter is not None:
            names.append(parameter[1])
            if parameter[2] and index < len(segments) - 1:
                yield FieldError(at, "{name+} stands last.")
        elif not _LITERAL.fullmatch(segment) or segment in {".", ".."} or (not segment and index < len(segments) - 1):
            yield FieldError(at, "Each segment is plain text or one {name}; none is empty.")
    if len(set(names)) < len(names):
        yield FieldError(at, "Each {name} stands once.")


def _check_resource(resource: Any, at: str, path: str) -> Iterator[FieldError]:
    if resource is None:
        return
    if not isinstance(resource, Mapping):
        yield FieldError(at, "An object with type and perhaps id and attributes.")
        return
    for name in sorted(resource.keys() - {"type", "id", "attributes"}):
        yield FieldError(f"{at}/{name}", "Unknown field.")
    if not isinstance(resource.get("type"), str) or not _TYPE.fullmatch(resource["type"]):
        yield FieldError(f"{at}/type", "A word of at most 64 characters.")
    parameters = {name for name, _ in _PARAMETER.findall(path)}
    if resource.get("id") is not None:
        yield from _check_template(resource["id"], f"{at}/id", parameters)
    attributes = resource.get("attributes") or {}
    if not isinstance(attributes, Mapping):
        yield FieldError(f"{at}/attributes", "An object of name -> template.")
        return
    for name, template in attributes.items():
        yield from _check_template(template, f"{at}/attributes/{name}", parameters)


def _check_template(template: Any, at: str, parameters: set[str]) -> Iterator[FieldError]:
    if not isinstance(template, str) or len(template) > 256 or not _TEMPLATE.fullmatch(template):
        yield FieldError(at, "A text of 1 to 256 characters with {name}, {query.name} or {header.name} in it.")
        return
    for name in _PLACE.findall(template):
        if name not in parameters and not name.startswith(("query.", "header.")):
            yield FieldError(at, f"The path has no {{{name}}}.")


def _route(raw: Mapping[str, Any]) -> Route:
    resource = raw.get("resource") or {}
    return Route(
        method=raw["method"],
        path=raw["path"],
        action=raw["action"],
        resource_type=resource.get("type"),
        resource_id=resource.get("id"),
        resource_attributes=dict(resource.get("attributes") or {}),
    )


def route_of(stored: Mapping[str, Any]) -> Route:
    """The route that `Route.as_json` wrote."""
    return _route(stored)
