"""Audit: what happened, recorded with the change itself, entered in a provable log, searchable at once."""
