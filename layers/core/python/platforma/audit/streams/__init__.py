"""Streams: a tenant's events, pushed to a receiver of its choice as they are entered."""

from platforma.audit.streams.change import (
    create_stream,
    delete_stream,
    list_streams,
    read_stream,
    replay_stream,
    rotate_stream_secret,
    update_stream,
)
from platforma.audit.streams.deliver import Deliverer, run_streams
from platforma.audit.streams.model import Progress, Stream, status_of

__all__ = [
    "Deliverer",
    "Progress",
    "Stream",
    "create_stream",
    "delete_stream",
    "list_streams",
    "read_stream",
    "replay_stream",
    "rotate_stream_secret",
    "run_streams",
    "status_of",
    "update_stream",
]
