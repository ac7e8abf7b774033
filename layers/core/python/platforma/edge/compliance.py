"""Compliance as callers ask for it and see it: JSON, or a page to be printed."""

from typing import Any
from urllib.parse import urlencode

from platforma.compliance.access import as_csv
from platforma.compliance.model import Report
from platforma.edge.answer import Answer
from platforma.edge.call import Call

_JSON, _HTML, _CSV = "application/json", "text/html", "text/csv"


def report_answer(call: Call, report: Report) -> Answer:
    """The report as JSON, or as a page where that is what the caller rather has (RFC 9110 section 12.5.1)."""
    call.attempt.resource, call.attempt.resource_type = report.framework.id, "compliance_report"
    if preferred(call.headers.get("accept", ""), (_JSON, _HTML)) == _JSON:
        return Answer(200, report.as_json(), {"Vary": "Accept"})
    from platforma.edge.pages.report import report_page  # noqa: PLC0415  its templates come in a layer of their own

    return report_page(report.as_json(), call.request_id)


def access_answer(call: Call, lines: list[dict[str, Any]], after: str | None, policy_version: int) -> Answer:
    """A page of who can do what, as JSON or CSV; the next page of CSV is named by a `Link` (RFC 8288)."""
    cursor = call.next_cursor(after)
    if preferred(call.headers.get("accept", ""), (_JSON, _CSV)) == _JSON:
        return Answer(200, {"items": lines, "next_cursor": cursor, "policy_version": policy_version}, {"Vary": "Accept"})
    headers = {"Vary": "Accept", "Content-Disposition": 'attachment; filename="access-review.csv"'}
    if cursor is not None:
        asked = {name: values[-1] for name, values in call.query.items() if name != "cursor"}
        headers["Link"] = f'<{call.endpoint.path}?{urlencode({**asked, "cursor": cursor})}>; rel="next"'
    return Answer(200, as_csv(lines), headers, media_type=f"{_CSV}; charset=utf-8")


def reviewed(call: Call) -> dict[str, Any]:
    """What the body says of a review."""
    asked: dict[str, Any] = call.body.model_dump()
    return asked


def preferred(accept: str, offered: tuple[str, ...]) -> str:
    """Which of *offered* an `Accept` header would rather have; the first where it does not say, or wants none of them."""
    best, liked = offered[0], 0.0
    for media_type in offered:
        weight = _weight(accept, media_type)
        if weight > liked:
            best, liked = media_type, weight
    return best


def _weight(accept: str, media_type: str) -> float:
    """The weight of the most specific range that covers *media_type*."""
    found = (-1, 0.0)
    for part in accept.lower().split(","):
        name, *parameters = [piece.strip() for piece in part.split(";")]
        exact = ("*/*", f"{media_type.partition('/')[0]}/*", media_type)
        if name not in exact:
            continue
        weights = [piece[2:] for piece in parameters if piece.startswith("q=")]
        try:
            weight = min(max(float(weights[0]), 0.0), 1.0) if weights else 1.0
        except ValueError:
            weight = 0.0
        found = max(found, (exact.index(name), weight))
    return found[1]
