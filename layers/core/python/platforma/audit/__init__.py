"""Audit: what happened, recorded with the change itself, entered in a provable log, searchable at once."""

from platforma.audit.completeness import completeness
from platforma.audit.disclosure import disclose
from platforma.audit.erasure import ask_for_erasure, read_erasure
from platforma.audit.exports import ask_for_export, list_exports, read_export
from platforma.audit.keeping import read_keeping, require_no_hold, set_keeping
from platforma.audit.search import get_event, locate_event, search
from platforma.audit.streams import (
    create_stream,
    delete_stream,
    list_streams,
    read_stream,
    replay_stream,
    rotate_stream_secret,
    update_stream,
)
from platforma.audit.witnesses import choose_witness, dismiss_witness, list_witnesses, read_witness

__all__ = [
    "ask_for_erasure",
    "ask_for_export",
    "choose_witness",
    "completeness",
    "create_stream",
    "delete_stream",
    "disclose",
    "dismiss_witness",
    "get_event",
    "list_exports",
    "list_streams",
    "list_witnesses",
    "locate_event",
    "read_erasure",
    "read_export",
    "read_keeping",
    "read_stream",
    "read_witness",
    "replay_stream",
    "require_no_hold",
    "rotate_stream_secret",
    "search",
    "set_keeping",
    "update_stream",
]
