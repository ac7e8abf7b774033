"""
Another API, which the authorizer guards: its environment, its own action domains, and what each of its routes does.

A route's path is matched segment by segment, a literal one before a `{name}`; `{name}` takes one segment and a last
`{name+}` all the rest. A route's resource is a template over `{name}` of the path, `{query.name}` and `{header.name}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote

from platforma.policy.model import Environment

_PLACE = re.compile(r"\{([A-Za-z0-9_.-]+)\}")
_PARAMETER = re.compile(r"\{([A-Za-z0-9_-]+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """`method` (`*` is any) and `path`, the action they perform, and on what; no *resource_id* is the type as a whole."""

    method: str
    path: str
    action: str
    resource_type: str | None = None
    resource_id: str | None = None
    resource_attributes: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The route as the API shows it."""
        document: dict[str, Any] = {"method": self.method, "path": self.path, "action": self.action}
        if self.resource_type is not None:
            document["resource"] = {"type": self.resource_type}
            if self.resource_id is not None:
                document["resource"]["id"] = self.resource_id
            if self.resource_attributes:
                document["resource"]["attributes"] = dict(self.resource_attributes)
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedAPI:
    """An API as registered by its tenant. Tokens for it carry its *audience*."""

    id: str
    tenant_id: str
    name: str
    audience: str
    environment: Environment
    domains: tuple[str, ...]
    routes: tuple[Route, ...]
    created_at: str
    version: int = 1

    def as_json(self) -> dict[str, Any]:
        """The API as our API shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "audience": self.audience,
            "environment": self.environment,
            "domains": list(self.domains),
            "routes": [route.as_json() for route in self.routes],
            "created_at": self.created_at,
            "version": self.version,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownResource:
    """What a tenant has told of a resource that lives elsewhere."""

    tenant_id: str
    type: str
    id: str
    attributes: Mapping[str, Any]
    environment: Environment | None = None
    version: int = 1


class Asked(NamedTuple):
    """What a request to a protected API comes down to."""

    action: str
    resource_type: str | None
    resource_id: str | None
    resource_attributes: Mapping[str, str]


def asked(
    api: ProtectedAPI,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Asked | None:
    """
    The action and resource that a request to *api* is about, or None where it has no such route.

    *path* is as sent, still percent-encoded; header names are lower-case. A resource whose id a template cannot fill does
    not exist, so None as well; an attribute that it cannot fill is left out, and so unknown to conditions.
    """
    if (segments := _segments(path)) is None:
        return None
    best: tuple[tuple[int, ...], Route, dict[str, str]] | None = None
    for route in api.routes:
        if route.method not in {"*", method.upper()} or (match := _match(route.path.split("/")[1:], segments)) is None:
            continue
        rank = (*match[0], int(route.method == "*"))
        if best is None or rank < best[0]:
            best = (rank, route, match[1])
    if best is None:
        return None
    _, route, values = best
    values.update({f"query.{name}": value for name, value in (query or {}).items()})
    values.update({f"header.{name}": value for name, value in (headers or {}).items()})
    resource_id = None if route.resource_id is None else _filled(route.resource_id, values)
    if route.resource_id is not None and not resource_id:
        return None
    filled = {name: _filled(template, values) for name, template in route.resource_attributes.items()}
    known = {name: value for name, value in filled.items() if value is not None}
    return Asked(route.action, route.resource_type, resource_id, known)


def _segments(path: str) -> list[str] | None:
    """The decoded segments of *path*; None where a gateway and its backend could understand another path by it."""
    try:
        segments = [unquote(segment, errors="strict") for segment in path.split("/")]
    except UnicodeDecodeError:
        return None
    if segments[0] or any(segment in {".", ".."} or "/" in segment for segment in segments):
        return None
    return segments[1:]


def _match(template: list[str], segments: list[str]) -> tuple[tuple[int, ...], dict[str, str]] | None:
    """How literal the match is (less is more), segment by segment, and the parameters' values."""
    rank: list[int] = []
    values: dict[str, str] = {}
    for at, part in enumerate(template):
        parameter = _PARAMETER.fullmatch(part)
        if parameter and parameter[2]:
            rest = "/".join(segments[at:])
            return ((*rank, 2), {**values, parameter[1]: rest}) if rest else None
        if at >= len(segments) or (parameter is None and part != segments[at]):
            return None
        if parameter:
            if not segments[at]:
                return None
            values[parameter[1]] = segments[at]
        rank.append(1 if parameter else 0)
    return (tuple(rank), values) if len(template) == len(segments) else None


def _filled(template: str, values: Mapping[str, str]) -> str | None:
    if any(name not in values for name in _PLACE.findall(template)):
        return None
    return _PLACE.sub(lambda place: values[place[1]], template)
