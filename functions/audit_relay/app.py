"""From the tables into the log: rung by the Audit table's stream, and every minute for whatever nobody rang for."""

from platforma import bootstrap
from platforma.edge.operator import operated
from platforma.edge.relaying import relay_event


@operated("audit_relay")
def handler(event: dict[str, object], _request_id: str) -> dict[str, object]:
    return relay_event(event, bootstrap.attendant())
