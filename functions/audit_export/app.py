"""Exports, what persons are taken out of, streams, and witnesses, by the minute; old events in Parquet, by the hour."""

from platforma import bootstrap
from platforma.edge.operator import operated
from platforma.edge.relaying import asks_for


@operated(
    "audit_export",
    counted=(
        "delivered",
        "failing",
        "suspended",
        "cold",
        "forgotten",
        "failed",
        "cosigned",
        "witnesses_failing",
        "witnesses_contradicting",
    ),
)
def handler(event: dict[str, object], request_id: str) -> dict[str, object]:
    if asks_for("streams", event):
        return bootstrap.push_streams(request_id)
    if asks_for("witnesses", event):
        return bootstrap.offer_checkpoints(request_id)
    if asks_for("compact", event):
        return {"cold": bootstrap.compact_logs()}
    forgotten = {"forgotten": bootstrap.forget_persons(), "forgotten_exported": bootstrap.forget_exported()}
    return {**forgotten, **bootstrap.make_exports()}
