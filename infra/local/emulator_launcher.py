"""
MiniStack with what it lacks for data that must last; run by its own interpreter, isolated (`python -I`).

Object locks and unread stream records survive a stop, an update of a stack keeps what a resource's neighbours know of it,
and SIGUSR1 saves the state without stopping.
"""

# mypy: ignore-errors
import signal
import sys
import threading

from ministack import app
from ministack.services import dynamodb, s3
from ministack.services.cloudformation import _stacks, provisioners

s3._PERSISTED_BUCKET_DICTS.update(object_retention=s3._object_retention, object_legal_hold=s3._object_legal_hold)  # noqa: SLF001
STREAMS = {"stream_records": dynamodb._stream_records, "stream_trimmed": dynamodb._stream_trimmed}  # noqa: SLF001
get_state, load_state, update = dynamodb.get_state, dynamodb.load_persisted_state, provisioners._update_resource  # noqa: SLF001
saving = threading.Lock()


def load_with_streams(data):
    """Restore the tables, then the records of their streams."""
    load_state(data)
    for name, store in STREAMS.items():
        store._data.update(getattr(data.get(name), "_data", {}))  # noqa: SLF001


def update_keeping_attributes(kind, physical_id, old, new, stack, logical_id=None, attributes=None):
    """Update one resource, with the attributes it had known to those that ask for them."""
    known = (_stacks.get(stack) or {}).get("_resources", {}).get(logical_id, {}).get("Attributes")
    return update(kind, physical_id, old, new, stack, logical_id, known if attributes is None else attributes)


def save():
    """Write the state, one save at a time."""
    with saving:
        app.save_all(app._build_persistence_save_dict())  # noqa: SLF001


dynamodb.get_state = lambda: get_state() | STREAMS
dynamodb.load_persisted_state, provisioners._update_resource = load_with_streams, update_keeping_attributes  # noqa: SLF001
del sys.argv[1:]  # our own mark in the command line; the emulator reads no arguments
signal.signal(signal.SIGUSR1, lambda *_: threading.Thread(target=save).start())
app.main()
