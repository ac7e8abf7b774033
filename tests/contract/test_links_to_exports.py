"""Links to exports, as AWS's own signer makes them. Nothing is called for one."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from platforma.adapters.s3_files import S3Files


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> S3Files:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    return S3Files("platforma-exports")


def test_a_link_leads_to_the_bucket_in_its_own_region(files: S3Files):
    """The global endpoint redirects while a bucket is new, and a signature binds the host."""
    assert (
        urlsplit(files.link("ten_1/a.jsonl", timedelta(hours=1))).netloc == "platforma-exports.s3.eu-central-1.amazonaws.com"
    )


def test_a_link_is_signed_for_its_region_and_its_time(files: S3Files):
    signed = parse_qs(urlsplit(files.link("ten_1/a.jsonl", timedelta(minutes=10))).query)

    assert signed["X-Amz-Expires"] == ["600"]
    assert signed["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert signed["X-Amz-Credential"][0].endswith("/eu-central-1/s3/aws4_request")
