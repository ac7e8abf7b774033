"""Requests of nobody known, from the gateway's access log into the platform's own log."""

from platforma import bootstrap
from platforma.edge.gateway_log import record_strangers
from platforma.edge.operator import operated


@operated("audit_gateway")
def handler(event: dict[str, object], _request_id: str) -> dict[str, object]:
    return record_strangers(event, bootstrap.outbox().enter, bootstrap.clock)
