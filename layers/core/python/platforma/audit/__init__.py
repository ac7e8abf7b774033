"""Audit: what happened, recorded with the change itself, entered in a provable log, searchable at once."""

from platforma.audit.completeness import completeness
from platforma.audit.search import get_event, locate_event, search

__all__ = ["completeness", "get_event", "locate_event", "search"]
