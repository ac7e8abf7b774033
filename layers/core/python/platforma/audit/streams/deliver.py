"""
Pushing what was entered: by log in order of sequence, at least once, from where each stream is.

What is pushed is read from the log itself, so that nothing is held in a queue: a receiver that is down for long is given all
of it afterwards. A worker leases a stream; whoever changes its progress meanwhile makes the worker stop, and what that had
sent is sent again. An event is noted as delivered after the receiver said so (2xx) and never before.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from platforma.audit.exports.rows import json_row, ocsf_row
from platforma.audit.model import tenant_of
from platforma.audit.opened_entry import open_entries
from platforma.audit.person_keys import PersonKeys
from platforma.audit.ports import Bucket, LogStore
from platforma.audit.proof import read_entries
from platforma.audit.streams.change import PURPOSE
from platforma.audit.streams.errors import Unreached
from platforma.audit.streams.model import Message, Progress, Stream, later, message_id, too_long
from platforma.audit.streams.ports import Send, Streams
from platforma.audit.streams.signature import signed_headers
from platforma.kernel.clock import Clock, parse_rfc3339, rfc3339
from platforma.kernel.errors import PlatformaError
from platforma.kernel.events import Attempt, Event
from platforma.keys.envelope import Envelope

MOST_EVENTS, MOST_BYTES = 100, 256 * 1024
"""Of one message; an event that is larger goes alone."""
_AT_ONCE = 8
_ROWS = {"jsonl": json_row, "ocsf": ocsf_row}
_TYPE = "application/jsonl"


@dataclass(frozen=True, slots=True)
class Deliverer:
    """What delivering needs. *budget* is how long a call begins messages, *lease* how long it may have a stream."""

    streams: Streams
    store: LogStore
    bucket: Bucket
    persons: PersonKeys
    envelope: Envelope
    send: Send
    clock: Clock
    begin: Callable[[str], Attempt]
    budget: timedelta = timedelta(seconds=45)
    lease: timedelta = timedelta(seconds=120)


class _Overtaken(Exception):
    """Somebody else changed the stream's progress."""


def run_streams(by: Deliverer) -> dict[str, int]:
    """
    Push what is new on every stream, as far as time allows; how many events were *delivered*, how many streams are *failing*
    and how many *suspended*.
    """
    until = by.clock() + by.budget
    alive = {tenant_of(log_id) for log_id in by.store.logs()}  # the logs of a tenant that was shredded have ended
    streams = [stream for stream in by.streams.every() if stream.enabled and stream.tenant_id in alive]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        outcomes = list(pool.map(lambda stream: _worked_on(stream, by, until), streams))
    done = {"delivered": 0, "failing": 0, "suspended": 0}
    for delivered, progress in outcomes:
        done["delivered"] += delivered
        if progress is not None:
            done["suspended"] += progress.suspended
            done["failing"] += bool(progress.failing_since) and not progress.suspended
    return done


def _worked_on(stream: Stream, by: Deliverer, until: datetime) -> tuple[int, Progress | None]:
    """How many events were delivered, and how far the stream is then; None where somebody else has it."""
    try:
        return _tried(stream, by, until)
    except PlatformaError as error:  # not even how far it is could be noted; that holds up no other stream
        return 0, Progress(failing_since=rfc3339(by.clock()), error=error.code)


def _tried(stream: Stream, by: Deliverer, until: datetime) -> tuple[int, Progress | None]:
    now = by.clock()
    progress = by.streams.progress(stream.tenant_id, stream.id)
    if now >= until or now.timestamp() < progress.leased_until:
        return 0, None
    if progress.suspended or now.timestamp() < progress.next_try:
        return 0, progress
    work = _Work(stream, progress, by)
    with suppress(_Overtaken):
        work.note(replace(progress, leased_until=int((now + by.lease).timestamp())))
        try:
            work.deliver(until)
        except PlatformaError as error:  # what cannot be read holds up no other stream, and is told as this one's failure
            work.failed(error.code)
        return work.delivered, work.progress
    return work.delivered, None


@dataclass(slots=True)
class _Work:
    """One stream in one worker's hands; each method may raise `_Overtaken`."""

    stream: Stream
    progress: Progress
    by: Deliverer
    delivered: int = 0

    def deliver(self, until: datetime) -> None:
        """
        Send what is new until the time is up or the receiver does not take it, then give the stream back.

        The logs take turns by the message, so that none waits for the end of one that has none.
        """
        logs = deque(self.by.store.logs_of(self.stream.tenant_id))
        while logs and self.by.clock() < until:
            log_id = logs.popleft()
            if (sent := _next(self.stream, log_id, self.progress, self.by)) is None:
                continue
            count, failure = sent
            if failure is not None:
                self.failed(failure)
                return
            places = {**self.progress.places, log_id: self.progress.places.get(log_id, 0) + count}
            good = replace(self.progress, places=places, delivered_at=rfc3339(self.by.clock()))
            self.note(replace(good, failing_since=None, tries=0, next_try=0, error=None))
            self.delivered += count
            logs.append(log_id)
        self.note(replace(self.progress, leased_until=0))

    def failed(self, why: str) -> None:
        """Note it and give the stream back; where the receiver was down too long, that it is suspended is an event too."""
        now, tries = self.by.clock(), self.progress.tries + 1
        failed = replace(
            self.progress,
            failing_since=self.progress.failing_since or rfc3339(now),
            tries=tries,
            next_try=int((now + later(tries)).timestamp()),
            error=why,
            leased_until=0,
        )
        if not too_long(failed, now):
            self.note(failed)
            return
        told = {"after": {"suspended": True, "failing_since": failed.failing_since, "places": dict(failed.places)}}
        attempt = self.by.begin(self.stream.tenant_id)
        event = attempt.event(
            "failure", resource=self.stream.id, resource_type="stream", reason="receiver_down", changes=told
        )
        self.note(replace(failed, suspended=True), event)

    def note(self, progress: Progress, event: Event | None = None) -> None:
        """Keep how far it is."""
        noted = self.by.streams.advance(self.stream, progress, event)
        if noted is None:
            raise _Overtaken
        self.progress = noted


def _next(stream: Stream, log_id: str, progress: Progress, by: Deliverer) -> tuple[int, str | None] | None:
    """Send the log's next message: how many events it had, and why they were not taken; None where there is nothing."""
    head, first = by.store.head(log_id), progress.places.get(log_id, 0)
    if head is None or first >= head.size:
        return None
    lines = tuple(_rows(stream, read_entries(by.bucket, log_id, first, min(head.size, first + MOST_EVENTS)), by))
    name, body = message_id(stream.id, log_id, first, len(lines)), "".join(lines).encode()
    headers = signed_headers(name, int(by.clock().timestamp()), body, _secrets(stream, by))
    headers |= {"Content-Type": _TYPE, "User-Agent": "platforma-audit-stream/1"}
    headers |= {"platforma-log": log_id, "platforma-sequence": f"{first}-{first + len(lines) - 1}"}
    try:
        by.send(stream.tenant_id, stream.destination, Message(name, log_id, first, lines, headers))
    except Unreached as error:
        return len(lines), str(error.facts.get("cause") or "no answer")
    return len(lines), None


def _rows(stream: Stream, entries: list[bytes], by: Deliverer) -> Iterator[str]:
    """Events in the stream's form, as many as fit; personal values that were erased are gone."""
    size = 0
    for one in open_entries(stream.tenant_id, entries, by.persons):
        text = _ROWS[stream.format](one.document())
        size += len(text.encode())
        if size > MOST_BYTES and size > len(text.encode()):
            return
        yield text


def _secrets(stream: Stream, by: Deliverer) -> list[str]:
    sealed = [stream.secret]
    if stream.former is not None and stream.former_until and by.clock() < parse_rfc3339(stream.former_until):
        sealed.append(stream.former)
    return [by.envelope.open(stream.tenant_id, PURPOSE, stream.id, one).decode() for one in sealed]
