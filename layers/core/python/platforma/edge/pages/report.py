"""A compliance report as a page that stands alone and prints well: nothing of it is loaded from anywhere."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from platforma.edge.answer import Answer

HTML = "text/html; charset=utf-8"
_HERE = Path(__file__).parent


def report_page(report: dict[str, Any], request_id: str) -> Answer:
    """The report as `Report.as_json` has it; whatever stands in it is text."""
    style = _style()
    body = _template().render(report=report, style=style, request_id=request_id)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return Answer(
        200, body, {"Content-Security-Policy": policy, "Vary": "Accept", "Content-Language": "en"}, media_type=HTML
    )


@cache
def _style() -> str:
    return (_HERE / "static" / "report.css").read_text()


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")
