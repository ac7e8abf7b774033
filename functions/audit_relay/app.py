"""From the tables into the log: rung by the Audit table's stream, and every minute for whatever nobody rang for."""

from platforma import bootstrap
from platforma.bootstrap import environment
from platforma.edge.operator import operated
from platforma.edge.relaying import asks_for, reconcile_requests, relay_event


@operated("audit_relay", counted=("completeness", "erasures", "keepings", "logs_added", "aside"))
def handler(event: dict[str, object], _request_id: str) -> dict[str, object]:
    if asks_for("reconcile", event):
        return reconcile_requests(bootstrap.ledger(), environment.clock)
    if asks_for("erase", event):
        return {"erasures": bootstrap.erase_persons()}
    if asks_for("keep", event):
        return {"keepings": bootstrap.apply_keepings()}
    return relay_event(event, bootstrap.attendant())
