"""Objects: what tenants store, in encrypted chunks, whole or by parts."""

from platforma.keys.objects.delete import delete_object
from platforma.keys.objects.model import Object, Upload
from platforma.keys.objects.names import Names, parse_key
from platforma.keys.objects.put import put_object
from platforma.keys.objects.read import list_objects, read_bytes, read_object
from platforma.keys.objects.sweep import sweep_objects
from platforma.keys.objects.uploads import abort_upload, complete_upload, put_part, start_upload

__all__ = [
    "Names",
    "Object",
    "Upload",
    "abort_upload",
    "complete_upload",
    "delete_object",
    "list_objects",
    "parse_key",
    "put_object",
    "put_part",
    "read_bytes",
    "read_object",
    "start_upload",
    "sweep_objects",
]
