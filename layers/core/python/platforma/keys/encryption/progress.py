"""
How far records have been moved to a newer version of their tenant's key.

A *job* is one tenant's. A *pass* goes once over every table, for every job that was open when it began. A job is retired by
a pass that began late enough and met nothing old.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from platforma.keys.envelope import KEY_LIFETIME
from platforma.keys.shredding.model import BACKUPS

Status = Literal["running", "retired", "done"]
"""*retired*: the old versions open nothing any more, and are destroyed when no backup needs them; *done*: they are."""

SETTLED_AFTER = KEY_LIFETIME + timedelta(minutes=1)
"""How long after a version was made some instance may still seal under the one before, from its cache."""
PASSES_APART = timedelta(minutes=1)
"""Longer than any request: what was read before the last pass met it was written back by then."""


@dataclass(frozen=True, slots=True)
class Job:
    """
    One tenant's move to version *target*.

    *scanned*, *rewrapped* and *records* (by version) are those of all passes, the last one and the last one; *remaining* is
    how many the last pass met that are old and could not be moved; None before one has ended. *counted_pass* is when that
    pass began.
    """

    tenant_id: str
    target: int
    started_at: datetime
    settled_at: datetime
    trim_at_once: bool = False
    status: Status = "running"
    passes: int = 0
    scanned: int = 0
    rewrapped: int = 0
    remaining: int | None = None
    records: Mapping[int, int] = field(default_factory=dict)
    retired_at: datetime | None = None
    done_at: datetime | None = None
    counted_pass: datetime | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Tally:
    """What a pass has met of one tenant. *records* are by the version that they are under now."""

    target: int
    scanned: int = 0
    rewrapped: int = 0
    failed: int = 0
    records: Mapping[int, int] = field(default_factory=dict)

    def met(self, version: int, *, old: bool, moved: bool) -> "Tally":
        """The tally with one more record."""
        now = self.target if moved else version
        return replace(
            self,
            scanned=self.scanned + 1,
            rewrapped=self.rewrapped + moved,
            failed=self.failed + (old and not moved),
            records={**self.records, now: self.records.get(now, 0) + 1},
        )


@dataclass(frozen=True, slots=True)
class Pass:
    """One going over the tables: the table and position that come next, and a tally for each tenant. Ended: no table."""

    started_at: datetime
    table: str | None
    after: str | None
    tallies: Mapping[str, Tally]
    ended_at: datetime | None = None
    revision: int = 1


def after_pass(job: Job, tally: Tally, *, started_at: datetime, now: datetime) -> Job:
    """*job* when a pass has ended that met *tally*: retired if that one met nothing old, and not too early."""
    clean = tally.rewrapped == 0 and tally.failed == 0 and started_at >= job.settled_at
    return replace(
        job,
        passes=job.passes + 1,
        scanned=tally.scanned,
        rewrapped=job.rewrapped + tally.rewrapped,
        remaining=tally.failed,
        records=dict(tally.records),
        status="retired" if clean else "running",
        retired_at=now if clean else None,
        counted_pass=started_at,
        revision=job.revision + 1,
    )


def told(job: Job, going: Pass | None) -> dict[str, Any]:
    """The job as its tenant is told of it, with what a pass that is under way has met so far."""
    tally = going.tallies.get(job.tenant_id) if going and going.ended_at is None else None
    current = tally if tally is not None and tally.target == job.target and job.status == "running" else None
    records = current.records if current and job.remaining is None else job.records
    return {
        "status": job.status,
        "target_version": job.target,
        "scanned": max(job.scanned, current.scanned if current else 0),
        "rewrapped": job.rewrapped + (current.rewrapped if current else 0),
        "remaining": job.remaining,
        "oldest_version": min(records, default=None),
        "records": [{"version": version, "count": count} for version, count in sorted(records.items())],
        "passes": job.passes,
        "started_at": job.started_at,
        "retired_at": job.retired_at,
        "trim_after": job.retired_at + (timedelta(0) if job.trim_at_once else BACKUPS) if job.retired_at else None,
        "done_at": job.done_at,
    }
