"""What compacting and erasing rely on, of marks and files in memory and of DynamoDB's and S3's; and what Athena is told."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from platforma.adapters.athena import AthenaTable
from platforma.adapters.dynamodb.cold_marks import DynamoDBMarks
from platforma.adapters.memory.cold import FolderFiles, MemoryMarks
from platforma.adapters.s3_cold import S3ColdFiles
from platforma.audit.cold.ports import Files, Mark, Marks
from platforma.audit.cold.statement import Statement
from platforma.kernel.errors import Unavailable
from platforma.kernel.ids import new_id
from tests.contract.on_moto import REGION, tables_on_moto

NAME = "events/tenant=t/day=2026-11-24/a.parquet"


@pytest.fixture(params=["memory", "aws"])
def ports(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Marks, Files]]:
    if request.param == "memory":
        yield MemoryMarks(), FolderFiles(tmp_path / "files")
        return
    with tables_on_moto("audit") as tables:
        s3 = boto3.client("s3", REGION)
        s3.create_bucket(Bucket="cold", CreateBucketConfiguration={"LocationConstraint": REGION})
        yield DynamoDBMarks(tables), S3ColdFiles("cold", client=s3)


def test_a_mark_is_moved_only_from_where_it_stands(ports: tuple[Marks, Files]):
    marks, _ = ports
    tenant = new_id("ten")
    none, begun = Mark(tenant), Mark(tenant, 0, 5)

    assert marks.of(tenant) == {}
    assert marks.replace(none, begun)
    assert not marks.replace(none, Mark(tenant, 0, 9))
    assert marks.replace(begun, done := Mark(tenant, 5, 5, "2026-11-24"))
    assert marks.replace(Mark(f"{tenant}.2"), Mark(f"{tenant}.2", 0, 1))
    assert marks.of(tenant) == {tenant: done, f"{tenant}.2": Mark(f"{tenant}.2", 0, 1)}
    assert marks.replace(done, none)
    assert marks.replace(none, begun), "what was given up can be begun again"


def test_of_those_who_begin_a_range_at_once_one_has_it(ports: tuple[Marks, Files]):
    marks, _ = ports
    tenant = new_id("ten")
    won: list[bool] = []
    threads = [
        threading.Thread(target=lambda at=at: won.append(marks.replace(Mark(tenant), Mark(tenant, 0, at))))
        for at in range(1, 9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(won) == [False] * 7 + [True]


def test_a_file_is_put_only_in_the_place_of_what_was_seen(ports: tuple[Marks, Files], tmp_path: Path):
    _, files = ports
    one, two, found = tmp_path / "one", tmp_path / "two", tmp_path / "found"
    one.write_bytes(b"1")
    two.write_bytes(b"2")

    assert files.tag(NAME) is None
    assert files.fetch(NAME, found) is None
    assert not files.put(NAME, one, instead_of='"0123456789abcdef0123456789abcdef"')
    assert files.put(NAME, one, instead_of=None)
    assert not files.put(NAME, two, instead_of=None)
    tag = files.fetch(NAME, found)
    assert (tag, found.read_bytes()) == (files.tag(NAME), b"1")
    assert files.put(NAME, two, instead_of=tag)
    assert not files.put(NAME, one, instead_of=tag)
    assert files.tag(NAME) != tag


def test_names_are_in_order_and_what_is_removed_is_gone(ports: tuple[Marks, Files], tmp_path: Path):
    _, files = ports
    file = tmp_path / "one"
    file.write_bytes(b"1")
    names = [f"events/tenant={tenant}/day=2026-11-24/{at}.parquet" for tenant in "ab" for at in (1, 2)]
    for name in reversed(names):
        assert files.put(name, file, instead_of=None)

    assert list(files.names("events/tenant=a/")) == names[:2]
    assert list(files.names("events/tenant=a/", after=names[0])) == names[1:2]
    assert files.remove("events/tenant=a/") == 2
    assert list(files.names("events/")) == names[2:]


ASKED = Statement("SELECT a FROM events WHERE tenant = ? AND b = ?", ("ten_x", "6162"))


@pytest.fixture
def athena() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("athena", REGION, aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        yield client, stub


def table(client: Any, **more: Any) -> AthenaTable:
    return AthenaTable(workgroup="group", database="base", client=client, pause=lambda _seconds: None, **more)


def started(stub: Stubber, *states: str) -> None:
    expected = {
        "QueryString": ASKED.text,
        "ExecutionParameters": ["'ten_x'", "'6162'"],
        "QueryExecutionContext": {"Database": "base"},
        "WorkGroup": "group",
    }
    stub.add_response("start_query_execution", {"QueryExecutionId": "q"}, expected)
    for state in states:
        answer = {"QueryExecution": {"Status": {"State": state, "StateChangeReason": "why"}}}
        stub.add_response("get_query_execution", answer, {"QueryExecutionId": "q"})


def rows(*values: str | None) -> dict[str, Any]:
    return {"ResultSet": {"Rows": [{"Data": [{} if one is None else {"VarCharValue": one}]} for one in values]}}


def test_a_question_is_parameters_beside_a_constant_text_and_its_rows_come_page_by_page(athena: tuple[Any, Stubber]):
    client, stub = athena
    started(stub, "QUEUED", "RUNNING", "SUCCEEDED")
    stub.add_response("get_query_results", rows("a", "1") | {"NextToken": "more"}, {"QueryExecutionId": "q"})
    stub.add_response("get_query_results", rows(None, "3"), {"QueryExecutionId": "q", "NextToken": "more"})

    assert table(client).ask(ASKED) == [["1"], [None], ["3"]]


def test_a_question_that_takes_too_long_is_stopped(athena: tuple[Any, Stubber]):
    client, stub = athena
    started(stub, "RUNNING")
    stub.add_response("stop_query_execution", {}, {"QueryExecutionId": "q"})

    assert table(client, patience=0.0).ask(ASKED) is None
    stub.assert_no_pending_responses()


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_question_that_fails_is_told(athena: tuple[Any, Stubber], state: str):
    client, stub = athena
    started(stub, state)

    with pytest.raises(Unavailable):
        table(client).ask(ASKED)


def test_athena_that_throttles_is_unavailable(athena: tuple[Any, Stubber]):
    client, stub = athena
    stub.add_client_error("start_query_execution", "TooManyRequestsException", http_status_code=400)

    with pytest.raises(Unavailable):
        table(client).ask(ASKED)
