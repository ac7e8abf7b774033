"""Tenants in memory."""

from dataclasses import replace

from platforma.adapters.memory.identity.store import MemoryIdentity, MemoryVersions, given_by, page_of
from platforma.identity.model import Page, Tenant, User
from platforma.kernel.events import Event


class MemoryTenants:
    """`Tenants`."""

    def __init__(self, store: MemoryIdentity) -> None:
        self._store = store

    def create(self, tenant: Tenant, admin: User, password_hash: str | None, event: Event) -> None:
        """Add the tenant, its versions and its first user."""
        with self._store.lock:
            self._store.commit(event)
            self._store.tenants[tenant.id] = tenant
            self._store.versions[tenant.id] = MemoryVersions(status=tenant.status)
            self._store.users[tenant.id, admin.id] = given_by(None, admin, event)
            if password_hash is not None:
                self._store.passwords[tenant.id, admin.id] = password_hash

    def get(self, tenant_id: str) -> Tenant | None:
        """The tenant, whatever its status."""
        return self._store.tenants.get(tenant_id)

    def page(self, *, limit: int, after: str | None) -> Page[Tenant]:
        """Tenants by id."""
        return page_of(self._store.tenants.values(), limit, after)

    def replace(self, before: Tenant, after: Tenant, event: Event) -> None:
        """Change a tenant."""
        with self._store.lock:
            self._store.requires(self._store.tenants.get(before.id), before)
            self._store.commit(event)
            self._store.tenants[after.id] = after
            if before.status != after.status:
                self._store.moves(after.id, revocation=True)
                self._store.versions[after.id].status = after.status

    def note_end(self, tenant: Tenant) -> Tenant:
        """Note that the tenant's key is destroyed."""
        with self._store.lock:
            after = replace(tenant, purge_after=None, version=tenant.version + 1)
            kept = self._store.tenants[tenant.id]
            if (kept.version, kept.status) == (tenant.version, "deleted"):
                self._store.tenants[tenant.id] = after
            return after
