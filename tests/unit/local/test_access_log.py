import base64
import gzip
import json
import time

import boto3
import pytest
from moto import mock_aws

from infra.local import access_log, aws

ENTRY = {
    "ts": 1795516598.7, "logger": "http.log.access", "duration": 0.2, "size": 143, "status": 401, "user_agent": "curl/8",
    "edge_id": "e-1", "answer_request_id": "r-1",
    "request": {
        "remote_ip": "203.0.113.9", "proto": "HTTP/2.0", "method": "GET", "host": "localhost:8443", "uri": "/v1/me?token=x",
        "tls": {"version": 772, "cipher_suite": 4865},
    },
}  # fmt: skip


def write(path, *entries, tail=""):
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries) + tail)
    return path


def messages(event):
    document = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    assert document["messageType"] == "DATA_MESSAGE"
    return [json.loads(one["message"]) for one in document["logEvents"]]


def test_an_event_tells_of_a_request_as_the_gateway_would(tmp_path):
    log = write(tmp_path / "log", ENTRY)

    (told,) = messages(access_log.event_of(list(access_log.lines(log, 0)), log))

    facts = ("extendedRequestId", "ip", "userAgent", "httpMethod", "path", "status", "requestTimeEpoch", "tlsVersion")
    assert [told[name] for name in facts] == [
        "r-1",
        "203.0.113.9",
        "curl/8",
        "GET",
        "/v1/me",
        "401",
        "1795516598500",
        "TLSv1.3",
    ]


def test_a_query_never_enters_the_event(tmp_path):
    log = write(tmp_path / "log", ENTRY)

    assert "token" not in json.dumps(messages(access_log.event_of(list(access_log.lines(log, 0)), log)))


def test_what_the_edge_refused_goes_by_the_edges_own_id(tmp_path):
    log = write(tmp_path / "log", ENTRY | {"answer_request_id": ""})

    assert messages(access_log.event_of(list(access_log.lines(log, 0)), log))[0]["extendedRequestId"] == "e-1"


def test_what_the_gateway_refused_by_itself_no_function_answers_for(tmp_path):
    log = write(tmp_path / "log", ENTRY | {"gateway_refused": "yes"})

    (told,) = messages(access_log.event_of(list(access_log.lines(log, 0)), log))

    assert (told["extendedRequestId"], told["integrationStatus"]) == ("r-1", "-")


def test_a_line_that_is_still_being_written_waits(tmp_path):
    log = write(tmp_path / "log", ENTRY, tail='{"ts": 17')

    assert len(list(access_log.lines(log, 0))) == 1


def test_reading_goes_on_where_it_ended(tmp_path):
    log = write(tmp_path / "log", ENTRY, ENTRY | {"status": 200})
    first, second = access_log.lines(log, 0)

    assert [line.entry["status"] for line in access_log.lines(log, first.ends)] == [200]
    assert list(access_log.lines(log, second.ends)) == []


def test_lines_are_batched_to_what_one_event_carries(tmp_path, monkeypatch):
    monkeypatch.setattr(access_log, "BATCH_LINES", 2)
    log = write(tmp_path / "log", *[ENTRY] * 5)

    assert [len(batch) for batch in access_log.batches(access_log.lines(log, 0))] == [2, 2, 1]


def test_a_line_that_is_no_entry_is_passed_over(tmp_path):
    log = tmp_path / "log"
    log.write_text("nonsense\n" + json.dumps(ENTRY) + "\n")

    assert len(messages(access_log.event_of(list(access_log.lines(log, 0)), log))) == 1


def test_a_place_in_another_file_counts_for_nothing(tmp_path):
    log, place = write(tmp_path / "log", ENTRY), tmp_path / "place"
    place.write_text(json.dumps({"inode": log.stat().st_ino + 1, "offset": 10}))

    assert access_log.Shipper(log, place, "http://127.0.0.1:1").position() == 0


@pytest.fixture
def logs(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("logs", region_name="eu-central-1")
        client.create_log_group(logGroupName="/aws/lambda/platforma-one")
        client.create_log_stream(logGroupName="/aws/lambda/platforma-one", logStreamName="s")
        monkeypatch.setattr(aws, "client", lambda _service, _url: client)
        yield client


def said(client, at, *messages):
    events = [{"timestamp": int(at * 1000), "message": message} for message in messages]
    client.put_log_events(logGroupName="/aws/lambda/platforma-one", logStreamName="s", logEvents=events)


class Taking(access_log.Shipper):
    def __init__(self):
        self.url, self.taken, self.refuses = "", [], False

    def hand_over(self, event):
        if self.refuses:
            raise RuntimeError("not now")
        self.taken += messages(event)


def test_what_functions_say_of_requests_is_handed_over_once(tmp_path, logs):
    shipper, now = Taking(), time.time()
    marks = access_log.Marks(tmp_path / "marks.json", shipper)
    said(logs, now, '{"record": "audited", "request_id": "r-1"}', '{"message": "something else"}')

    assert [marks.ship(now), marks.ship(now + 1), marks.ship(now + 11)] == [1, 0, 0]
    assert shipper.taken == [{"record": "audited", "request_id": "r-1"}]


def test_what_was_not_taken_is_handed_over_later_by_another_process_too(tmp_path, logs):
    shipper, now = Taking(), time.time()
    said(logs, now, '{"record": "audited", "request_id": "r-1"}')
    shipper.refuses = True
    with pytest.raises(RuntimeError):
        access_log.Marks(tmp_path / "marks.json", shipper).ship(now)
    shipper.refuses = False

    access_log.Marks(tmp_path / "marks.json", shipper).ship(now + 60)

    assert [one["request_id"] for one in shipper.taken] == ["r-1"]
