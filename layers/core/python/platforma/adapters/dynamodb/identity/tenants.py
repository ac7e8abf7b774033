"""Tenants in DynamoDB."""

from dataclasses import replace
from typing import Any, cast

from platforma.adapters.dynamodb.identity.items import OwnedItem, TenantItem, UserItem, read, read_page
from platforma.adapters.dynamodb.identity.people import People
from platforma.adapters.dynamodb.single import written
from platforma.adapters.dynamodb.tables import Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.adapters.dynamodb.versions import SK, VersionsItem
from platforma.identity.model import Page, Tenant, TenantStatus, User
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import Broken, PreconditionFailed
from platforma.kernel.events import Event
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.envelope import Envelope
from platforma.keys.ports import Secrets

_PREFIX = "TENANT#"
_MADE_TWICE = "An id was made twice."


class DynamoTenants:
    """`Tenants`. The tenant's status stands in its versions as well, where every function that authenticates reads it."""

    def __init__(self, tables: Tables, outbox: Outbox, envelope: Envelope, secrets: Secrets) -> None:
        self._tables = tables
        self._outbox = outbox
        self._people = People(envelope, secrets)

    def create(self, tenant: Tenant, admin: User, password_hash: str | None, event: Event) -> None:
        """Add the tenant, its versions and its first user."""
        user = self._people.item(admin, password_hash, event)
        email = OwnedItem(tenant.id, user.email_key, owner=admin.id)
        refused = Broken(_MADE_TWICE)
        t = Transaction(self._tables, self._outbox)
        t.put(_item(tenant), TenantItem.pk.does_not_exist(), refused=refused)
        t.put(VersionsItem(tenant.id, SK, status=tenant.status), VersionsItem.pk.does_not_exist(), refused=refused)
        t.put(user, UserItem.pk.does_not_exist(), refused=refused)
        t.put(email, OwnedItem.pk.does_not_exist(), refused=refused)
        t.commit(event)

    def get(self, tenant_id: str) -> Tenant | None:
        """The tenant, whatever its status."""
        item = read(TenantItem, PLATFORM, _PREFIX + tenant_id)
        return None if item is None else _tenant(item)

    def page(self, *, limit: int, after: str | None) -> Page[Tenant]:
        """Tenants by id."""
        return read_page(
            TenantItem, PLATFORM, _PREFIX, limit=limit, after=after, make=lambda items: [_tenant(item) for item in items]
        )

    def replace(self, before: Tenant, after: Tenant, event: Event) -> None:
        """Change a tenant; a new status moves the revocation version with it."""
        item = _item(after)
        t = Transaction(self._tables, self._outbox)
        t.put(item, TenantItem.version == before.version, refused=PreconditionFailed())
        if before.status != after.status:
            actions: list[Any] = [VersionsItem.status.set(after.status), VersionsItem.revocation_version.add(1)]
            t.update(VersionsItem(after.id, SK), actions)
        t.commit(event)

    def note_end(self, tenant: Tenant) -> Tenant:
        """Note that the tenant's key is destroyed."""
        item = TenantItem(PLATFORM, _PREFIX + tenant.id)
        actions: list[Any] = [TenantItem.purge_after.remove(), TenantItem.version.set(tenant.version + 1)]
        written(item, actions, (TenantItem.version == tenant.version) & (TenantItem.status == "deleted"))
        return replace(tenant, purge_after=None, version=tenant.version + 1)


def _item(tenant: Tenant) -> TenantItem:
    return TenantItem(
        PLATFORM,
        _PREFIX + tenant.id,
        name=tenant.name,
        status=tenant.status,
        created_at=rfc3339(tenant.created_at),
        purge_after=None if tenant.purge_after is None else rfc3339(tenant.purge_after),
        version=tenant.version,
        logo=tenant.logo,
    )


def _tenant(item: TenantItem) -> Tenant:
    return Tenant(
        id=item.sk.removeprefix(_PREFIX),
        name=item.name,
        status=cast("TenantStatus", item.status),
        created_at=parse_rfc3339(item.created_at),
        purge_after=None if item.purge_after is None else parse_rfc3339(item.purge_after),
        version=int(item.version),
        logo=item.logo,
    )
