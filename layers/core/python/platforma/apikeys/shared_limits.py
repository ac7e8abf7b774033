"""
Rate limits that many keys share: an owner's, over all of the owner's keys, and a tenant's, over all of the tenant's.

A tenant's administrators set their owners' limits, the platform sets the tenants'.
"""

from collections import OrderedDict
from collections.abc import Callable

from platforma.apikeys.model import APIKey, Holder, RateLimit, SharedLimit
from platforma.apikeys.ports import LimitSettings
from platforma.apikeys.validation import Faults, valid_rate_limit
from platforma.kernel.errors import NotFound, PreconditionFailed
from platforma.kernel.events import Attempt, Event

_KEPT = 4096


def tenant_holder(tenant_id: str) -> Holder:
    """All keys of a tenant."""
    return Holder(tenant_id, "tenant", tenant_id)


def get_limit(holder: Holder, *, limit_settings: LimitSettings) -> SharedLimit:
    """
    The limit that *holder* has.

    Raises:
        NotFound: none is set.
    """
    found = limit_settings.get(holder)
    if found is None:
        raise NotFound
    return found


def set_limit(
    holder: Holder, limit: RateLimit, *, if_match: int | None, limit_settings: LimitSettings, attempt: Attempt
) -> SharedLimit:
    """
    Give *holder* a limit in the place of the one at version *if_match* (0: of none; None: of any).

    It holds everywhere within 5 seconds. What was charged in the running window counts on.

    Raises:
        Unprocessable: the limit is out of bounds.
        PreconditionFailed: another version stands.
    """
    faults = Faults()
    valid_rate_limit(limit, faults)
    faults.raise_if_any()
    before = limit_settings.get(holder)
    version = before.version if before else 0
    if if_match not in (None, version):
        raise PreconditionFailed
    after = SharedLimit(holder, limit, version + 1)
    limit_settings.put(before, after, _event(attempt, holder, before, after))
    return after


def delete_limit(holder: Holder, *, if_match: int | None, limit_settings: LimitSettings, attempt: Attempt) -> None:
    """
    Let *holder* have no limit.

    Raises:
        NotFound: it has none.
        PreconditionFailed: another version than *if_match* stands.
    """
    before = get_limit(holder, limit_settings=limit_settings)
    if if_match not in (None, before.version):
        raise PreconditionFailed
    limit_settings.delete(before, _event(attempt, holder, before, None))


class SharedLimits:
    """
    The shared limits that a key is under, kept until its tenant's rules move.

    *stamp* gives what changes whenever a limit of the tenant is set or taken away.
    """

    def __init__(self, settings: LimitSettings, stamp: Callable[[str], object]) -> None:
        self._settings, self._stamp = settings, stamp
        self._kept: OrderedDict[Holder, tuple[object, SharedLimit | None]] = OrderedDict()

    def of(self, key: APIKey) -> list[SharedLimit]:
        """
        The owner's limit and the tenant's, where they are set.

        Raises:
            Unavailable: it cannot be told, and nothing is granted.
        """
        stamp = self._stamp(key.tenant_id)
        holders = (Holder(key.tenant_id, key.owner_type, key.owner_id), tenant_holder(key.tenant_id))
        return [found for holder in holders if (found := self._of(holder, stamp)) is not None]

    def _of(self, holder: Holder, stamp: object) -> SharedLimit | None:
        kept = self._kept.get(holder)
        if kept is not None and kept[0] == stamp:
            self._kept.move_to_end(holder)
            return kept[1]
        found = self._settings.get(holder)
        self._kept[holder] = (stamp, found)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found


def _event(attempt: Attempt, holder: Holder, before: SharedLimit | None, after: SharedLimit | None) -> Event:
    told = {
        "before": before.limit.as_json() if before else None,
        "after": after.limit.as_json() if after else None,
    }
    return attempt.event("success", resource=holder.id, resource_type=holder.type, changes=told)
