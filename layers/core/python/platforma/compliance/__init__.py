"""Compliance: controls as code, held to evidence gathered live; who can do what, and that somebody looked."""

from platforma.compliance.access import list_access
from platforma.compliance.processing import records_of_processing
from platforma.compliance.report import make_report
from platforma.compliance.reviews import complete_review, list_reviews

__all__ = ["complete_review", "list_access", "list_reviews", "make_report", "records_of_processing"]
