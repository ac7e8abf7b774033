"""
Moves every sealed record to the newest version of its tenant's key, so that the older versions can be destroyed.

No record is decrypted: its data key is wrapped anew by the keeper of keys, in batches, and put where the old ciphertext
still stands. What is old is told by the ciphertext itself, in every table, whoever put it there: a record that was forgotten
would be lost for good when its version is.

Every step may be repeated. A worker that dies anywhere leaves a position at or before what was done; the next one goes on
from it. Of two workers one meets `Moved` and stops.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from platforma.kernel.clock import Clock
from platforma.kernel.errors import Conflict, NotFound
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.encryption.errors import Moved
from platforma.keys.encryption.ports import RewrapStore, SealedRecord, SealedRecords
from platforma.keys.encryption.progress import (
    PASSES_APART,
    SETTLED_AFTER,
    Job,
    Pass,
    Tally,
    after_pass,
)
from platforma.keys.envelope import rewrapped, wrapping_of
from platforma.keys.errors import NoSuchKey
from platforma.keys.ports import TenantKeyVersions
from platforma.keys.shredding.model import BACKUPS

TENANTS_A_PASS = 200
_BATCH = 250


def start_rewrap(tenant_id: str, *, trim_at_once: bool, keys: TenantKeyVersions, jobs: RewrapStore, attempt: Attempt) -> Job:
    """
    A job that moves the tenant's records to its key's newest version; one that is under way goes on as it is.

    Raises:
        Conflict: the tenant started another in the meantime, or it is the platform, whose operator moves its keys.
        Unavailable: the keeper of keys or the table is gone.
    """
    if tenant_id == PLATFORM:
        raise Conflict("The platform's own keys are its operator's to move.")
    before = jobs.job(tenant_id)
    key = keys.describe(tenant_id)
    if before is not None and before.status == "running" and before.target == key.latest_version:
        return before
    now = attempt.clock()
    settled_at = key.versions[key.latest_version] + SETTLED_AFTER
    revision = before.revision + 1 if before else 1
    job = Job(tenant_id, key.latest_version, now, settled_at, trim_at_once=trim_at_once, revision=revision)
    changes = {"after": {"target_version": job.target, "trim_at_once": trim_at_once}}
    event = attempt.event("success", resource=f"tenant-{tenant_id}", resource_type="tenant_key", changes=changes)
    jobs.put_job(job, event=event)
    return job


def read_rewrap(tenant_id: str, *, jobs: RewrapStore) -> tuple[Job, Pass | None]:
    """
    The tenant's last job, and the pass that may be at work on it.

    Raises:
        NotFound: there never was one.
    """
    job = jobs.job(tenant_id)
    if job is None:
        raise NotFound("No rewrap was started yet.")
    return job, jobs.current_pass()


class Rewrapper:
    """One worker. *attempt* is what its events are made of, its tenant set for each."""

    def __init__(
        self, *, keys: TenantKeyVersions, jobs: RewrapStore, records: SealedRecords, clock: Clock, attempt: Attempt
    ) -> None:
        self._keys, self._jobs, self._records, self._clock, self._attempt = keys, jobs, records, clock, attempt

    def run(self, *, until: datetime) -> str:
        """
        Work until *until*, or until nothing is to do for now; how it ended.

        Raises:
            Unavailable: the keeper of keys or a table is gone; what was done stays.
        """
        try:
            jobs = self._trim(self._jobs.open_jobs())
            going = self._going(jobs)
            while going is not None and going.table is not None:
                if self._clock() >= until:
                    return "to be continued"
                going = self._step(going)
            if going is not None:
                self._end(going, jobs)
        except Moved:
            return "another is at work"
        return "nothing to do" if going is None else "a pass ended"

    def _going(self, jobs: Sequence[Job]) -> Pass | None:
        """The pass to go on with: the one under way, or a new one where a job waits for it."""
        last, now = self._jobs.current_pass(), self._clock()
        if last is not None and last.ended_at is None:
            return last
        running = [job for job in jobs if job.status == "running"]
        if not running or (last is not None and last.ended_at is not None and now < last.ended_at + PASSES_APART):
            return None
        # The least served first, so that none waits for ever where there are more than one pass takes.
        chosen = sorted(running, key=lambda job: (job.passes, job.started_at))[:TENANTS_A_PASS]
        tallies = {job.tenant_id: Tally(job.target) for job in chosen}
        revision = last.revision + 1 if last else 1
        going = Pass(now, self._records.tables[0], None, tallies, revision=revision)
        self._jobs.put_pass(going)
        return going

    def _step(self, going: Pass) -> Pass:
        """One page: move what is old, then note that it was met."""
        assert going.table is not None
        found, after = self._records.page(going.table, going.after)
        tallies = self._move(found, dict(going.tallies))
        table: str | None = going.table
        if after is None:
            place = self._records.tables.index(going.table) + 1
            table = self._records.tables[place] if place < len(self._records.tables) else None
        noted = replace(going, table=table, after=after, tallies=tallies, revision=going.revision + 1)
        self._jobs.put_pass(noted)
        return noted

    def _move(self, found: Sequence[SealedRecord], tallies: dict[str, Tally]) -> dict[str, Tally]:
        old: dict[tuple[str, str], list[tuple[SealedRecord, bytes, int]]] = {}
        for record in found:
            wrapping = wrapping_of(record.ciphertext)
            if wrapping is None or wrapping.tenant_id not in tallies:
                continue
            version, tally = self._keys.version_of(wrapping.wrapped), tallies[wrapping.tenant_id]
            if version >= tally.target:
                tallies[wrapping.tenant_id] = tally.met(version, old=False, moved=False)
            else:
                old.setdefault((wrapping.tenant_id, wrapping.purpose), []).append((record, wrapping.wrapped, version))
        for (tenant_id, purpose), records in old.items():
            moved = self._moved(tenant_id, purpose, records)
            for (_, _, version), was in zip(records, moved, strict=True):
                tallies[tenant_id] = tallies[tenant_id].met(version, old=True, moved=was)
        return tallies

    def _moved(self, tenant_id: str, purpose: str, records: list[tuple[SealedRecord, bytes, int]]) -> list[bool]:
        """Whether each was moved. Records under one data key are, on one page, under one wrapping of it again."""
        distinct = list(dict.fromkeys(wrapped for _, wrapped, _ in records))
        again: dict[bytes, bytes | None] = {}
        try:
            for start in range(0, len(distinct), _BATCH):
                batch = distinct[start : start + _BATCH]
                again.update(zip(batch, self._keys.rewrap_all(tenant_id, purpose, batch), strict=True))
        except NoSuchKey:  # shredded in the meantime: nothing of it opens, and nothing is to be moved
            return [False] * len(records)
        done = []
        for record, wrapped, _ in records:
            new = again[wrapped]
            done.append(new is not None and self._records.replace(record, rewrapped(record.ciphertext, new)))
        return done

    def _end(self, going: Pass, jobs: Sequence[Job]) -> None:
        """Tell each job what the pass met of it; the versions that nothing is under any more open nothing from then on."""
        for job in jobs:
            tally = going.tallies.get(job.tenant_id)
            mine = job.status == "running" and tally is not None and tally.target == job.target
            if tally is None or not mine or job.counted_pass == going.started_at:
                continue
            after = after_pass(job, tally, started_at=going.started_at, now=self._clock())
            if not self._stands(job.tenant_id):
                after = replace(after, status="done", done_at=self._clock())
            elif after.status == "retired":
                self._keys.retire(job.tenant_id, job.target)
            self._put(after, "retire" if after.status == "retired" else None)
            if after.status == "retired" and job.trim_at_once:
                self._trim([after])
        self._jobs.put_pass(replace(going, ended_at=self._clock(), revision=going.revision + 1))

    def _trim(self, jobs: Sequence[Job]) -> list[Job]:
        """Destroy what was retired long enough ago; the jobs that are open still."""
        left = []
        for job in jobs:
            due = job.retired_at is not None and (job.trim_at_once or self._clock() >= job.retired_at + BACKUPS)
            if job.status != "retired" or not due:
                left.append(job)
                continue
            stands = self._stands(job.tenant_id)
            if stands:
                self._keys.trim(job.tenant_id, job.target)
            done = replace(job, status="done", done_at=self._clock(), revision=job.revision + 1)
            self._put(done, "trim" if stands else None)
        return left

    def _stands(self, tenant_id: str) -> bool:
        """Whether the tenant has its key still; with a shredded one all that there was to do is gone, its log's key too."""
        try:
            self._keys.describe(tenant_id)
        except NoSuchKey:
            return False
        return True

    def _put(self, job: Job, verb: str | None) -> None:
        """Store *job*; with an event in its tenant's log where versions have ended."""
        if verb is None:
            self._jobs.put_job(job, event=None)
            return
        attempt = replace(
            self._attempt, tenant_id=job.tenant_id, action=f"crypto.keys.{verb}", id=new_id("evt"), entered=False
        )
        changes = {"after": {"min_version": job.target}}
        event = attempt.event("success", resource=f"tenant-{job.tenant_id}", resource_type="tenant_key", changes=changes)
        self._jobs.put_job(job, event=event)
