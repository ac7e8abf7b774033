"""Compliance reports, access review and old events on the deployed system."""

import csv
import io

import pytest


@pytest.mark.parametrize("framework", ["soc2", "iso27001", "gdpr"])
def test_a_report_holds_controls_to_what_is_deployed(running, token, framework):
    report = running.call("GET", f"/v1/compliance/reports/{framework}", token=token).json()

    assert report["framework"] == framework
    states = [control["status"] for control in report["controls"]]
    assert set(states) <= {"pass", "fail", "manual"}
    assert {name: states.count(name) for name in ("pass", "fail", "manual")} == report["summary"]
    assert report["summary"]["pass"] > 0
    for control in report["controls"]:
        assert control["status"] != "pass" or control["evidence"], control


def test_a_report_is_a_page_to_print_where_one_asks_for_it(running, token):
    page = running.call("GET", "/v1/compliance/reports/soc2", token=token, headers={"Accept": "text/html"})

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script" not in page.text


def test_a_report_sees_every_bucket_and_queue_of_the_state_and_one_whose_key_is_taken_away(running, token):
    sqs, queue = running.aws("sqs"), running.output["DeadLettersUrl"]
    key = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["KmsMasterKeyId"])["Attributes"]["KmsMasterKeyId"]

    def evidence():
        report = running.call("GET", "/v1/compliance/reports/soc2", token=token).json()
        [control] = [one for one in report["controls"] if one["id"] == "CC6.7"]
        return {one["name"]: (one["verdict"], one["summary"]) for one in control["evidence"]}

    before = evidence()
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": ""})
    try:
        bare = evidence()
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": key})

    assert before["buckets_encrypted"] == ("pass", "5 of 5 buckets are as expected.")
    assert before["queues_encrypted"] == ("pass", "4 of 4 queues are as expected.")
    assert bare["queues_encrypted"] == ("fail", f"3 of 4 queues are as expected: not {queue.rpartition('/')[2]}.")


def test_a_report_is_for_who_may_read_the_log(running):
    assert running.call("GET", "/v1/compliance/reports/soc2", token=running.stack["api_key"]["key"]).status_code == 403


def test_the_access_review_names_the_administrator_in_json_and_csv(running, token):
    admin = running.stack["admin"]["user_id"]

    listed = running.call("GET", "/v1/access-review", token=token, params={"limit": "200"}).json()["items"]
    table = running.call("GET", "/v1/access-review", token=token, headers={"Accept": "text/csv"})

    assert [each["roles"][0]["role"] for each in listed if each["principal"]["id"] == admin] == ["admin"]
    assert table.headers["content-type"].startswith("text/csv")
    assert any(admin in row for row in csv.reader(io.StringIO(table.text)))


def test_what_is_older_than_the_index_is_looked_for_in_the_log_itself(running, token):
    when = {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}

    assert running.call("GET", "/v1/audit/events", token=token, params=when).json()["items"] == []
