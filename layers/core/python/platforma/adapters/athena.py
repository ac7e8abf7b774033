"""The Parquet of old events, asked of Athena: one statement, waited for, its rows read page by page."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from platforma.adapters.aws import answering
from platforma.audit.cold.statement import Statement
from platforma.kernel.errors import Unavailable

_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"max_attempts": 3, "mode": "standard"})
_PATIENCE, _PAUSE, _LONGEST_PAUSE = 10.0, 0.1, 0.5
"""Seconds: for one answer, and between two looks whether it is there. A gateway waits 29."""


class AthenaTable:
    """`Table`. What is scanned and where results go, encrypted, is the workgroup's to say."""

    def __init__(
        self,
        *,
        workgroup: str,
        database: str,
        client: Any = None,
        patience: float = _PATIENCE,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._workgroup, self._database, self._patience, self._pause = workgroup, database, patience, pause
        self._client = client

    @property
    def _athena(self) -> Any:
        """Made when it is first needed: most searches are of what is new."""
        if self._client is None:
            self._client = boto3.client("athena", config=_CONFIG)
        return self._client

    def ask(self, statement: Statement) -> Sequence[Sequence[Any]] | None:
        """
        The rows that answer; None if that takes too long, and the query is stopped.

        Raises:
            Unavailable: Athena does not answer, or the statement failed.
        """
        with answering():
            query = self._athena.start_query_execution(
                QueryString=statement.text,
                ExecutionParameters=[f"'{one}'" for one in statement.parameters],  # letters, digits, `_` and `-` alone
                QueryExecutionContext={"Database": self._database},
                WorkGroup=self._workgroup,
            )["QueryExecutionId"]
            return self._rows(query) if self._waited(query) else None

    def _waited(self, query: str) -> bool:
        """Whether the query is done; else it is stopped."""
        ends, pause = time.monotonic() + self._patience, _PAUSE
        while (state := self._athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]).get(
            "State"
        ) in ("QUEUED", "RUNNING"):
            if time.monotonic() >= ends:
                with suppress(ClientError):
                    self._athena.stop_query_execution(QueryExecutionId=query)
                return False
            self._pause(pause)
            pause = min(_LONGEST_PAUSE, 1.5 * pause)
        if state.get("State") != "SUCCEEDED":
            raise Unavailable(cause=f"query {state.get('State')}", reason=state.get("StateChangeReason", "")[:200])
        return True

    def _rows(self, query: str) -> list[list[Any]]:
        pages = self._athena.get_paginator("get_query_results").paginate(QueryExecutionId=query)
        rows = [row for page in pages for row in page["ResultSet"]["Rows"]]
        return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows[1:]]  # the first is the names
