"""
Offering checkpoints to witnesses (C2SP tlog-witness), and keeping what they cosigned.

    1  the newest checkpoint, with the proof that it grew from the size that this witness cosigned last
    2  409 and another size: once more, from there
    3  200: the line by the witness's key is verified, and lies under the checkpoint's lock
    4  noted as cosigned

Killed anywhere, it is done again: the witness cosigns the same checkpoint as often as it is asked, and the bucket keeps the
first. What a witness says is not believed, only checked, and nothing of a log waits for it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from platforma.audit import tree
from platforma.audit.cosignature import CosignatureName, cosigned_note
from platforma.audit.errors import LogBroken, WrittenBefore
from platforma.audit.model import Head, tenant_of
from platforma.audit.ports import Bucket, LogStore
from platforma.audit.proof import Published
from platforma.audit.retention import Term, not_past, retain_until
from platforma.audit.witness import request_of
from platforma.audit.witnesses.errors import Unanswered
from platforma.audit.witnesses.model import ChosenWitness, Offered, later
from platforma.audit.witnesses.ports import Answered, Ask, Witnesses
from platforma.kernel.clock import Clock, parse_rfc3339, rfc3339
from platforma.kernel.errors import PlatformaError
from platforma.kernel.events import Attempt

_AT_ONCE = 8
_TURNS = 3
_SIZE = re.compile(rb"\A(0|[1-9][0-9]{0,18})\n\Z")
_AHEAD = timedelta(minutes=5)
"""How far a witness's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Offerer:
    """What offering needs. *budget* is how long a call begins requests."""

    witnesses: Witnesses
    store: LogStore
    bucket: Bucket
    ask: Ask
    clock: Clock
    begin: Callable[[str], Attempt]
    term: Callable[[str], Term] = lambda _tenant_id: Term()
    budget: timedelta = timedelta(seconds=40)


@dataclass(slots=True)
class _Done:
    cosigned: int = 0
    failing: int = 0
    contradicting: int = 0


class _Refused(Exception):
    """The witness gives no cosignature; *contradicts* where it saw another log than there is."""

    def __init__(self, why: str, *, contradicts: bool = False, unreached: bool = False) -> None:
        super().__init__(why)
        self.why, self.contradicts, self.unreached = why, contradicts, unreached


def offer_checkpoints(by: Offerer) -> dict[str, int]:
    """
    Offer every witness what is new, as far as time allows; how many checkpoints were *cosigned*, how many witnesses give no
    cosignature of some log (*witnesses_failing*), and how many saw another log than there is (*witnesses_contradicting*).
    """
    chosen, until = list(by.witnesses.every()), by.clock() + by.budget
    done: list[_Done] = []
    if chosen:
        logs = list(by.store.logs())  # the logs of a tenant that was shredded have ended
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            done = list(pool.map(lambda witness: _Offering(witness, by, until).all(logs), chosen))
    return {
        "cosigned": sum(one.cosigned for one in done),
        "witnesses_failing": sum(one.failing > 0 for one in done),
        "witnesses_contradicting": sum(one.contradicting > 0 for one in done),
    }


@dataclass(slots=True)
class _Offering:
    """One witness, for the length of a call."""

    witness: ChosenWitness
    by: Offerer
    until: datetime
    done: _Done = field(default_factory=_Done)

    def all(self, logs: Sequence[str]) -> _Done:
        """Offer it each of its logs that has news, the one longest without a cosignature first."""
        try:
            offered = self.by.witnesses.offered(self.witness)
            for log_id in sorted(filter(self.witness.is_for, logs), key=lambda log_id: _longest(offered, log_id)):
                if self.by.clock() >= self.until or not self._offer(log_id, offered.get(log_id, Offered())):
                    break
        except PlatformaError:  # not even how it stands could be read or noted; that holds up no other witness
            self.done.failing += 1
        return self.done

    def _offer(self, log_id: str, before: Offered) -> bool:
        """Offer it this log's newest checkpoint, if it has not got that; False if there is no use in going on."""
        head, now = self.by.store.head(log_id), self.by.clock()
        if head is None or (head.checkpoint_size in (0, before.size) and not before.failing_since):
            return True
        if now.timestamp() < before.next_try:
            self._count(before)
            return True
        try:
            after, unreached = self._cosigned(head, min(before.size, head.checkpoint_size)), False
            self.done.cosigned += 1
        except _Refused as refused:
            after, unreached = _failed(before, refused.why, now, contradicts=refused.contradicts), refused.unreached
        except PlatformaError as error:  # a log that is not whole, or cannot be read: this one's failure alone
            after, unreached = _failed(before, error.code, now), False
        self._note(log_id, before, after)
        self._count(after)
        return not unreached

    def _cosigned(self, head: Head, old: int) -> Offered:
        """
        Have the log's newest checkpoint cosigned, and keep it.

        Raises:
            LogBroken: the log is not whole.
            _Refused: there is no cosignature.
        """
        size, published = head.checkpoint_size, Published(self.by.store, self.by.bucket)
        signed, node = published.signed(head.log_id, size), published.tree(head.log_id, size).node
        for _ in range(_TURNS):
            answer = self._asked(request_of(old, tree.consistency(old, size, node), signed))
            if answer.status == 200:
                return self._kept(head, signed, answer.body)
            if answer.status == 422 and old:
                raise _Refused(f"It saw other entries before {old}.", contradicts=True)
            if answer.status != 409:
                raise _Refused(f"status {answer.status}")
            old = self._seen(answer.body, old, head)
        raise _Refused("It names another size each time.")

    def _asked(self, body: bytes) -> Answered:
        try:
            return self.by.ask(self.witness.url, body)
        except Unanswered as error:
            raise _Refused(str(error.facts.get("cause") or "no answer"), unreached=True) from None

    def _seen(self, answer: bytes, old: int, head: Head) -> int:
        """The size that it saw last, as its answer 409 says, if the log can be shown to have grown from there."""
        stated = int(answer) if _SIZE.match(answer) else None
        if old == head.checkpoint_size and stated in (None, old):
            raise _Refused(f"It saw another log of {old} entries.", contradicts=True)
        if stated is None or stated == old:
            raise _Refused("It says no other size.")
        if stated <= head.checkpoint_size:
            return stated
        now = self.by.store.head(head.log_id)
        if now is None or now.checkpoint_size < stated:
            raise _Refused(f"It saw {stated} entries, and there are fewer.", contradicts=True)
        raise _Refused("It saw a newer checkpoint meanwhile.")

    def _kept(self, head: Head, signed: bytes, answer: bytes) -> Offered:
        """What the witness gave, verified and in the bucket."""
        key, now = self.witness.verifier, self.by.clock()
        try:
            body, at = cosigned_note(signed, answer, key)
        except LogBroken as error:
            raise _Refused(error.detail) from None
        if at > (now + _AHEAD).timestamp():
            raise _Refused("Its clock is ahead.")
        term = self.by.term(tenant_of(head.log_id))
        until = not_past(retain_until(parse_rfc3339(head.newest), term.years), now)
        name = str(CosignatureName(head.log_id, head.checkpoint_size, key.label))
        with suppress(WrittenBefore):  # it was killed before it could be noted: the first one stays
            self.by.bucket.put(name, body, retain_until=until, legal_hold=term.legal_hold)
        return Offered(head.checkpoint_size, rfc3339(now))

    def _note(self, log_id: str, before: Offered, after: Offered) -> None:
        """Keep how it stands; where it begins to say that the log is another, whoever chose it is told by an event."""
        event = None
        if after.contradicts and not before.contradicts:
            told = {"after": {"witness": self.witness.verifier.label, "log": log_id, "says": after.error}}
            attempt = self.by.begin(self.witness.tenant_id)
            event = attempt.event(
                "failure", resource=self.witness.id, resource_type="witness", reason="log_contradicted", changes=told
            )
        self.by.witnesses.note(self.witness, log_id, after, event)

    def _count(self, offered: Offered) -> None:
        self.done.failing += offered.failing_since is not None
        self.done.contradicting += offered.contradicts


def _failed(before: Offered, why: str, now: datetime, *, contradicts: bool = False) -> Offered:
    """What it says once stays until it cosigns again."""
    tries = before.tries + 1
    return replace(
        before,
        failing_since=before.failing_since or rfc3339(now),
        tries=tries,
        next_try=int((now + later(tries)).timestamp()),
        error=why,
        contradicts=before.contradicts or contradicts,
    )


def _longest(offered: Mapping[str, Offered], log_id: str) -> tuple[str, str]:
    known = offered.get(log_id)
    return (known.cosigned_at or "" if known else "", log_id)
