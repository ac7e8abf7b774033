"""
Brings certificates from a CA to where they are served, step by step: order, prove, finalize, install, revoke.

Each step is one call outside and one conditional write with its event. A worker that dies anywhere leaves a record at or
before what was done, and every call may be made again; the next worker goes on from there. Of two workers one meets
`PreconditionFailed` and leaves that record to the other. What fails is tried again, later each time.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from platforma.certificates.errors import OrderLost, Refused, TryLater
from platforma.certificates.model import (
    ANSWER_PATIENCE,
    FIRST_ATTEMPTS,
    ORDER_LIFETIME,
    PURPOSE,
    REASONS,
    Certificate,
    Order,
    key_record,
    renewal_of,
    retry_after,
)
from platforma.certificates.pair import csr_for, issued_for, new_private_key
from platforma.certificates.ports import DNS, Authority, Certificates, Installer, Pair, Sealer
from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import Conflict, PlatformaError, PreconditionFailed, Unavailable
from platforma.kernel.events import Attempt, Event
from platforma.kernel.ids import new_id
from platforma.kernel.tenancy import PLATFORM

_SOON = timedelta(seconds=1)
_SETTLED = timedelta(hours=1)
"""So old a certificate grows, whatever its CA suggests: one that always suggests the past is not asked in a circle."""


@dataclass(frozen=True, slots=True)
class Worked:
    """What a run did: the steps, and how many records are *late*: at the last third of their lives without a successor."""

    steps: int
    late: int


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker. *attempt* is what its events are made of; *pause* waits for so many seconds."""

    certificates: Certificates
    authority: Authority
    dns: DNS
    installers: Sequence[Installer]
    sealer: Sealer
    attempt: Attempt
    pause: Callable[[float], None] = field(default_factory=lambda: time.sleep)

    def run(self, *, until: datetime) -> Worked:
        """Do what is to be done until *until*, or until there is nothing that will be before it."""
        steps = 0
        while self._now() < until:
            records = list(self.certificates.all())
            done = sum(self._step(record) for record in records)
            steps += done
            if not done:
                waiting = [record.next_attempt_at for record in records if record.next_attempt_at is not None]
                if not (soonest := min(waiting, default=until)) < until or soonest > self._now() + 3 * _SOON:
                    break
                self.pause(max((soonest - self._now()).total_seconds(), 0.05))
        now = self._now()
        return Worked(steps, sum(record.is_late(now) for record in self.certificates.all()))

    def _step(self, record: Certificate) -> bool:
        """Do the next thing for *record*; whether there was one."""
        task = record.task(self._now())
        if task is None:
            return False
        steps = {"start": self._start, "follow": self._follow, "revoke": self._revoke, "ask": self._ask}
        try:
            steps[task](record)
        except PreconditionFailed:
            pass  # changed by another, who goes on with it
        except (Conflict, Unavailable) as error:
            self._failed(record, error)
        return True

    def _start(self, record: Certificate) -> None:
        """A fresh key, sealed and kept before anything is ordered for it."""
        now = self._now()
        sealed = self.sealer.seal(PLATFORM, PURPOSE, key_record(record.id, now), new_private_key())
        self._keep(record.changed(order=Order("started", now), sealed_key=sealed, next_attempt_at=None))

    def _follow(self, record: Certificate) -> None:
        assert record.order is not None
        order = record.order
        if order.ordered_at and order.stage != "issued" and self._now() > order.ordered_at + ORDER_LIFETIME:
            raise OrderLost("The order came to no end within an hour.")
        steps = {
            "started": self._order,
            "ordered": self._publish,
            "published": self._answer,
            "answered": self._finish,
            "issued": self._install,
        }
        steps[order.stage](record, order)

    def _order(self, record: Certificate, order: Order) -> None:
        url, proofs = self.authority.order(record.domains, record.issued.chain if record.issued else None)
        ordered = replace(order, stage="ordered", url=url, ordered_at=self._now(), proofs=tuple(proofs))
        self._keep(record.changed(order=ordered), "order")

    def _publish(self, record: Certificate, order: Order) -> None:
        changes = tuple(self.dns.publish(proof) for proof in order.proofs)
        self._keep(record.changed(order=replace(order, stage="published", changes=changes)))

    def _answer(self, record: Certificate, order: Order) -> None:
        if not all(self.dns.is_published(change) for change in order.changes):
            self._wait(record)
            return
        self.authority.answer(order.url)
        self._keep(record.changed(order=replace(order, stage="answered", answered_at=self._now())))

    def _finish(self, record: Certificate, order: Order) -> None:
        state = self.authority.state(order.url)
        if state.status == "invalid":
            raise Refused(state.problem or "The CA ended the order.")
        if state.status == "pending" and order.answered_at and self._now() > order.answered_at + ANSWER_PATIENCE:
            raise Refused("The CA did not find what proves the names.")
        if state.status in ("pending", "processing"):
            self._wait(record)
        elif state.status == "ready":
            self.authority.finalize(order.url, csr_for(record.domains, self._key(record, order)))
            self._wait(record)
        else:
            chain = self.authority.download(order.url)
            issued = issued_for(chain, record.domains, self._key(record, order), self._now())
            for proof in order.proofs:
                self.dns.remove(proof)
            after = {"serial_number": issued.serial_number, "not_after": rfc3339(issued.not_after)}
            kept = record.changed(order=replace(order, stage="issued", issued=issued), next_attempt_at=None)
            self._keep(kept, "issue", after)

    def _install(self, record: Certificate, order: Order) -> None:
        assert order.issued is not None
        issued = order.issued
        pair = Pair(issued.chain, self._key(record, order).decode())
        places = dict(record.places)
        for installer in self.installers:
            if installer.serves(record.domains):
                places[installer.name] = installer.install(places.get(installer.name), pair)
        done = record.changed(issued=issued, order=None, sealed_key=None, places=places)
        done = done.changed(renew_at=renewal_of(issued), ask_at=self._now(), attempts=0, problem=None, next_attempt_at=None)
        self._keep(done, "install", {"serial_number": issued.serial_number, "places": sorted(places)})

    def _revoke(self, record: Certificate) -> None:
        assert record.condemned is not None
        condemned = record.condemned
        self.authority.revoke(condemned.chain, REASONS[condemned.reason])
        revoked_at = self._now() if record.ended else None
        done = record.changed(condemned=None, revoked_at=revoked_at, attempts=0, problem=None, next_attempt_at=None)
        self._keep(done, "revoke", {"serial_number": condemned.serial_number, "reason": condemned.reason})

    def _ask(self, record: Certificate) -> None:
        """What the CA suggests counts, by a moment drawn once for each window (RFC 9773 section 4.2)."""
        assert record.issued is not None
        window = self.authority.renewal(record.issued.chain)
        if window is None:
            self._keep(record.changed(ask_at=None, problem=None, attempts=0, next_attempt_at=None))
            return
        renew_at = record.renew_at
        if renew_at is None or not window.start <= renew_at <= window.end:
            renew_at = max(window.drawn(), record.issued.not_before + min(_SETTLED, record.issued.life / 3))
        ask_at = max(window.ask_at, self._now() + timedelta(minutes=1))
        self._keep(record.changed(renew_at=renew_at, ask_at=ask_at, problem=None, attempts=0, next_attempt_at=None))

    def _failed(self, record: Certificate, error: PlatformaError) -> None:
        """
        Note that it failed, and when it is tried again.

        An order goes on where it stood if nobody answered, and is given up if the CA refused. A certificate that never was
        is given up with it where the refusal lasts or came too often.
        """
        now, attempts = self._now(), record.attempts + 1
        again = now + retry_after(attempts)
        if isinstance(error, TryLater) and error.until is not None:
            again = max(again, error.until)
        failed = record.changed(attempts=attempts, next_attempt_at=again, problem=error.detail[:500])
        refused = isinstance(error, Conflict)
        if refused and record.order is not None and record.order.stage != "issued":
            failed = failed.changed(order=None, sealed_key=None)
            self._forget_proofs(record.order)
        lasting = isinstance(error, Refused) and (error.lasting or attempts >= FIRST_ATTEMPTS)
        if lasting and record.issued is None:
            failed = failed.changed(failed=True, next_attempt_at=None)
        event = self._event(record, "fail", {"problem": failed.problem, "attempts": attempts}, reason=error.code)
        try:
            self.certificates.replace(failed, event)
        except PreconditionFailed:
            return  # changed by another, who goes on with it

    def _forget_proofs(self, order: Order) -> None:
        for proof in order.proofs:
            try:
                self.dns.remove(proof)
            except PlatformaError:
                continue  # the next order for the name replaces it

    def _key(self, record: Certificate, order: Order) -> bytes:
        assert record.sealed_key is not None
        return self.sealer.open(PLATFORM, PURPOSE, key_record(record.id, order.started_at), record.sealed_key)

    def _wait(self, record: Certificate) -> None:
        self._keep(record.changed(next_attempt_at=self._now() + _SOON))

    def _keep(
        self, record: Certificate, verb: Literal["order", "issue", "install", "revoke"] | None = None, after: object = None
    ) -> None:
        if verb is None:
            self.certificates.replace(record)
        else:
            self.certificates.replace(record, self._event(record, verb, after))

    def _event(self, record: Certificate, verb: str, after: object, *, reason: str | None = None) -> Event:
        attempt = replace(self.attempt, action=f"platform.certificates.{verb}", id=new_id("evt"), entered=False)
        changes = {"after": after or {"domains": list(record.domains)}}
        return attempt.event(
            "success" if reason is None else "failure",
            resource=record.id,
            resource_type="certificate",
            changes=changes,
            reason=reason,
        )

    def _now(self) -> datetime:
        return self.attempt.clock()
