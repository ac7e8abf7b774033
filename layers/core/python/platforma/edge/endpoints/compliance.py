"""Compliance: reports with live evidence, who can do what, records of processing."""

from platforma.edge.endpoints.row import Endpoint, row

ENDPOINTS: tuple[Endpoint, ...] = (
    row(
        *("GET", "/v1/compliance/reports/{framework}", "audit.compliance_reports.get", "compliance_reports", "permission"),
        "How it stands with a framework's controls, by evidence gathered now",
        answer="compliance.ReportView",
        or_else=("text/html; charset=utf-8",),
    ),
    row(
        *("GET", "/v1/compliance/records-of-processing", "audit.processing_records.get", "compliance_reports", "permission"),
        "Records of processing activities and the retention schedule (GDPR article 30)",
        answer="compliance.ProcessingView",
    ),
    row(
        *("GET", "/v1/access-review", "audit.access.list", "compliance_reports", "permission"),
        "Who can do what, by whom it was given, and when it was last used",
        answer="compliance.AccessList",
        query="compliance.AccessQuery",
        or_else=("text/csv; charset=utf-8",),
    ),
    row(
        *("POST", "/v1/access-review/completions", "audit.access_reviews.complete", "compliance_reports", "permission"),
        "Record that access was reviewed",
        body="compliance.NewReview",
        answer="compliance.ReviewView",
        status=201,
    ),
    row(
        *("GET", "/v1/access-review/completions", "audit.access_reviews.list", "compliance_reports", "permission"),
        "List completed access reviews",
        answer="compliance.ReviewList",
        query="common.Paging",
    ),
)
