"""Requests as the gateways' and the functions' logs tell of them: strangers' events, and what completeness is shown by."""

from platforma import bootstrap
from platforma.bootstrap import environment
from platforma.edge.gateway_log import record_requests
from platforma.edge.operator import operated


@operated("audit_gateway")
def handler(event: dict[str, object], _request_id: str) -> dict[str, object]:
    return record_requests(event, enter=bootstrap.outbox().enter, ledger=bootstrap.ledger(), clock=environment.clock)
