"""A compliance report as an auditor has it: in a browser by the rules of WCAG 2.2 AA, and printed on A4."""

import os
import re
from pathlib import Path

import pytest

from tests.browser.test_accessibility import Inspector

A4_INSIDE = 673
"""CSS pixels of a line on A4 between margins of 16 mm."""


@pytest.fixture(scope="module")
def report(chromium, running, token):
    """The page of a SOC 2 report."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/html"}
    context = chromium.new_context(base_url=running.stack["url"], extra_http_headers=headers)
    page = context.new_page()
    assert page.goto("/v1/compliance/reports/soc2").status == 200
    yield page
    context.close()


def test_a_report_is_for_everybody(report):
    inspector = Inspector(report, "report")

    inspector.look("report")

    assert inspector.faults == []


def test_a_report_prints_whole_on_paper(report):
    controls = report.locator("section").count()
    report.emulate_media(media="print")
    report.set_viewport_size({"width": A4_INSIDE, "height": 900})

    printed = report.pdf(prefer_css_page_size=True)

    assert report.evaluate("document.documentElement.scrollWidth") <= A4_INSIDE
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 1
    assert controls > 20
    whole = "all => all.every(each => getComputedStyle(each).breakInside == 'avoid')"
    assert report.locator("section").evaluate_all(whole)
    if folder := os.environ.get("PLATFORMA_SCREENSHOTS"):
        Path(folder, "report.pdf").write_bytes(printed)
