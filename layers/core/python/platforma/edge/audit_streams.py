"""Streams as a caller asks for and sees them."""

from datetime import UTC, datetime
from typing import Any

from platforma.audit.ports import LogStore
from platforma.audit.streams import Stream, status_of
from platforma.audit.streams.ports import Streams
from platforma.edge.call import Call
from platforma.kernel.clock import parse_rfc3339, rfc3339


def asked_stream(call: Call) -> dict[str, Any]:
    """What the body asks for, whole or in part."""
    said = call.body.model_dump(exclude_none=True)
    return dict(said)


def stream_view(stream: Stream, *, streams: Streams, store: LogStore, now: datetime) -> dict[str, Any]:
    """The stream, how it goes, and how much of each log is still to be delivered."""
    progress = streams.progress(stream.tenant_id, stream.id)
    heads = {log_id: store.head(log_id) for log_id in store.logs_of(stream.tenant_id)}
    sizes = {log_id: head.size if head else 0 for log_id, head in heads.items()}
    places = [(log_id, progress.places.get(log_id, 0), size) for log_id, size in sizes.items()]
    waits = progress.next_try and not progress.suspended
    former = stream.former_until if stream.former_until and now < parse_rfc3339(stream.former_until) else None
    return {
        "id": stream.id,
        "name": stream.name,
        "destination": dict(stream.destination),
        "external_id": stream.tenant_id,
        "format": stream.format,
        "enabled": stream.enabled,
        "created_at": stream.created_at,
        "created_by": stream.created_by,
        "former_secret_until": former,
        "health": {
            "status": status_of(stream, progress),
            "delivered_at": progress.delivered_at,
            "failing_since": progress.failing_since,
            "tries": progress.tries,
            "next_try_at": rfc3339(datetime.fromtimestamp(progress.next_try, UTC)) if waits else None,
            "error": progress.error,
            "logs": [
                {"log": log_id, "next_sequence": place, "behind": max(0, size - place)} for log_id, place, size in places
            ],
        },
    }
