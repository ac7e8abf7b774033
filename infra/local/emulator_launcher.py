"""
MiniStack with what it lacks for data that must last, and for a small machine; run by its own interpreter (`python -I`).

Object locks and unread stream records survive a stop, an update of a stack keeps what a resource's neighbours know of it,
SIGUSR1 saves the state without stopping, and a layer is unpacked once, not once a worker.
"""

# mypy: ignore-errors
# ruff: noqa: SLF001, ANN001, ANN201 - the emulator's own, untyped insides
import hashlib
import os
import signal
import sys
import tempfile
import threading
import types
import zipfile
from pathlib import Path

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import dynamodb, s3
from ministack.services.cloudformation import _stacks, provisioners

s3._PERSISTED_BUCKET_DICTS.update(object_retention=s3._object_retention, object_legal_hold=s3._object_legal_hold)
STREAMS = {"stream_records": dynamodb._stream_records, "stream_trimmed": dynamodb._stream_trimmed}
get_state, load_state, update = dynamodb.get_state, dynamodb.load_persisted_state, provisioners._update_resource
saving, unpacking = threading.Lock(), threading.Lock()
LAYERS = Path(tempfile.gettempdir()) / "layers"


def load_with_streams(data):
    """Restore the tables, then the records of their streams."""
    load_state(data)
    for name, store in STREAMS.items():
        store._data.update(getattr(data.get(name), "_data", {}))


def update_keeping_attributes(kind, physical_id, old, new, stack, logical_id=None, attributes=None):
    """Update one resource, with the attributes it had known to those that ask for them."""
    known = (_stacks.get(stack) or {}).get("_resources", {}).get(logical_id, {}).get("Attributes")
    return update(kind, physical_id, old, new, stack, logical_id, known if attributes is None else attributes)


def save():
    """Write the state, one save at a time."""
    with saving:
        app.save_all(app._build_persistence_save_dict())


class SharedLayers(zipfile.ZipFile):
    """A zip file that, where a worker unpacks a layer, is unpacked once for all and linked to."""

    def extractall(self, path=None, members=None, pwd=None):
        """Unpack; the folder of a layer becomes a link to the one place where that very content already is."""
        if path is None or not Path(path).name.startswith("layer_"):
            return super().extractall(path, members, pwd)
        content = repr([(item.filename, item.CRC, item.file_size) for item in self.infolist()])
        shared = LAYERS / hashlib.sha256(content.encode()).hexdigest()
        with unpacking:
            if not shared.exists():
                fresh = Path(tempfile.mkdtemp(prefix="layer-"))
                super().extractall(fresh)
                LAYERS.mkdir(exist_ok=True)
                fresh.rename(shared)
        Path(path).rmdir()
        Path(path).symlink_to(shared)
        os.unlink(self.filename)  # noqa: PTH108 - the worker's own copy of the archive, of no more use
        return None


lambda_runtime.zipfile = types.SimpleNamespace(**vars(zipfile) | {"ZipFile": SharedLayers})
dynamodb.get_state = lambda: get_state() | STREAMS
dynamodb.load_persisted_state, provisioners._update_resource = load_with_streams, update_keeping_attributes
del sys.argv[1:]  # our own mark in the command line; the emulator reads no arguments
signal.signal(signal.SIGUSR1, lambda *_: threading.Thread(target=save).start())
app.main()
