"""
Nothing that was secret in this run stands anywhere: in no log line, table item, object of a bucket or message of a queue.

The last test of the run (see conftest.py): what every other one sent or got as a secret was noted on its way.
"""

import base64
import gzip
import json
import re
from collections.abc import Iterator

import pytest
from boto3.dynamodb.types import TypeDeserializer

from tests.integration.conftest import Running

WORD = re.compile(rb"[A-Za-z0-9+/_=.~%-]+")


@pytest.fixture(scope="module")
def everything(running: Running) -> dict[str, bytes]:
    """All that is kept, by where it stands."""
    found: dict[str, list[bytes]] = {}
    for place, content in (*tables(running), *buckets(running), *queues(running), *logs(running), *files(running)):
        found.setdefault(place, []).append(content)
    return {place: b"\n".join(contents) for place, contents in found.items()}


def test_no_secret_of_the_run_stands_anywhere(running: Running, token: str, everything):
    forms = {form: name for name, value in running.secrets() for form in spelled(value)}
    assert len(forms) > 30, "the run saw too few secrets to say anything"

    words = {form for form in forms if WORD.fullmatch(form)}
    leaks = []
    for place, content in everything.items():
        said = b"\n".join(set(WORD.findall(content)))  # each word once: most stand there again and again
        leaks += [(place, forms[form]) for form in forms if form in (said if form in words else content)]

    assert leaks == [], sorted(set(leaks))


@pytest.mark.parametrize("kind", ["table", "bucket", "log", "file"])
def test_the_search_finds_what_is_there(running: Running, token: str, everything, kind):
    """The tenant's id is no secret, and stands in each kind of place that was looked through."""
    wanted = running.stack["tenant"]["id"].encode()
    wanted = b"/v1/" if kind == "file" else wanted

    assert [place for place, content in everything.items() if place.startswith(kind) and wanted in content]


def spelled(value: str) -> set[bytes]:
    """The ways in which a text may be written down: as it is, in JSON, and in base64 of any alignment."""
    raw = value.encode()
    ways = {raw, json.dumps(value)[1:-1].encode(), raw.hex().encode()}
    for shift in range(3):
        inner = base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 :]
        ways.add(inner[: len(inner) // 4 * 4 - 4])
        ways.add(inner[: len(inner) // 4 * 4 - 4].replace(b"+", b"-").replace(b"/", b"_"))
    return {way for way in ways if len(way) >= 12}


def tables(running: Running) -> Iterator[tuple[str, bytes]]:
    client, plain = running.aws("dynamodb"), TypeDeserializer()
    for name in client.list_tables()["TableNames"]:
        for page in client.get_paginator("scan").paginate(TableName=name):
            for item in page["Items"]:
                values = [plain.deserialize(value) for value in item.values()]
                yield f"table {name}", b"\n".join(_bytes(value) for value in values)


def buckets(running: Running) -> Iterator[tuple[str, bytes]]:
    client = running.aws("s3")
    for bucket in client.list_buckets()["Buckets"]:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for item in page.get("Contents", []):
                body = client.get_object(Bucket=bucket["Name"], Key=item["Key"])["Body"].read()
                yield f"bucket {bucket['Name']}", gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def queues(running: Running) -> Iterator[tuple[str, bytes]]:
    client = running.aws("sqs")
    for url in client.list_queues().get("QueueUrls", []):
        for message in client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, MessageAttributeNames=["All"]
        ).get("Messages", []):
            yield f"queue {url}", _bytes(message)


def logs(running: Running) -> Iterator[tuple[str, bytes]]:
    client = running.aws("logs")
    for group in client.get_paginator("describe_log_groups").paginate().build_full_result()["logGroups"]:
        name = group["logGroupName"]
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=name):
            for event in page["events"]:
                yield f"log {name}", event["message"].encode()


def files(running: Running) -> Iterator[tuple[str, bytes]]:
    """What the local stack's own programs log, the edge's access log among it."""
    for path in sorted((running.home / "logs").iterdir()):
        yield f"file {path.name}", path.read_bytes()


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    inner = getattr(value, "value", value)
    return bytes(inner) if isinstance(inner, bytes | bytearray) else str(inner).encode()
