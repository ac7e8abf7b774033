"""Tenants, users and groups: frozen values, and what follows from them alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, TypeVar

from platforma.kernel.given import NOTHING, Given

TenantStatus = Literal["active", "suspended", "pending_deletion", "deleted"]
UserStatus = Literal["active", "suspended", "invited"]
ManagedBy = Literal["manual", "jit", "scim", "mapping"]
"""Who keeps a user, a membership or a role as it is: people here, sign-ins, a directory, or a mapping of groups."""

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
    """
    One customer. *purge_after*, when its key may be destroyed, is set from its deletion until that is done; *logo* is a data
    URI that its pages show.
    """

    id: str
    name: str
    status: TenantStatus
    created_at: datetime
    version: int = 1
    purge_after: datetime | None = None
    logo: str | None = None


@dataclass(frozen=True, slots=True)
class Managed:
    """By which connection a user or a group is provisioned, and how: by sign-ins, or by the connection's directory."""

    by: Literal["jit", "scim"]
    connection_id: str


@dataclass(frozen=True, slots=True)
class MappedRole:
    """
    A role that a user has by a connection: for being in the provider's *group*, or by default where that is None.

    *at* is when it was last found to be so.
    """

    role: str
    connection_id: str
    group: str | None
    at: datetime

    @property
    def managed_by(self) -> ManagedBy:
        """What keeps it."""
        return "jit" if self.group is None else "mapping"


@dataclass(frozen=True, slots=True)
class User:
    """
    A person of a tenant.

    *roles* are those given by hand, *mapped* those of connections, which never touch the former; those of *groups* (ids,
    some perhaps of groups that are gone) come on top. *givers* says who gave each role and membership, as far as it is
    known. *identities* are the person's at identity providers, as `Directory.identity` names them. *managed* None: kept by
    hand.
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
    mapped: tuple[MappedRole, ...] = ()
    identities: tuple[str, ...] = ()
    managed: Managed | None = None
    givers: Mapping[str, Given] = field(default_factory=lambda: NOTHING, compare=False)

    @property
    def given(self) -> tuple[str, ...]:
        """Its own roles: by hand and by connections."""
        return sorted_roles((*self.roles, *(each.role for each in self.mapped)))

    @property
    def mapped_roles(self) -> tuple[str, ...]:
        """The roles that connections gave."""
        return sorted_roles(each.role for each in self.mapped)

    @property
    def managed_by(self) -> ManagedBy:
        """Who keeps it."""
        return "manual" if self.managed is None else self.managed.by

    @property
    def connection_id(self) -> str | None:
        """The connection that provisions it."""
        return None if self.managed is None else self.managed.connection_id


@dataclass(frozen=True, slots=True)
class Group:
    """
    A set of users; its *roles* are its members', given by its *givers*. Where it is *managed*, so is who is in it.

    Of its roles *mapped* are those that its connection's mappings give; *external_id* is its directory's id of it, *size*
    how many the directory put in and did not take out, deleted ones counted; None where that is not known. *unfinished*: its
    directory's making of it was cut short, and nothing else was said of it since.
    """

    id: str
    tenant_id: str
    name: str
    created_at: datetime
    description: str = ""
    roles: tuple[str, ...] = ()
    version: int = 1
    managed: Managed | None = None
    givers: Mapping[str, Given] = field(default_factory=lambda: NOTHING, compare=False)
    mapped: tuple[str, ...] = ()
    external_id: str | None = None
    modified_at: datetime | None = None
    size: int | None = None
    unfinished: bool = False

    @property
    def managed_by(self) -> ManagedBy:
        """Who keeps it, and who is in it."""
        return "manual" if self.managed is None else self.managed.by


@dataclass(frozen=True, slots=True)
class Standing:
    """What a decision needs to know of a user, and no more: nothing here identifies the person. *roles* are all its own."""

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
    """
    Why a user has a role: given by hand (`direct`), by a group, or by a mapping.

    *mapped_group* is the provider's group that was mapped (None: a default role), *at* when it was last found so. *giver* is
    by whom and when, None where that is not known; of a group's role the later of two acts: giving it to the group, and
    making the user a member.
    """

    role: str
    source: Literal["direct", "group", "mapping"]
    group_id: str | None = None
    managed_by: ManagedBy = "manual"
    connection_id: str | None = None
    mapped_group: str | None = None
    at: datetime | None = None
    giver: Given | None = None

    @property
    def given_by(self) -> dict[str, str] | None:
        """Who gave it."""
        return None if self.giver is None else {"type": self.giver.by_type, "id": self.giver.by_id}

    @property
    def given_at(self) -> str | None:
        """When it was given."""
        return None if self.giver is None else self.giver.at


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A tenant just made, and its first administrator."""

    tenant: Tenant
    admin: User


def sorted_roles(roles: Iterable[str]) -> tuple[str, ...]:
    """Roles in the one order in which they are kept and shown, each once."""
    return tuple(sorted(set(roles)))
