"""
Streams in the Audit table.

    {tenant}#STREAMS / {stream}              what is decided
    {tenant}#STREAMING / {stream}            how far it is; without *state* once the stream is gone
    {PLATFORM}#STREAMS / {tenant}#{stream}   that there is one

What is gone is put as such and swept: no function that changes streams may delete.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from platforma.adapters.dynamodb.single import answering, read
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.audit.streams.model import Progress, Stream
from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Event
from platforma.kernel.tenancy import PLATFORM

_ALL = f"{PLATFORM}#STREAMS"
_GONE = 1
"""The time at which what is gone expired, so that it is swept."""


class StreamItem(Item):
    """What is decided. One without *state* is gone."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    version = NumberAttribute()
    state = UnicodeAttribute(null=True)
    secret = BinaryAttribute(legacy_encoding=False, null=True)
    former = BinaryAttribute(legacy_encoding=False, null=True)


class ProgressItem(Item):
    """How far it is."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    version = NumberAttribute()
    state = UnicodeAttribute(null=True)


class StreamMarkItem(Item):
    """That there is a stream, until it is *gone*."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    gone = BooleanAttribute(default=False)


class DynamoDBStreams:
    """`Streams`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def add(self, stream: Stream, progress: Progress, event: Event) -> None:
        """All three items and the event in one transaction."""
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(_item(stream), StreamItem.pk.does_not_exist(), refused=Conflict("The stream's id is taken."))
        transaction.put(_progress_item(stream, progress))
        transaction.put(StreamMarkItem(_ALL, _mark(stream)))
        transaction.commit(event)

    def get(self, tenant_id: str, stream_id: str) -> Stream | None:
        """The stream of this id."""
        item = read(StreamItem, _key(tenant_id), stream_id)
        return None if item is None or item.state is None else _stream(item)

    def listed(self, tenant_id: str, *, after: str | None, limit: int) -> Sequence[Stream]:
        """Oldest first: ids sort by time. A tenant has few, and few that are gone."""
        newer = StreamItem.sk > after if after else None
        with answering():
            found = [item for item in StreamItem.query(_key(tenant_id), newer, consistent_read=True) if item.state]
        return [_stream(item) for item in found[:limit]]

    def replace(self, before: Stream, after: Stream, event: Event) -> None:
        """Where its version is still this one."""
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(_item(after), _stands(before), refused=PreconditionFailed())
        transaction.commit(event)

    def remove(self, stream: Stream, event: Event) -> None:
        """Put it, its progress and its mark as gone: a worker that has it notices."""
        transaction = Transaction(self._tables, self._outbox)
        gone = StreamItem(_key(stream.tenant_id), stream.id, version=stream.version + 1, expires=_GONE)
        transaction.put(gone, _stands(stream), refused=PreconditionFailed())
        transaction.put(ProgressItem(_progress_key(stream.tenant_id), stream.id, version=0, expires=_GONE))
        transaction.put(StreamMarkItem(_ALL, _mark(stream), gone=True, expires=_GONE))
        transaction.commit(event)

    def every(self) -> Iterator[Stream]:
        """Those that are marked."""
        with answering():
            marks = [item.sk for item in StreamMarkItem.query(_ALL, consistent_read=True) if not item.gone]
        for mark in marks:
            tenant_id, _, stream_id = mark.partition("#")
            if (stream := self.get(tenant_id, stream_id)) is not None:
                yield stream

    def progress(self, tenant_id: str, stream_id: str) -> Progress:
        """How far it is."""
        item = read(ProgressItem, _progress_key(tenant_id), stream_id)
        return Progress() if item is None or item.state is None else Progress(**json.loads(item.state))

    def advance(self, stream: Stream, progress: Progress, event: Event | None = None) -> Progress | None:
        """Where its version is still this one, and the stream not gone."""
        after = replace(progress, version=progress.version + 1)
        transaction = Transaction(self._tables, self._outbox)
        stands = (ProgressItem.version == progress.version) & ProgressItem.state.exists()
        transaction.put(_progress_item(stream, after), stands, refused=PreconditionFailed())
        try:
            transaction.commit(*([event] if event else []))
        except PreconditionFailed:
            return None
        return after


def _stands(stream: Stream) -> Condition:
    stands: Condition = (StreamItem.version == stream.version) & StreamItem.state.exists()
    return stands


def _key(tenant_id: str) -> str:
    return f"{tenant_id}#STREAMS"


def _progress_key(tenant_id: str) -> str:
    return f"{tenant_id}#STREAMING"


def _mark(stream: Stream) -> str:
    return f"{stream.tenant_id}#{stream.id}"


def _item(stream: Stream) -> StreamItem:
    sealed = ("secret", "former")
    state = {name: getattr(stream, name) for name in stream.__slots__ if name not in sealed}
    return StreamItem(
        _key(stream.tenant_id),
        stream.id,
        version=stream.version,
        state=json.dumps(state, separators=(",", ":")),
        secret=stream.secret,
        former=stream.former,
    )


def _stream(item: StreamItem) -> Stream:
    former = bytes(item.former) if item.former else None
    return Stream(**json.loads(item.state), secret=bytes(item.secret), former=former)


def _progress_item(stream: Stream, progress: Progress) -> ProgressItem:
    state = json.dumps(progress.as_json(), separators=(",", ":"))
    return ProgressItem(_progress_key(stream.tenant_id), stream.id, version=progress.version, state=state)
