"""The versions of a tenant's key: a new one at once, or every so often."""

from datetime import timedelta
from typing import Protocol

from platforma.kernel.errors import Conflict
from platforma.kernel.events import Attempt, Event
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.model import TenantKey
from platforma.keys.ports import TenantKeyVersions


class Entering(Protocol):
    """The outbox, for an event that belongs to no transaction of ours."""

    def enter(self, event: Event) -> None:
        """Record *event*, once."""


def read_tenant_key(tenant_id: str, *, keys: TenantKeyVersions) -> TenantKey:
    """
    The tenant's key as its keeper describes it.

    Raises:
        Unavailable: the keeper is gone.
    """
    return keys.describe(tenant_id)


def rotate_tenant_key(tenant_id: str, *, keys: TenantKeyVersions, outbox: Entering, attempt: Attempt) -> TenantKey:
    """
    The tenant's key with a new version, which is recorded once it is there.

    Instances seal under the version before for as long as they keep its data keys: `KEY_LIFETIME`.

    Raises:
        Unavailable: the keeper is gone, or the log is; whether the version was made is not known.
    """
    before = keys.describe(tenant_id)
    keys.rotate(tenant_id)
    after = keys.describe(tenant_id)
    changes = {"before": {"version": before.latest_version}, "after": {"version": after.latest_version}}
    outbox.enter(attempt.event("success", resource=f"tenant-{tenant_id}", resource_type="tenant_key", changes=changes))
    return after


def schedule_rotation(
    tenant_id: str, period: timedelta, *, keys: TenantKeyVersions, outbox: Entering, attempt: Attempt
) -> TenantKey:
    """
    The tenant's key, which gets a new version whenever the newest is *period* old.

    Raises:
        Conflict: it is the platform, whose operator moves its keys.
        Unavailable: the keeper is gone, or the log is; whether it is as asked is not known.
    """
    if tenant_id == PLATFORM:
        raise Conflict("The platform's own keys are its operator's to move.")
    before = keys.describe(tenant_id)
    keys.rotate_every(tenant_id, period)
    after = keys.describe(tenant_id)
    changes = {"before": _told(before), "after": _told(after)}
    outbox.enter(attempt.event("success", resource=f"tenant-{tenant_id}", resource_type="tenant_key", changes=changes))
    return after


def _told(key: TenantKey) -> dict[str, float | None]:
    return {"auto_rotate_period": key.rotated_every.total_seconds() if key.rotated_every else None}
