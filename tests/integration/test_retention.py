"""How long a tenant's log is kept, on the deployed system: what is written next is locked for longer, and held."""

from datetime import UTC, datetime

from botocore.exceptions import ClientError

from tests.integration.conftest import Running
from tests.integration.test_audit_log import until

WHERE = "/v1/audit/retention"


def test_what_is_written_next_is_locked_for_longer_and_held_as_long_as_it_is_to_be(running: Running, token: str):
    years = max(3, running.call("GET", WHERE, token=token).json()["years"])

    def decided(*, hold: bool) -> None:
        body = {"years": years, "legal_hold": hold}
        answer = running.call("PUT", WHERE, token=token, headers={"If-Match": "*"}, json=body)
        assert (answer.status_code, answer.json()["applied"]) == (200, False), answer.text

    s3, bucket = running.aws("s3"), running.output["AuditBucket"]

    def held() -> dict[str, object] | None:
        running.call("GET", "/v1/users", token=token)
        prefix = f"{running.stack['tenant']['id']}/segments/"
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        newest = max(one["Key"] for page in pages for one in page.get("Contents", []))
        try:
            status = s3.get_object_legal_hold(Bucket=bucket, Key=newest)["LegalHold"]["Status"]
        except ClientError as fault:  # what S3 says of an object that never was held
            if fault.response["Error"]["Code"] != "NoSuchObjectLockConfiguration":
                raise
            return None
        return s3.get_object_retention(Bucket=bucket, Key=newest)["Retention"] if status == "ON" else None

    decided(hold=True)
    lock = until(held, "a segment that is held")
    decided(hold=False)

    assert lock["Mode"] == "COMPLIANCE"
    assert lock["RetainUntilDate"].year >= datetime.now(UTC).year + years
    shorter = running.call("PUT", WHERE, token=token, headers={"If-Match": "*"}, json={"years": years - 1})
    assert shorter.status_code == 422
