"""
A tenant is deleted: unusable at once, restorable for seven days, then its key is destroyed and with it what it sealed.

The audit log stays, and stays verifiable. Backups hold the sealed data for their 35 days more, without the key. What may not
be erased is not: *may_erase* is asked before the tenant is deleted, and again before its key is destroyed, when nobody of it
can decide otherwise any more.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from platforma.identity.changes import changed
from platforma.identity.lockout import settled
from platforma.identity.model import RESTORABLE_FOR, Tenant
from platforma.identity.ports import Shredder, Tenants
from platforma.identity.read_tenant import read_tenant
from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Attempt

MayErase = Callable[[str], None]
"""Raises a `Conflict` where what a tenant has must be kept."""


def anything(_tenant_id: str) -> None:
    """Nothing must be kept."""


def delete_tenant(
    tenant_id: str,
    *,
    immediate: bool = False,
    if_match: int | None,
    tenants: Tenants,
    shredder: Shredder,
    attempt: Attempt,
    may_erase: MayErase = anything,
) -> Tenant:
    """
    The tenant, pending deletion; with *immediate* deleted, its key destroyed before this returns.

    Asked again it changes nothing but what *immediate* adds, and finishes a destruction that was interrupted.

    Raises:
        NotFound: there is none.
        PreconditionFailed: it has another version.
        Conflict: *may_erase* says so.
    """

    def write() -> Tenant:
        before = read_tenant(tenant_id, tenants=tenants)
        if before.status == "deleted":
            return before
        if if_match not in (None, before.version):
            raise PreconditionFailed
        if before.status == "pending_deletion" and not immediate:
            return before
        may_erase(tenant_id)
        now = attempt.clock()
        after = replace(
            before,
            version=before.version + 1,
            status="deleted" if immediate else "pending_deletion",
            purge_after=now if immediate else now + RESTORABLE_FOR,
        )
        event = attempt.event("success", resource=tenant_id, resource_type="tenant", changes=changed(before, after))
        tenants.replace(before, after, event)
        return after

    tenant = settled(write, again_if_stale=if_match is None)
    if tenant.status == "deleted" and tenant.purge_after is not None:
        return end_tenant(tenant, tenants=tenants, shredder=shredder, attempt=attempt, may_erase=may_erase)
    return tenant


def restore_tenant(tenant_id: str, *, if_match: int | None, tenants: Tenants, attempt: Attempt) -> Tenant:
    """
    The tenant, in use again.

    Raises:
        NotFound: there is none.
        PreconditionFailed: it has another version.
        Conflict: it is not pending deletion, or its seven days are over.
    """

    def write() -> Tenant:
        before = read_tenant(tenant_id, tenants=tenants)
        if if_match not in (None, before.version):
            raise PreconditionFailed
        if before.status != "pending_deletion" or is_due(before, attempt.clock()):
            raise Conflict("Only a tenant pending deletion can be restored, for seven days.")
        after = replace(before, version=before.version + 1, status="active", purge_after=None)
        event = attempt.event("success", resource=tenant_id, resource_type="tenant", changes=changed(before, after))
        tenants.replace(before, after, event)
        return after

    return settled(write, again_if_stale=if_match is None)


def purge_tenant(
    tenant: Tenant, *, tenants: Tenants, shredder: Shredder, attempt: Attempt, may_erase: MayErase = anything
) -> Tenant:
    """
    The tenant, deleted for good; for the scheduled run over those that `is_due`.

    Raises:
        Conflict: its seven days are not over, or *may_erase* says so.
        PreconditionFailed: it was restored in the meantime.
    """
    if not is_due(tenant, attempt.clock()):
        raise Conflict("The tenant can still be restored.")
    may_erase(tenant.id)
    after = replace(tenant, version=tenant.version + 1, status="deleted")
    event = attempt.event("success", resource=tenant.id, resource_type="tenant", changes=changed(tenant, after))
    tenants.replace(tenant, after, event)
    return end_tenant(after, tenants=tenants, shredder=shredder, attempt=attempt, may_erase=may_erase)


def end_tenant(
    tenant: Tenant, *, tenants: Tenants, shredder: Shredder, attempt: Attempt, may_erase: MayErase = anything
) -> Tenant:
    """
    The deleted tenant, its key destroyed and that noted; doing it again changes nothing.

    Raises:
        Unavailable, Conflict: it is not done, and *purge_after* says so.
    """
    may_erase(tenant.id)
    shredder.shred(tenant.id, attempt)
    return tenants.note_end(tenant)


def is_due(tenant: Tenant, now: datetime) -> bool:
    """Whether the tenant is pending deletion and its days to be restored are over."""
    return tenant.status == "pending_deletion" and tenant.purge_after is not None and tenant.purge_after <= now
