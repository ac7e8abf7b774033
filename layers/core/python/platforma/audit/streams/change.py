"""What a tenant decides of its streams."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from platforma.audit.called_url import is_called
from platforma.audit.model import tenant_of
from platforma.audit.ports import LogStore
from platforma.audit.streams.errors import TooManyStreams
from platforma.audit.streams.model import FORMER_SECRET, MOST, Progress, Stream
from platforma.audit.streams.ports import Streams
from platforma.audit.streams.signature import new_secret
from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import Conflict, FieldError, NotFound, PreconditionFailed, Unprocessable
from platforma.kernel.events import Attempt
from platforma.kernel.ids import is_id, new_id
from platforma.keys.envelope import Envelope

PURPOSE = "stream"
_TYPE, _ATTEMPTS = "stream", 5


def create_stream(
    asked: Mapping[str, Any], *, streams: Streams, store: LogStore, envelope: Envelope, attempt: Attempt
) -> tuple[Stream, str]:
    """
    Make a stream of what is entered from now on; the stream, and its secret, which is not told again.

    Raises:
        Unprocessable: its URL is not one that is called.
        TooManyStreams: there are ten.
    """
    _require_reachable(asked["destination"])
    if len(streams.listed(attempt.tenant_id, after=None, limit=MOST)) >= MOST:
        raise TooManyStreams
    stream_id, secret = new_id("stm"), new_secret()
    stream = Stream(
        stream_id,
        attempt.tenant_id,
        **{name: asked[name] for name in ("name", "destination", "format", "enabled")},
        created_at=rfc3339(attempt.clock()),
        created_by=attempt.principal_id or "",
        secret=envelope.seal(attempt.tenant_id, PURPOSE, stream_id, secret.encode()),
    )
    heads = {log_id: store.head(log_id) for log_id in store.logs_of(attempt.tenant_id)}
    places = {log_id: head.size if head else 0 for log_id, head in heads.items()}
    told = {"after": {**stream.told(), "places": places}}
    event = attempt.event("success", resource=stream.id, resource_type=_TYPE, changes=told)
    streams.add(stream, Progress(places), event)
    return stream, secret


def read_stream(tenant_id: str, stream_id: str, *, streams: Streams) -> Stream:
    """
    The stream of this id.

    Raises:
        NotFound: the tenant has none.
    """
    found = streams.get(tenant_id, stream_id) if is_id(stream_id, "stm") else None
    if found is None:
        raise NotFound
    return found


def list_streams(tenant_id: str, *, limit: int, after: str | None, streams: Streams) -> tuple[Sequence[Stream], str | None]:
    """A page of the tenant's streams, and the id to go on behind."""
    found = streams.listed(tenant_id, after=after, limit=limit + 1)
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def update_stream(
    stream_id: str, asked: Mapping[str, Any], *, if_match: int | None, streams: Streams, attempt: Attempt
) -> Stream:
    """
    Decide anew; one that is enabled by it is tried at once, also where it was suspended.

    Raises:
        NotFound, PreconditionFailed: there is none, or another version of it.
        Unprocessable: its URL is not one that is called.
    """
    before = _standing(stream_id, if_match, streams, attempt)
    if "destination" in asked:
        _require_reachable(asked["destination"])
    after = replace(before, **asked, version=before.version + 1)
    told = {"before": before.told(), "after": after.told()}
    streams.replace(before, after, attempt.event("success", resource=stream_id, resource_type=_TYPE, changes=told))
    if asked.get("enabled"):
        _resume(after, streams)
    return after


def delete_stream(stream_id: str, *, if_match: int | None, streams: Streams, attempt: Attempt) -> None:
    """
    Push nothing more.

    Raises:
        NotFound, PreconditionFailed: as `update_stream`.
    """
    before = _standing(stream_id, if_match, streams, attempt)
    told = {"before": before.told(), "after": None}
    streams.remove(before, attempt.event("success", resource=stream_id, resource_type=_TYPE, changes=told))


def rotate_stream_secret(stream_id: str, *, streams: Streams, envelope: Envelope, attempt: Attempt) -> tuple[Stream, str]:
    """
    Give the stream another secret; messages are signed by the former one too for a day. The secret is not told again.

    Raises:
        NotFound: there is no such stream.
    """
    before = _standing(stream_id, None, streams, attempt)
    secret = new_secret()
    until = rfc3339(attempt.clock() + FORMER_SECRET)
    after = replace(
        before,
        secret=envelope.seal(attempt.tenant_id, PURPOSE, stream_id, secret.encode()),
        former=before.secret,
        former_until=until,
        version=before.version + 1,
    )
    told = {"after": {"former_until": until}}
    streams.replace(before, after, attempt.event("success", resource=stream_id, resource_type=_TYPE, changes=told))
    return after, secret


def replay_stream(
    stream_id: str, *, log_id: str | None, from_sequence: int, streams: Streams, store: LogStore, attempt: Attempt
) -> Stream:
    """
    Push what the log has from *from_sequence* on, again or for the first time; a stream that was suspended is resumed.

    Raises:
        NotFound: there is no such stream.
        Unprocessable: the log is none of the tenant's, or not as long.
    """
    stream = _standing(stream_id, None, streams, attempt)
    log_id = log_id or attempt.tenant_id
    head = store.head(log_id) if tenant_of(log_id) == attempt.tenant_id else None
    if head is None:
        raise Unprocessable(errors=[FieldError("/log", "There is no such log.")])
    if from_sequence > head.size:
        raise Unprocessable(errors=[FieldError("/from_sequence", f"The log has {head.size} events.")])
    for _ in range(_ATTEMPTS):
        before = streams.progress(attempt.tenant_id, stream_id)
        places = {**before.places, log_id: from_sequence}
        told = {"before": {"places": dict(before.places)}, "after": {"places": places}}
        event = attempt.event("success", resource=stream_id, resource_type=_TYPE, changes=told)
        # Its lease goes as well: a worker that has it notices before it notes anything.
        if streams.advance(stream, Progress(places, before.delivered_at, version=before.version), event) is not None:
            return stream
    raise Conflict("The stream is being changed at this moment.")


def _standing(stream_id: str, if_match: int | None, streams: Streams, attempt: Attempt) -> Stream:
    stream = read_stream(attempt.tenant_id, stream_id, streams=streams)
    if if_match not in (None, stream.version):
        raise PreconditionFailed
    return stream


def _resume(stream: Stream, streams: Streams) -> None:
    for _ in range(_ATTEMPTS):
        before = streams.progress(stream.tenant_id, stream.id)
        if not before.failing_since and not before.suspended:
            return
        if streams.advance(stream, Progress(before.places, before.delivered_at, version=before.version)) is not None:
            return


def _require_reachable(destination: Mapping[str, str]) -> None:
    """Only a URL can say what its form does not forbid: other destinations' names are what their forms let through."""
    if destination["type"] == "https" and not is_called(destination["url"]):
        raise Unprocessable(errors=[FieldError("/destination/url", "Must be an https URL without credentials or fragment.")])
