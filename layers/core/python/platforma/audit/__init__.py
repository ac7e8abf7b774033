"""Audit: what happened, recorded with the change itself, entered in a provable log, searchable at once."""

from platforma.audit.completeness import completeness
from platforma.audit.disclosure import disclose
from platforma.audit.erasure import ask_for_erasure, read_erasure
from platforma.audit.exports import ask_for_export, list_exports, read_export
from platforma.audit.keeping import read_keeping, require_no_hold, set_keeping
from platforma.audit.search import get_event, locate_event, search

__all__ = [
    "ask_for_erasure",
    "ask_for_export",
    "completeness",
    "disclose",
    "get_event",
    "list_exports",
    "locate_event",
    "read_erasure",
    "read_export",
    "read_keeping",
    "require_no_hold",
    "search",
    "set_keeping",
]
