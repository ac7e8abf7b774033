"""From the tables into the log: rung by the Audit table's stream, and every minute for whatever nobody rang for."""

from platforma import bootstrap
from platforma.edge.operator import operated
from platforma.edge.relaying import is_reconciliation, reconcile_requests, relay_event


@operated("audit_relay", counted=("completeness",))
def handler(event: dict[str, object], _request_id: str) -> dict[str, object]:
    if is_reconciliation(event):
        return reconcile_requests(bootstrap.ledger(), bootstrap.clock)
    return relay_event(event, bootstrap.attendant())
