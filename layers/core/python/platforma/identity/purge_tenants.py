"""
The scheduled end of tenants: those whose days to be restored are over, and those whose end was interrupted.

A tenant is first marked deleted, then its key is destroyed, then that is noted. After a run that was killed between any two
the next one goes on: until it is noted, *purge_after* stands.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from platforma.identity.delete_tenant import MayErase, anything, end_tenant, is_due, purge_tenant
from platforma.identity.model import Tenant
from platforma.identity.ports import Shredder, Tenants
from platforma.kernel.errors import Conflict, PlatformaError, PreconditionFailed
from platforma.kernel.events import Attempt


@dataclass(frozen=True, slots=True)
class Purge:
    """
    What a run came to: tenants that are gone now, those whose end failed, and those that must be kept; the next run tries
    the latter two again.
    """

    ended: tuple[str, ...]
    failed: tuple[str, ...]
    kept: tuple[str, ...] = ()


def purge_tenants(
    *,
    tenants: Tenants,
    shredder: Shredder,
    begin: Callable[[], Attempt],
    now: datetime,
    may_erase: MayErase = anything,
) -> Purge:
    """End every tenant that is due, each by an attempt of its own that *begin* makes; one that fails holds up no other."""
    ended, failed, kept = [], [], []
    for tenant in list(unfinished_tenants(tenants=tenants, now=now)):
        try:
            if tenant.status == "deleted":
                end_tenant(tenant, tenants=tenants, shredder=shredder, attempt=begin(), may_erase=may_erase)
            else:
                purge_tenant(tenant, tenants=tenants, shredder=shredder, attempt=begin(), may_erase=may_erase)
        except PreconditionFailed:  # it was restored, or another run came first
            continue
        except Conflict:
            kept.append(tenant.id)
        except PlatformaError:
            failed.append(tenant.id)
        else:
            ended.append(tenant.id)
    return Purge(tuple(ended), tuple(failed), tuple(kept))


def unfinished_tenants(*, tenants: Tenants, now: datetime) -> Iterator[Tenant]:
    """Every tenant that `is_due`, or is deleted and not known to have lost its key."""
    after: str | None = None
    while True:
        page = tenants.page(limit=200, after=after)
        for tenant in page.items:
            if is_due(tenant, now) or (tenant.status == "deleted" and tenant.purge_after is not None):
                yield tenant
        if (after := page.after) is None:
            return
