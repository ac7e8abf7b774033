"""What decisions need kept: a tenant's policies, roles, protected APIs and known resources, and the counters over them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from platforma.kernel.events import Event
from platforma.policy.model import Policy, Role, Subject, Versions
from platforma.policy.protected_api import KnownResource, ProtectedAPI

T = TypeVar("T")


class Page(NamedTuple, Generic[T]):
    """Some of a list, and the position to go on from (to be signed by whoever hands it out), or None at its end."""

    items: tuple[T, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Rules:
    """All of a tenant that decisions follow: its own roles, its policies and its protected APIs."""

    roles: tuple[Role, ...] = ()
    policies: tuple[Policy, ...] = ()
    apis: tuple[ProtectedAPI, ...] = ()


class RulesSource(Protocol):
    """Where compiled policy comes from. Both reads are consistent."""

    def versions(self, tenant_id: str) -> Versions | None:
        """The tenant's counters and status; None for a tenant that does not exist."""

    def load(self, tenant_id: str) -> Rules:
        """Everything that the tenant's decisions follow."""


class PolicyStore(RulesSource, Protocol):
    """
    Policies, each with all its versions. Every write enters its event and moves the policy version, in one transaction.

    *unmoved*, where given, are the counters that must still stand: what was checked against them holds.
    """

    def create(self, policy: Policy, event: Event, *, unmoved: Versions | None = None) -> None:
        """
        Keep a new policy.

        Raises:
            Conflict: a policy of this id exists.
            Moved: the counters are not *unmoved* any more.
        """

    def get(self, tenant_id: str, policy_id: str) -> Policy | None:
        """The policy as it stands."""

    def page(self, tenant_id: str, *, after: str | None = None, limit: int = 50) -> Page[Policy]:
        """Policies by id, those after the position *after*."""

    def replace(self, policy: Policy, event: Event, *, unmoved: Versions | None = None) -> None:
        """
        Keep *policy* in place of its version `policy.version - 1`.

        Raises:
            PreconditionFailed: that is not the version that stands.
            Moved: the counters are not *unmoved* any more.
        """

    def delete(self, policy: Policy, event: Event, *, unmoved: Versions | None = None) -> None:
        """
        Take away *policy*; its versions stay readable.

        Raises:
            PreconditionFailed: it is not the version that stands.
            Moved: the counters are not *unmoved* any more.
        """

    def revisions(self, tenant_id: str, policy_id: str, *, after: str | None = None, limit: int = 50) -> Page[Policy]:
        """The versions of a policy, newest first, those after the position *after*."""


class RoleStore(RulesSource, Protocol):
    """A tenant's own roles; writes as in `PolicyStore`."""

    def role(self, tenant_id: str, name: str) -> Role | None:
        """The role as it stands."""

    def roles(self, tenant_id: str) -> tuple[Role, ...]:
        """All of the tenant's own roles, by name."""

    def put_role(self, role: Role, event: Event, *, unmoved: Versions | None = None) -> None:
        """
        Keep *role* in place of its version `role.version - 1`; version 1 is a new one.

        Raises:
            Conflict: a role of this name exists.
            Moved: the counters are not *unmoved* any more.
            PreconditionFailed: that is not the version that stands.
        """

    def delete_role(self, role: Role, event: Event, *, unmoved: Versions | None = None) -> None:
        """
        Take away *role*; who had it has nothing by it.

        Raises:
            PreconditionFailed: it is not the version that stands.
            Moved: the counters are not *unmoved* any more.
        """


class ProtectedAPIStore(Protocol):
    """Other APIs that the authorizer guards. Writes move the policy version, since APIs bring domains and routes."""

    def api(self, tenant_id: str, api_id: str) -> ProtectedAPI | None:
        """The API as it stands."""

    def apis(self, tenant_id: str, *, after: str | None = None, limit: int = 50) -> Page[ProtectedAPI]:
        """APIs by id, those after the position *after*."""

    def put_api(self, api: ProtectedAPI, event: Event) -> None:
        """
        Keep *api* in place of its version `api.version - 1`; version 1 is a new one.

        Raises:
            Conflict: an API of this id exists, or another one of the tenant has its audience.
            PreconditionFailed: that is not the version that stands.
        """

    def delete_api(self, api: ProtectedAPI, event: Event) -> None:
        """
        Take away *api*.

        Raises:
            PreconditionFailed: it is not the version that stands.
        """


class ResourceStore(Protocol):
    """What is known of resources that others own. Read at each decision that needs it, so writes move no version."""

    def resource(self, tenant_id: str, resource_type: str, resource_id: str) -> KnownResource | None:
        """What is known of this resource."""

    def resources(
        self, tenant_id: str, resource_type: str, *, after: str | None = None, limit: int = 50
    ) -> Page[KnownResource]:
        """What is known of the resources of this type, by id, those after the position *after*."""

    def put_resource(self, resource: KnownResource, event: Event) -> None:
        """
        Keep *resource* in place of its version `resource.version - 1`; version 1 is a new one.

        Raises:
            PreconditionFailed: that is not the version that stands.
        """

    def delete_resource(self, resource: KnownResource, event: Event) -> None:
        """
        Forget *resource*.

        Raises:
            PreconditionFailed: it is not the version that stands.
        """


class Member(NamedTuple):
    """An active user with all its roles and groups. *able* is whether it can sign in without SSO."""

    subject: Subject
    able: bool


class Holders(Protocol):
    """The tenant's people, as the lock-out guard and the count of who is narrowed ask for them."""

    def __call__(self, tenant_id: str, roles: frozenset[str]) -> Iterable[Member]:
        """The active users who hold one of *roles*, by hand or by a group."""
