"""Tenants: made with their key and first administrator, deleted in two steps."""

from datetime import timedelta

import pytest

from platforma.identity import change_tenant, delete_tenant, due_tenants, purge_tenant, read_tenant, restore_tenant
from platforma.kernel.errors import Conflict, NotFound, PreconditionFailed, Unavailable, Unprocessable


def _delete(house, **more):
    rest = {"if_match": None, "tenants": house.tenants, "shredder": house, "attempt": house.attempt(), **more}
    return delete_tenant(house.tenant.id, **rest)


def test_a_tenant_has_a_key_and_an_administrator(house):
    assert house.keys.generate(house.tenant.id, "identity")
    assert (house.admin.roles, house.admin.status) == (("admin",), "active")
    assert house.store.versions[house.tenant.id].status == "active"


def test_the_event_tells_of_tenant_and_administrator(house):
    (event,) = house.events

    assert (event.resource, event.resource_type) == (house.tenant.id, "tenant")
    assert event.changes["after"]["admin"]["user_id"] == house.admin.id


def test_without_vault_there_is_no_tenant(house):
    house.keys.gone = True

    with pytest.raises(Unavailable):
        house.make_tenant()

    assert list(house.store.tenants) == [house.tenant.id]


@pytest.mark.parametrize("changes", [{"status": "deleted"}, {"name": ""}, {"id": "x"}, {"status": ["active"]}])
def test_a_change_that_is_not_valid_is_refused(house, changes):
    with pytest.raises(Unprocessable):
        change_tenant(house.tenant.id, changes, if_match=None, tenants=house.tenants, attempt=house.attempt())


def test_a_suspended_tenant_is_suspended_everywhere(house):
    change_tenant(house.tenant.id, {"status": "suspended"}, if_match=1, tenants=house.tenants, attempt=house.attempt())

    assert house.store.versions[house.tenant.id].status == "suspended"


def test_a_tenant_pending_deletion_can_only_be_restored(house):
    _delete(house)

    with pytest.raises(Conflict):
        change_tenant(house.tenant.id, {"name": "A"}, if_match=None, tenants=house.tenants, attempt=house.attempt())
    with pytest.raises(PreconditionFailed):
        restore_tenant(house.tenant.id, if_match=1, tenants=house.tenants, attempt=house.attempt())

    assert restore_tenant(house.tenant.id, if_match=2, tenants=house.tenants, attempt=house.attempt()).status == "active"


def test_restoring_ends_with_the_seventh_day_and_purging_begins(house):
    tenant = _delete(house)
    house.now += timedelta(days=7) - timedelta(seconds=1)
    early = list(due_tenants(tenants=house.tenants, now=house.now))
    with pytest.raises(Conflict):
        purge_tenant(tenant, tenants=house.tenants, shredder=house, attempt=house.attempt())
    house.now += timedelta(seconds=1)

    with pytest.raises(Conflict):
        restore_tenant(tenant.id, if_match=None, tenants=house.tenants, attempt=house.attempt())
    (due,) = due_tenants(tenants=house.tenants, now=house.now)
    purged = purge_tenant(due, tenants=house.tenants, shredder=house, attempt=house.attempt())

    assert (early, purged.status) == ([], "deleted")


def test_a_destruction_that_was_interrupted_is_finished_by_asking_again(house):
    class Interrupted:
        def shred(self, tenant_id, attempt):
            raise Unavailable

    with pytest.raises(Unavailable):
        _delete(house, immediate=True, if_match=1, shredder=Interrupted())

    assert _delete(house, immediate=True, if_match=1).status == "deleted"
    assert house.tenant.id not in house.keys._keys


def test_deleting_again_changes_nothing(house):
    first = _delete(house)
    again = house.attempt()

    assert _delete(house, attempt=again) == first
    assert not again.entered


def test_what_is_no_tenant_is_not_found(house):
    for tenant_id in ("ten_01j0000000e008000000000000", "ten_", "x#y"):
        with pytest.raises(NotFound):
            read_tenant(tenant_id, tenants=house.tenants)
