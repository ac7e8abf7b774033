"""Tenants: made with their key and first administrator, deleted in two steps."""

from datetime import timedelta

import pytest

from platforma.identity import (
    Purge,
    change_tenant,
    delete_tenant,
    purge_tenant,
    purge_tenants,
    read_tenant,
    restore_tenant,
    unfinished_tenants,
)
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
    early = list(unfinished_tenants(tenants=house.tenants, now=house.now))
    with pytest.raises(Conflict):
        purge_tenant(tenant, tenants=house.tenants, shredder=house, attempt=house.attempt())
    house.now += timedelta(seconds=1)

    with pytest.raises(Conflict):
        restore_tenant(tenant.id, if_match=None, tenants=house.tenants, attempt=house.attempt())
    (due,) = unfinished_tenants(tenants=house.tenants, now=house.now)
    purged = purge_tenant(due, tenants=house.tenants, shredder=house, attempt=house.attempt())

    assert (early, purged.status) == ([], "deleted")


def test_a_destruction_that_was_interrupted_is_finished_by_asking_again(house):
    with pytest.raises(Unavailable):
        _delete(house, immediate=True, if_match=1, shredder=Interrupted(house, house.tenant.id))

    assert _delete(house, immediate=True, if_match=1).status == "deleted"
    assert house.tenant.id not in house.keys._keys


class Interrupted:
    """Vault, gone at the destruction of one tenant's key."""

    def __init__(self, house, tenant_id):
        self.house, self.tenant_id = house, tenant_id

    def shred(self, tenant_id, attempt):
        if tenant_id == self.tenant_id:
            raise Unavailable
        self.house.shred(tenant_id, attempt)


def run(house, shredder=None, **more):
    return purge_tenants(tenants=house.tenants, shredder=shredder or house, begin=house.attempt, now=house.now, **more)


def test_a_run_ends_who_is_due_and_nobody_else(house):
    kept, later = house.make_tenant()[0], house.make_tenant()[0]
    _delete(house)
    house.now += timedelta(days=3)
    delete_tenant(later.id, if_match=None, tenants=house.tenants, shredder=house, attempt=house.attempt())
    house.now += timedelta(days=4)

    assert run(house).ended == (house.tenant.id,)
    assert run(house).ended == ()
    statuses = {each.id: each.status for each in house.tenants.page(limit=10, after=None).items}
    assert statuses == {house.tenant.id: "deleted", kept.id: "active", later.id: "pending_deletion"}
    assert house.tenant.id not in house.keys._keys
    assert {kept.id, later.id} <= set(house.keys._keys)


def test_a_run_goes_on_where_another_was_interrupted_between_the_mark_and_the_key(house):
    due = _delete(house)
    house.now += timedelta(days=7)
    with pytest.raises(Unavailable):
        purge_tenant(due, tenants=house.tenants, shredder=Interrupted(house, due.id), attempt=house.attempt())
    between = read_tenant(due.id, tenants=house.tenants)

    assert run(house).ended == (due.id,)
    assert (between.status, between.purge_after is None) == ("deleted", False)
    assert read_tenant(due.id, tenants=house.tenants).purge_after is None
    assert due.id not in house.keys._keys


def test_a_run_goes_on_where_a_deletion_at_once_was_interrupted(house):
    with pytest.raises(Unavailable):
        _delete(house, immediate=True, if_match=1, shredder=Interrupted(house, house.tenant.id))

    assert run(house).ended == (house.tenant.id,)
    assert house.tenant.id not in house.keys._keys


def test_a_run_interrupted_between_the_key_and_its_note_is_repeated_to_the_same_end(house, monkeypatch):
    _delete(house)
    house.now += timedelta(days=7)

    def killed(_):
        raise Unavailable

    with monkeypatch.context() as dying:
        dying.setattr(house.tenants, "note_end", killed)
        assert run(house).failed == (house.tenant.id,)
    events = len(house.events)

    assert run(house).ended == (house.tenant.id,)
    assert len(house.events) == events, "the mark is told once"


class Held:
    """A legal hold on one tenant, that can be lifted."""

    def __init__(self, tenant_id):
        self.tenant_id = tenant_id

    def __call__(self, tenant_id):
        if tenant_id == self.tenant_id:
            raise Conflict


def test_what_must_be_kept_is_not_deleted(house):
    for immediate in (True, False):
        with pytest.raises(Conflict):
            _delete(house, immediate=immediate, if_match=1, may_erase=Held(house.tenant.id))

    assert read_tenant(house.tenant.id, tenants=house.tenants).status == "active"
    assert house.tenant.id in house.keys._keys


def test_a_hold_that_comes_between_the_mark_and_the_key_keeps_the_key(house):
    held = Held("")

    class Replaced(type(house.tenants)):
        """The hold commits in the moment in which the tenant is marked."""

        def replace(self, before, after, event):
            super().replace(before, after, event)
            held.tenant_id = after.id

    house.tenants.__class__ = Replaced
    with pytest.raises(Conflict):
        _delete(house, immediate=True, if_match=1, may_erase=held)

    assert house.tenant.id in house.keys._keys
    assert run(house, may_erase=held).kept == (house.tenant.id,)
    held.tenant_id = ""
    assert run(house, may_erase=held).ended == (house.tenant.id,)
    assert house.tenant.id not in house.keys._keys


def test_a_run_keeps_whom_a_hold_is_on_and_ends_the_others(house):
    other = house.make_tenant()[0]
    for tenant in (house.tenant, other):
        delete_tenant(tenant.id, if_match=None, tenants=house.tenants, shredder=house, attempt=house.attempt())
    house.now += timedelta(days=7)

    purge = run(house, may_erase=Held(house.tenant.id))

    assert (purge.ended, purge.kept, purge.failed) == ((other.id,), (house.tenant.id,), ())
    assert read_tenant(house.tenant.id, tenants=house.tenants).status == "pending_deletion"


def test_a_tenant_that_cannot_be_ended_holds_up_no_other(house):
    other = house.make_tenant()[0]
    for tenant in (house.tenant, other):
        delete_tenant(tenant.id, if_match=None, tenants=house.tenants, shredder=house, attempt=house.attempt())
    house.now += timedelta(days=7)

    first = run(house, Interrupted(house, house.tenant.id))
    second = run(house)

    assert (first.ended, first.failed) == ((other.id,), (house.tenant.id,))
    assert (second.ended, second.failed) == ((house.tenant.id,), ())


def test_a_tenant_restored_in_the_last_moment_lives(house, monkeypatch):
    _delete(house)
    asked_at = house.now
    house.now += timedelta(days=7)
    real = house.tenants.replace

    def restored_first(before, after, event):
        monkeypatch.setattr(house.tenants, "replace", real)
        house.now, now = asked_at, house.now
        restore_tenant(house.tenant.id, if_match=None, tenants=house.tenants, attempt=house.attempt())
        house.now = now
        real(before, after, event)

    monkeypatch.setattr(house.tenants, "replace", restored_first)

    assert run(house) == Purge((), ())
    assert read_tenant(house.tenant.id, tenants=house.tenants).status == "active"
    assert house.tenant.id in house.keys._keys


def test_deleting_again_changes_nothing(house):
    first = _delete(house)
    again = house.attempt()

    assert _delete(house, attempt=again) == first
    assert not again.entered


def test_what_is_no_tenant_is_not_found(house):
    for tenant_id in ("ten_01j0000000e008000000000000", "ten_", "x#y"):
        with pytest.raises(NotFound):
            read_tenant(tenant_id, tenants=house.tenants)
