"""Policies, roles, protected APIs and known resources in memory."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from threading import Lock
from typing import TypeVar

from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Event, entered
from platforma.policy.errors import Moved
from platforma.policy.model import Policy, Role, Versions
from platforma.policy.ports import Page, Rules
from platforma.policy.protected_api import KnownResource, ProtectedAPI

T = TypeVar("T")
Versioned = TypeVar("Versioned", Policy, Role, ProtectedAPI, KnownResource)
Key = tuple[str, ...]


class MemoryPolicies:
    """`PolicyStore`, `RoleStore`, `ProtectedAPIStore` and `ResourceStore`. *record* gets each event."""

    def __init__(self, record: Callable[[Event], None] = lambda _: None) -> None:
        self._record = record
        self._lock = Lock()
        self._versions: dict[str, Versions] = {}
        self._policies: dict[Key, Policy] = {}
        self._revisions: dict[Key, list[Policy]] = {}
        self._roles: dict[Key, Role] = {}
        self._apis: dict[Key, ProtectedAPI] = {}
        self._resources: dict[Key, KnownResource] = {}

    def set_versions(self, tenant_id: str, versions: Versions) -> None:
        """Have the tenant's counters and status be these."""
        self._versions[tenant_id] = versions

    def versions(self, tenant_id: str) -> Versions | None:
        """The tenant's counters and status."""
        return self._versions.get(tenant_id)

    def load(self, tenant_id: str) -> Rules:
        """Everything that the tenant's decisions follow."""
        with self._lock:
            return Rules(
                roles=tuple(_of(tenant_id, self._roles)),
                policies=tuple(_of(tenant_id, self._policies)),
                apis=tuple(_of(tenant_id, self._apis)),
            )

    def create(self, policy: Policy, event: Event, *, unmoved: Versions | None = None) -> None:
        """Keep a new policy."""
        with self._lock:
            self._still(policy.tenant_id, unmoved)
            self._keep(self._policies, (policy.tenant_id, policy.id), policy, event, moves=True)
            self._revisions.setdefault((policy.tenant_id, policy.id), []).append(policy)

    def get(self, tenant_id: str, policy_id: str) -> Policy | None:
        """The policy as it stands."""
        return self._policies.get((tenant_id, policy_id))

    def page(self, tenant_id: str, *, after: str | None = None, limit: int = 50) -> Page[Policy]:
        """Policies by id."""
        return _page([one for one in _of(tenant_id, self._policies) if one.id > (after or "")], limit, lambda one: one.id)

    def replace(self, policy: Policy, event: Event, *, unmoved: Versions | None = None) -> None:
        """Keep *policy* in place of the version before."""
        self.create(policy, event, unmoved=unmoved)

    def delete(self, policy: Policy, event: Event, *, unmoved: Versions | None = None) -> None:
        """Take away *policy*."""
        with self._lock:
            self._still(policy.tenant_id, unmoved)
            self._drop(self._policies, (policy.tenant_id, policy.id), policy, event, moves=True)

    def revisions(self, tenant_id: str, policy_id: str, *, after: str | None = None, limit: int = 50) -> Page[Policy]:
        """The versions of a policy, newest first."""
        kept = reversed(self._revisions.get((tenant_id, policy_id), []))
        older = [one for one in kept if after is None or one.version < int(after)]
        return _page(older, limit, lambda one: str(one.version))

    def role(self, tenant_id: str, name: str) -> Role | None:
        """The role as it stands."""
        return self._roles.get((tenant_id, name))

    def roles(self, tenant_id: str) -> tuple[Role, ...]:
        """All of the tenant's own roles, by name."""
        return tuple(_of(tenant_id, self._roles))

    def put_role(self, role: Role, event: Event, *, unmoved: Versions | None = None) -> None:
        """Keep *role* in place of the version before."""
        with self._lock:
            self._still(role.tenant_id, unmoved)
            self._keep(self._roles, (role.tenant_id, role.name), role, event, moves=True)

    def delete_role(self, role: Role, event: Event, *, unmoved: Versions | None = None) -> None:
        """Take away *role*."""
        with self._lock:
            self._still(role.tenant_id, unmoved)
            self._drop(self._roles, (role.tenant_id, role.name), role, event, moves=True)

    def api(self, tenant_id: str, api_id: str) -> ProtectedAPI | None:
        """The API as it stands."""
        return self._apis.get((tenant_id, api_id))

    def apis(self, tenant_id: str, *, after: str | None = None, limit: int = 50) -> Page[ProtectedAPI]:
        """APIs by id."""
        return _page([one for one in _of(tenant_id, self._apis) if one.id > (after or "")], limit, lambda one: one.id)

    def put_api(self, api: ProtectedAPI, event: Event) -> None:
        """Keep *api* in place of the version before."""
        with self._lock:
            if any(other.audience == api.audience and other.id != api.id for other in _of(api.tenant_id, self._apis)):
                raise Conflict("Another API has this audience.")
            self._keep(self._apis, (api.tenant_id, api.id), api, event, moves=True)

    def delete_api(self, api: ProtectedAPI, event: Event) -> None:
        """Take away *api*."""
        with self._lock:
            self._drop(self._apis, (api.tenant_id, api.id), api, event, moves=True)

    def resource(self, tenant_id: str, resource_type: str, resource_id: str) -> KnownResource | None:
        """What is known of this resource."""
        return self._resources.get((tenant_id, resource_type, resource_id))

    def resources(
        self, tenant_id: str, resource_type: str, *, after: str | None = None, limit: int = 50
    ) -> Page[KnownResource]:
        """What is known of the resources of this type, by id."""
        kept = [one for one in _of(tenant_id, self._resources) if one.type == resource_type and one.id > (after or "")]
        return _page(kept, limit, lambda one: one.id)

    def put_resource(self, resource: KnownResource, event: Event) -> None:
        """Keep *resource* in place of the version before."""
        with self._lock:
            key = (resource.tenant_id, resource.type, resource.id)
            if resource.version == 1 and key in self._resources:
                raise PreconditionFailed
            self._keep(self._resources, key, resource, event, moves=False)

    def delete_resource(self, resource: KnownResource, event: Event) -> None:
        """Forget *resource*."""
        with self._lock:
            self._drop(self._resources, (resource.tenant_id, resource.type, resource.id), resource, event, moves=False)

    def _still(self, tenant_id: str, unmoved: Versions | None) -> None:
        if unmoved is not None and self._versions.get(tenant_id) != unmoved:
            raise Moved

    def _keep(self, kept: dict[Key, Versioned], key: Key, one: Versioned, event: Event, *, moves: bool) -> None:
        before = kept.get(key)
        if one.version == 1 and before is not None:
            raise Conflict
        if one.version > 1 and (before is None or before.version != one.version - 1):
            raise PreconditionFailed
        kept[key] = one
        self._done(key[0], event, moves=moves)

    def _drop(self, kept: dict[Key, Versioned], key: Key, one: Versioned, event: Event, *, moves: bool) -> None:
        before = kept.get(key)
        if before is None or before.version != one.version:
            raise PreconditionFailed
        del kept[key]
        self._done(key[0], event, moves=moves)

    def _done(self, tenant_id: str, event: Event, *, moves: bool) -> None:
        versions = self._versions.get(tenant_id, Versions(policy=1, revocation=1, status="active"))
        self._versions[tenant_id] = replace(versions, policy=versions.policy + moves)
        self._record(event)
        entered((event,))


def _of(tenant_id: str, kept: dict[Key, T]) -> Iterable[T]:
    return (one for key, one in sorted(kept.items(), key=lambda item: item[0]) if key[0] == tenant_id)


def _page(items: list[T], limit: int, position: Callable[[T], str]) -> Page[T]:
    return Page(tuple(items[:limit]), position(items[limit - 1]) if len(items) > limit else None)
