"""
Who can do what, by whom it was given, and when it was last used: a tenant's people, clients, keys and services, by the page.

A cursor names the kind of principal and the place behind which to go on, so that a long review is many short pages.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from platforma.apikeys.model import APIKey
from platforma.apikeys.ports import Keys
from platforma.audit.activity import last_acts
from platforma.audit.exports.rows import csv_cell, csv_line
from platforma.audit.ports import LogStore
from platforma.compliance import thresholds
from platforma.identity.factors.ports import FactorStore
from platforma.identity.model import RoleSource, User
from platforma.identity.ports import Directory, Groups
from platforma.identity.read_user import sources
from platforma.identity.service import Service, Services
from platforma.kernel.clock import Clock, rfc3339
from platforma.kernel.given import Given
from platforma.oauth.model import Client
from platforma.oauth.ports import Clients
from platforma.policy.actions import within
from platforma.policy.compile import PolicySet
from platforma.policy.effective import effective_permissions
from platforma.policy.model import Subject

KINDS = ("user", "oauth_client", "api_key", "service")
COLUMNS = (
    *("principal_type", "principal_id", "name", "email", "status", "role", "source", "group_id", "connection_id"),
    *("given_by_type", "given_by_id", "given_at", "permissions", "limited", "policies", "scopes", "owner_type", "owner_id"),
    *("created_at", "created_by", "expires_at", "second_factor", "last_used_at"),
)
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rights:
    """Where access is read. *subject_of* is a principal as the decision engine sees it, *rules_of* are a tenant's rules."""

    directory: Directory
    groups: Groups
    factors: FactorStore
    clients: Clients
    keys: Keys
    services: Services
    store: LogStore
    subject_of: Callable[[str, str, str], Subject | None]
    rules_of: Callable[[str], PolicySet]
    clock: Clock


def list_access(
    tenant_id: str, *, kind: str | None, limit: int, after: str | None, rights: Rights
) -> tuple[list[Line], str | None]:
    """
    A page of the tenant's principals with all that they hold, by *kind* and then by age, and where to go on.

    A page may be short although more follows. *last_used_at* of people, clients and services reaches as far back as the
    index, 90 days; a client's also tells when one of its secrets was last used.
    """
    current, _, place = (after or f"{kind or KINDS[0]}:").partition(":")
    lines, further = _page(tenant_id, current, limit, place or None, rights)
    if further is not None:
        return lines, f"{current}:{further}"
    rest = () if kind else KINDS[KINDS.index(current) + 1 :]
    return lines, f"{rest[0]}:" if rest else None


def as_csv(lines: Iterable[Mapping[str, Any]]) -> str:
    """A header, and a line for each role of each principal; what a spreadsheet would compute is told as text."""
    out = [csv_line(COLUMNS)]
    for line in lines:
        shared = {
            **{f"principal_{name}": value for name, value in line["principal"].items()},
            **{name: line[name] for name in ("name", "email", "status", "created_at", "expires_at", "last_used_at")},
            **{name: " ".join(line[name] or ()) for name in ("permissions", "limited", "policies", "scopes")},
            **{f"owner_{name}": value for name, value in (line["owner"] or {}).items()},
            "created_by": line["created_by"],
            "second_factor": line["second_factor"],
        }
        held: list[Line] = line["roles"] or [{}]
        for role in held:
            giver = {f"given_by_{name}": value for name, value in (role.get("given_by") or {}).items()}
            row = {**shared, **role, **giver}
            out.append(csv_line(csv_cell(row.get(column)) for column in COLUMNS))
    return "".join(out)


def _page(tenant_id: str, kind: str, limit: int, after: str | None, rights: Rights) -> tuple[list[Line], str | None]:
    if kind == "user":
        page = rights.directory.users(tenant_id, limit=limit, after=after, status=None, role=None, groups=frozenset())
        return _people(tenant_id, page.items, rights), page.after
    if kind == "oauth_client":
        clients, further = rights.clients.page(tenant_id, limit=limit, after=after)
        acted = _acted(tenant_id, [client.id for client in clients], rights)
        return [_client(tenant_id, client, acted.get(client.id), rights) for client in clients], further
    if kind == "api_key":
        keys, further = rights.keys.page(tenant_id, limit=limit, after=after)
        return [_key(tenant_id, key, rights) for key in keys], further
    services = rights.services.page(tenant_id, limit=limit, after=after)
    acted = _acted(tenant_id, [service.name for service in services.items], rights)
    return [_service(tenant_id, service, acted.get(service.name), rights) for service in services.items], services.after


def _acted(tenant_id: str, principals: Sequence[str], rights: Rights) -> Mapping[str, datetime]:
    """When programs last acted for themselves, by the log."""
    since = rights.clock() - thresholds.DORMANT
    return last_acts(tenant_id, principals, store=rights.store, since=since, by="principal")


def _people(tenant_id: str, users: Sequence[User], rights: Rights) -> list[Line]:
    since = rights.clock() - thresholds.DORMANT
    seen = last_acts(tenant_id, [user.id for user in users], store=rights.store, since=since)
    found = []
    for user in users:
        factors = rights.factors.read(tenant_id, user.id)
        line = _line(tenant_id, "user", user.id, rights)
        roles = [_source(one) for one in sources(user, rights.groups.several(tenant_id, user.groups))]
        told = {"name": user.name, "email": user.email, "status": user.status, "created_at": rfc3339(user.created_at)}
        last = rfc3339(seen[user.id]) if user.id in seen else None
        second = factors.second or bool(factors.passkeys)
        found.append({**line, **told, "roles": roles, "second_factor": second, "last_used_at": last})
    return found


def _client(tenant_id: str, client: Client, acted: datetime | None, rights: Rights) -> Line:
    used = max(filter(None, [acted, *(secret.last_used_at for secret in client.secrets)]), default=None)
    told = {"name": client.name, "status": client.status, "created_at": rfc3339(client.created_at)}
    roles = [_role(role, client.givers.get(role)) for role in client.roles]
    line = _line(tenant_id, "oauth_client", client.id, rights, scopes=client.scopes)
    return {**line, **told, "roles": roles, "last_used_at": rfc3339(used) if used else None}


def _key(tenant_id: str, key: APIKey, rights: Rights) -> Line:
    line = _line(tenant_id, "api_key", key.id, rights, scopes=key.scopes)
    return {
        **line,
        "name": key.name,
        "status": key.status(rights.clock()),
        "created_at": rfc3339(key.created_at),
        "created_by": key.created_by,
        "owner": {"type": key.owner_type, "id": key.owner_id},
        "expires_at": rfc3339(key.expires_at) if key.expires_at else None,
        "last_used_at": rfc3339(key.last_used_at) if key.last_used_at else None,
    }


def _service(tenant_id: str, service: Service, acted: datetime | None, rights: Rights) -> Line:
    policy_set = rights.rules_of(tenant_id)
    subject = Subject(
        type="service",
        id=service.name,
        tenant_id=tenant_id,
        standing="active" if service.status == "active" else "suspended",
        roles=frozenset(service.roles),
    )
    roles = [_role(role, None) for role in service.roles]
    last = rfc3339(acted) if acted else None
    told = {"name": service.name, "status": service.status, "roles": roles, "last_used_at": last}
    return {**_bare("service", service.name), **_held(policy_set, subject, None), **told}


def _line(tenant_id: str, kind: str, principal_id: str, rights: Rights, *, scopes: tuple[str, ...] | None = None) -> Line:
    subject = rights.subject_of(tenant_id, kind, principal_id)
    held = _held(rights.rules_of(tenant_id), subject, scopes) if subject is not None else {}
    return {**_bare(kind, principal_id), "scopes": None if scopes is None else list(scopes), **held}


def _bare(kind: str, principal_id: str) -> Line:
    """A line of whoever holds nothing."""
    nothing = dict.fromkeys(("name", "email", "status", "created_at", "created_by", "owner", "expires_at", "last_used_at"))
    lists: Line = {name: [] for name in ("roles", "permissions", "limited", "policies")}
    return {"principal": {"type": kind, "id": principal_id}, **nothing, **lists, "scopes": None, "second_factor": None}


def _held(policy_set: PolicySet, subject: Subject, scopes: tuple[str, ...] | None) -> Line:
    """
    What is held everywhere and always (*permissions*), and what besides on some resources or in some circumstances; within
    the scopes, as far as one covers the other. *policies* are all those in force, also those that deny.
    """
    always = set(effective_permissions(policy_set, subject, unconditional=True))
    besides = set(effective_permissions(policy_set, subject)) - always
    in_force = policy_set.view(subject).attached
    statements = (
        one for each in in_force for kept in (each.allows, each.denies) for index in kept.values() for one in index.all()
    )
    named = {one.match.policy_id for one in statements if one.match.policy_id}
    return {
        "permissions": sorted(_capped(always, scopes)),
        "limited": sorted(_capped(besides, scopes)),
        "policies": sorted(named),
    }


def _capped(held: set[str], scopes: tuple[str, ...] | None) -> set[str]:
    if scopes is None:
        return held
    inside = {pattern for pattern in held if within([pattern], scopes)}
    return inside | {scope for scope in scopes if within([scope], held)}


def _source(one: RoleSource) -> Line:
    line = _role(one.role, one.giver)
    return {**line, "source": one.source, "group_id": one.group_id, "connection_id": one.connection_id}


def _role(role: str, giver: Given | None) -> Line:
    by = {"type": giver.by_type, "id": giver.by_id} if giver else None
    nowhere = {"source": "direct", "group_id": None, "connection_id": None}
    return {"role": role, **nowhere, "given_by": by, "given_at": giver.at if giver else None}
