"""Audit: what happened, recorded with the change itself, entered in a provable log, searchable at once."""

from platforma.audit.search import get_event, search

__all__ = ["get_event", "search"]
