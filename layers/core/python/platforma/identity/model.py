"""Tenants, users and groups: frozen values, and what follows from them alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, TypeVar

TenantStatus = Literal["active", "suspended", "pending_deletion", "deleted"]
UserStatus = Literal["active", "suspended", "invited"]

RESTORABLE_FOR = timedelta(days=7)
"""How long a deleted tenant can be restored before its keys are destroyed."""

MAX_ROLES = 50
MAX_GROUPS_OF_A_USER = 50

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list. It may be short or empty although more follows: *after* is then the position to go on from."""

    items: tuple[T, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class Tenant:
    """One customer. *purge_after*, when its key may be destroyed, is set from its deletion until that is done."""

    id: str
    name: str
    status: TenantStatus
    created_at: datetime
    version: int = 1
    purge_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class User:
    """
    A person of a tenant.

    *roles* are those given by hand; those of *groups* (ids, some perhaps of groups that are gone) come on top.
    """

    id: str
    tenant_id: str
    email: str
    name: str
    status: UserStatus
    created_at: datetime
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    has_password: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class Group:
    """A set of users; its *roles* are its members'."""

    id: str
    tenant_id: str
    name: str
    created_at: datetime
    description: str = ""
    roles: tuple[str, ...] = ()
    version: int = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """What a decision needs to know of a user, and no more: nothing here identifies the person."""

    user_id: str
    status: UserStatus
    has_password: bool
    roles: tuple[str, ...]
    groups: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Principal:
    """
    A user as decisions see it: *roles* are its own and its groups'.

    An invited user is *active* (whoever invited it gave it these rights); a suspended one is not.
    """

    id: str
    tenant_id: str
    active: bool
    roles: frozenset[str]
    groups: frozenset[str]
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RoleSource:
    """Why a user has a role: given by hand (`direct`) or by a group."""

    role: str
    source: Literal["direct", "group"]
    group_id: str | None = None


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A tenant just made, and its first administrator."""

    tenant: Tenant
    admin: User


def sorted_roles(roles: Iterable[str]) -> tuple[str, ...]:
    """Roles in the one order in which they are kept and shown, each once."""
    return tuple(sorted(set(roles)))
