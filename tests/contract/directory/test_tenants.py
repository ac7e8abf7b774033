"""Tenants made, listed, renamed, deleted and restored, in memory and in DynamoDB."""

import pytest

from platforma.identity import (
    change_tenant,
    delete_tenant,
    list_tenants,
    restore_tenant,
)
from platforma.kernel.errors import PlatformaError


def test_a_tenant_deleted_can_be_restored_with_its_status_seen_everywhere(world):
    tenant, _ = world.tenant()
    tenants = world.make()[0]

    deleted = delete_tenant(tenant.id, if_match=1, tenants=tenants, shredder=world, attempt=world.attempt())
    while_deleted = world.versions(tenant.id)
    restored = restore_tenant(tenant.id, if_match=None, tenants=tenants, attempt=world.attempt())

    assert (deleted.status, while_deleted) == ("pending_deletion", ("pending_deletion", 1, 2))
    assert (restored.status, world.versions(tenant.id)) == ("active", ("active", 1, 3))
    assert tenants.get(tenant.id) == restored


def test_a_tenant_deleted_at_once_has_no_key(world):
    tenant, _ = world.tenant()
    tenants = world.make()[0]

    deleted = delete_tenant(
        tenant.id, immediate=True, if_match=None, tenants=tenants, shredder=world, attempt=world.attempt()
    )

    assert deleted.status == "deleted"
    with pytest.raises(PlatformaError):
        world.keys.generate(tenant.id, "identity")


def test_tenants_are_listed_page_by_page_and_renamed(world):
    made = [world.tenant()[0] for _ in range(3)]
    tenants = world.make()[0]
    change_tenant(made[0].id, {"name": "Ajax"}, if_match=1, tenants=tenants, attempt=world.attempt())

    first = list_tenants(tenants=tenants, limit=2)
    rest = list_tenants(tenants=tenants, limit=2, after=first.after)

    names = {tenant.id: tenant.name for tenant in (*first.items, *rest.items)}
    assert names == {made[0].id: "Ajax", made[1].id: "Acme", made[2].id: "Acme"}
