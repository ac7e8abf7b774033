"""Tenants, users, the caller."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from platforma.edge.schemas.common import Attributes, Body, Name, Paging, Timestamp, View

Email = Annotated[str, StringConstraints(min_length=3, max_length=254)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Roles = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=64)]], Field(max_length=50)]


class FirstAdmin(Body):
    """The first administrator of a tenant."""

    email: Email
    name: Name
    password: Password | None = None


class TenantCreate(Body):
    """A tenant to be."""

    name: Name
    admin: FirstAdmin


class TenantPatch(Body):
    """What may be changed of a tenant; what is left out stays."""

    name: Name | None = None
    status: Literal["active", "suspended"] | None = None
    logo: Annotated[str, StringConstraints(max_length=24576)] | None = None


class TenantView(View):
    """A tenant; *logo* is the data URI of a picture that its pages show."""

    id: str
    name: str
    logo: str | None
    status: str
    created_at: Timestamp
    purge_after: Timestamp | None
    version: int


class DestroyedKey(View):
    """A key, and every version that it had."""

    id: str
    versions: list[int]


class SettledLog(View):
    """Where a log of the tenant ended: entries, and the root over them (base64)."""

    id: str
    size: int
    root: str


class ShreddingView(View):
    """What a destroyed key left; *statement* is a signed note of the same (C2SP), for any of *verifier_keys*."""

    tenant_id: str
    keys: list[DestroyedKey]
    destroyed_at: Timestamp
    logs: list[SettledLog]
    backups_until: Timestamp
    statement: str
    verifier_keys: list[str]


class AdminRef(View):
    """The user who administers a new tenant."""

    user_id: str


class TenantCreated(TenantView):
    """A new tenant and its administrator."""

    admin: AdminRef


class TenantList(View):
    """A page of tenants."""

    items: list[TenantView]
    next_cursor: str | None


class UserCreate(Body):
    """A user to be."""

    email: Email
    name: Name
    password: Password | None = None
    roles: Roles = []
    attributes: Attributes = {}


class Mailed(View):
    """Whom a mail is on its way to."""

    user_id: str


class UserPatch(Body):
    """What may be changed of a user; what is left out stays."""

    name: Name | None = None
    email: Email | None = None
    status: Literal["active", "suspended"] | None = None
    attributes: Attributes | None = None


class RolesSet(Body):
    """A user's own roles, whole."""

    roles: Roles


class UserView(View):
    """A user; no part of a password is ever shown. *roles* are those given by hand."""

    id: str
    email: str
    name: str
    status: str
    roles: list[str]
    groups: list[str]
    attributes: dict[str, Any]
    mapped_roles: list[str]
    managed_by: str
    connection_id: str | None
    has_password: bool
    created_at: Timestamp
    version: int


class UserList(View):
    """A page of users."""

    items: list[UserView]
    next_cursor: str | None


class UserQuery(Paging):
    """Which users."""

    email: Email | None = None
    status: Literal["active", "suspended", "invited"] | None = None
    role: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None


class RolesQuery(Body):
    """How much to tell of a user's roles; query values are text."""

    explain: Literal["true", "false"] = "false"


class RoleSourceView(View):
    """
    Why a user has a role: by hand, by a group, or by a mapping of the connection's at the sign-in or change of that time.

    *managed_by* is who keeps it so: `manual`, `scim` (who is in the group), `mapping`, or `jit` (a default role).
    *given_by* is who gave it, as far as that is known: of a group's role the later of two acts, giving it to the group and
    making the user a member.
    """

    role: str
    source: str
    managed_by: str
    group_id: str | None
    connection_id: str | None
    mapped_group: str | None
    at: Timestamp | None
    given_by: dict[str, str] | None
    given_at: Timestamp | None


class UserRoles(View):
    """A user's roles, own and by group; *sources* only where an explanation was asked for."""

    roles: list[str]
    sources: list[RoleSourceView] | None = None


class Deletion(Body):
    """Whether to wait seven days."""

    immediate: Literal["true", "false"] = "false"


class PasswordChange(Body):
    """A user's own new password."""

    current_password: Password
    new_password: Password


class FactorView(View):
    """
    A way to sign in beside the password: a passkey, an authenticator app, or the recovery codes that stand for it.

    *remaining* is how many recovery codes are unused; *backed_up* whether the passkey lives in more than one place.
    """

    id: str
    type: Literal["passkey", "totp", "recovery_codes"]
    name: str | None = None
    created_at: Timestamp | None = None
    last_used_at: Timestamp | None = None
    backed_up: bool | None = None
    remaining: int | None = None


class FactorList(View):
    """All of a person's factors."""

    items: list[FactorView]
    next_cursor: None


class GroupCreate(Body):
    """A group to be."""

    name: Name
    description: Annotated[str, StringConstraints(max_length=1000)] = ""
    roles: Roles = []


class GroupPatch(Body):
    """What may be changed of a group; what is left out stays."""

    name: Name | None = None
    description: Annotated[str, StringConstraints(max_length=1000)] | None = None


class GroupView(View):
    """A group; its roles are its members'."""

    id: str
    name: str
    description: str
    roles: list[str]
    managed_by: str
    created_at: Timestamp
    version: int


class GroupList(View):
    """A page of groups."""

    items: list[GroupView]
    next_cursor: str | None


class MemberView(View):
    """A member of a group."""

    user_id: str


class MemberList(View):
    """A page of a group's members."""

    items: list[MemberView]
    next_cursor: str | None


class ServicePatch(Body):
    """What may be changed of a service; what is left out stays."""

    status: Literal["active", "suspended"] | None = None
    roles: Roles | None = None


class ServiceView(View):
    """A program that its client certificate names."""

    name: str
    roles: list[str]
    status: str
    version: int


class ServiceList(View):
    """A page of services."""

    items: list[ServiceView]
    next_cursor: str | None


class PrincipalView(View):
    """Who the caller is."""

    type: str
    id: str


class Me(View):
    """The caller: principal, tenant, roles, effective permissions, scopes."""

    principal: PrincipalView
    tenant_id: str
    roles: list[str]
    permissions: list[str]
    limited: list[str]
    scopes: list[str]
