"""
A tenant's compiled policy, cached: its counters are read again after two seconds, its rules only when the counters changed.

A change therefore takes effect within 2 seconds and a read. While the counters cannot be read, what was read less than 5
seconds ago is still used, and nothing older.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from platforma.kernel.clock import Clock
from platforma.kernel.errors import Unavailable
from platforma.policy.compile import PolicySet, compile_rules
from platforma.policy.model import Standing, Versions
from platforma.policy.ports import RulesSource
from platforma.policy.protected_api import ProtectedAPI

FRESH = timedelta(seconds=2)
BOUND = timedelta(seconds=5)
MAX_TENANTS = 256
MAX_STATEMENTS = 200_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A tenant at one moment. *versions* is None for a tenant that does not exist."""

    policy_set: PolicySet
    versions: Versions | None
    read_at: datetime

    @property
    def standing(self) -> Standing:
        """How the tenant itself stands."""
        if self.versions is None:
            return "unknown"
        return "active" if self.versions.status == "active" else "suspended"

    def api(self, audience: str) -> ProtectedAPI | None:
        """The tenant's protected API of this audience."""
        return self.policy_set.apis.get(audience)


class Snapshots:
    """Snapshots by tenant, the least recently used dropped where they become too many or too big."""

    def __init__(self, source: RulesSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._kept: OrderedDict[str, Snapshot] = OrderedDict()

    def of(self, tenant_id: str) -> Snapshot:
        """
        The tenant as it stood at most 2 seconds ago.

        Raises:
            Unavailable: its counters or rules cannot be read.
        """
        now = self._clock()
        kept = self._kept.get(tenant_id)
        if kept is not None and timedelta(0) <= now - kept.read_at < FRESH:
            self._kept.move_to_end(tenant_id)
            return kept
        try:
            snapshot = self._read(tenant_id, kept, now)
        except Unavailable:
            if kept is None or now - kept.read_at >= BOUND:
                raise
            return kept
        return self._keep(tenant_id, snapshot)

    def current(self, tenant_id: str) -> Snapshot:
        """
        The tenant as it stands now, not up to 2 seconds ago: for callers who give rights, and who may name what another
        instance has just made.

        Raises:
            Unavailable: its counters or rules cannot be read.
        """
        return self._keep(tenant_id, self._read(tenant_id, self._kept.get(tenant_id), self._clock()))

    def drop(self, tenant_id: str) -> None:
        """Forget what is kept of this tenant, so that the next look is a new one (after a write of this very instance)."""
        self._kept.pop(tenant_id, None)

    def _read(self, tenant_id: str, kept: Snapshot | None, now: datetime) -> Snapshot:
        """
        Read the counters first, then the rules: a change between the two is then in the rules already, and causes one
        needless read later.
        """
        versions = self._source.versions(tenant_id)
        if (
            kept is not None
            and kept.versions is not None
            and versions is not None
            and kept.versions.policy == versions.policy
        ):
            return replace(kept, versions=versions, read_at=now)
        if versions is None:
            return Snapshot(PolicySet.empty(tenant_id), None, now)
        return Snapshot(compile_rules(tenant_id, self._source.load(tenant_id)), versions, now)

    def _keep(self, tenant_id: str, snapshot: Snapshot) -> Snapshot:
        if snapshot.versions is None:
            self._kept.pop(tenant_id, None)
        else:
            self._kept[tenant_id] = snapshot
            self._kept.move_to_end(tenant_id)
            self._bound()
        return snapshot

    def _bound(self) -> None:
        total = sum(snapshot.policy_set.statements for snapshot in self._kept.values())
        while len(self._kept) > MAX_TENANTS or (total > MAX_STATEMENTS and len(self._kept) > 1):
            _, dropped = self._kept.popitem(last=False)
            total -= dropped.policy_set.statements
