"""What storage refuses, or does not answer, is told as that it is not available, and never as a fault of ours."""

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from pynamodb.exceptions import GetError, QueryError, TransactWriteError

from platforma.adapters.dynamodb.identity.items import reading
from platforma.adapters.dynamodb.tables import cause_of, code_of
from platforma.adapters.dynamodb.transaction import Transaction
from platforma.kernel.errors import Unavailable

THROTTLED = ClientError({"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {}}, "Query")
SILENT = [error(endpoint_url="https://dynamodb.test") for error in (ReadTimeoutError, ConnectTimeoutError)]


@pytest.mark.parametrize("cause", [*SILENT, EndpointConnectionError(endpoint_url="https://dynamodb.test")])
def test_a_request_without_an_answer_has_no_code_and_says_what_became_of_it(cause):
    error = GetError("It failed.", cause)

    assert (code_of(error), cause_of(error)) == (None, type(cause).__name__)


def test_a_refusal_says_why():
    assert cause_of(QueryError("It failed.", THROTTLED)) == "ThrottlingException"


@pytest.mark.parametrize("cause", [*SILENT, THROTTLED])
def test_a_read_that_is_not_answered_is_told_as_unavailable(cause):
    with pytest.raises(Unavailable), reading():
        raise QueryError("It failed.", cause)


@pytest.mark.parametrize("cause", SILENT)
def test_a_write_that_is_not_answered_is_told_as_unavailable(cause, monkeypatch):
    def silent(*_: object, **__: object) -> None:
        raise TransactWriteError("It failed.", cause)

    monkeypatch.setattr("platforma.adapters.dynamodb.transaction.TransactWrite", silent)
    t = Transaction(type("Tables", (), {"connection": None})())
    t.check(object, "pk", "sk", None, refused=Unavailable())

    with pytest.raises(Unavailable):
        t.commit()
