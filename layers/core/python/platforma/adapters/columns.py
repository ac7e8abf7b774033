"""Parquet by DuckDB, which reads lines as they come and holds no more of them than its memory limit lets it."""

from pathlib import Path

_COLUMNS = (
    *("timestamp", "tenant_id", "user_id", "action", "resource", "result", "ip_address", "user_agent", "id", "request_id"),
    *("client_request_id", "source", "principal_type", "principal_id", "resource_type", "reason", "received_at"),
)
_SPECIAL = {"changes": "JSON", "decision": "JSON", "part": "BIGINT", "sequence": "BIGINT"}


class DuckDBColumns:
    """`Columns`."""

    def write(self, lines: Path, parquet: Path) -> None:
        """Write the events in *lines* as *parquet* (Zstandard); `changes` and `decision` are JSON text."""
        import duckdb  # noqa: PLC0415  in a layer that few functions carry

        types = {**dict.fromkeys(_COLUMNS, "VARCHAR"), **_SPECIAL}
        with duckdb.connect(":memory:", config={"memory_limit": "512MB", "threads": 2}) as database:
            found = database.read_json(str(lines), columns=types, format="newline_delimited")
            if lines.stat().st_size == 0:
                found = database.sql(
                    "SELECT " + ", ".join(f"NULL::{kind} AS {name}" for name, kind in types.items()) + " LIMIT 0"
                )
            found.write_parquet(str(parquet), compression="zstd")
