"""Parquet by DuckDB, which reads lines as they come and holds no more of them than its memory limit lets it."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platforma.audit.cold.statement import COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EXPORTED: Mapping[str, str] = {
    **dict.fromkeys(
        ("timestamp", "tenant_id", "user_id", "action", "resource", "result", "ip_address", "user_agent"), "VARCHAR"
    ),
    **dict.fromkeys(("id", "request_id", "client_request_id", "source", "principal_type", "principal_id"), "VARCHAR"),
    **dict.fromkeys(("resource_type", "reason", "received_at"), "VARCHAR"),
    "changes": "JSON",
    "decision": "JSON",
    "part": "BIGINT",
    "sequence": "BIGINT",
}
_ROW_GROUP = 20_000


class DuckDBColumns:
    """`Columns` of exports: `changes` and `decision` are JSON text."""

    def __init__(self, types: Mapping[str, str] = EXPORTED, order: str | None = None) -> None:
        self._types, self._order = types, order

    def write(self, lines: Path, parquet: Path) -> None:
        """Write the rows in *lines* (JSONL) as *parquet* (Zstandard)."""
        with _database() as database:
            if lines.stat().st_size == 0:
                nothing = ", ".join(f"NULL::{kind} AS {name}" for name, kind in self._types.items())
                found = database.sql(f"SELECT {nothing} LIMIT 0")
            else:
                found = database.read_json(str(lines), columns=dict(self._types), format="newline_delimited")
            if self._order is not None:
                found = found.order(self._order)
            found.write_parquet(str(parquet), compression="zstd", row_group_size=_ROW_GROUP)


class ColdColumns(DuckDBColumns):
    """`Columns` of the cold index."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, "place")

    def mentions(self, parquet: Path, person: str) -> bool:
        """Whether the id occurs among the personal values of any row."""
        with _database() as database:
            told = database.execute(
                "SELECT count(*) FROM read_parquet(?, hive_partitioning = false) WHERE strpos(personal, ?) > 0",
                [str(parquet), person],
            ).fetchone()
            return told is not None and told[0] > 0

    def rows(self, parquet: Path) -> Iterator[dict[str, Any]]:
        """All of its rows, in order."""
        with _database() as database:
            found = database.execute("SELECT * FROM read_parquet(?, hive_partitioning = false)", [str(parquet)])
            names = [column[0] for column in found.description or ()]
            while some := found.fetchmany(_ROW_GROUP):
                yield from (dict(zip(names, row, strict=True)) for row in some)


def _database() -> "DuckDBPyConnection":
    import duckdb  # noqa: PLC0415  in a layer that few functions carry

    # What does not fit goes to a file, by itself beside the process, where a function may not write.
    spill = f"{tempfile.gettempdir()}/duckdb"
    return duckdb.connect(":memory:", config={"memory_limit": "512MB", "threads": 2, "temp_directory": spill})
