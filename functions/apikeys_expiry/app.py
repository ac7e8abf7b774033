"""Tells tenants which of their API keys end soon; run by a schedule."""

from platforma import bootstrap
from platforma.edge.operator import operated


@operated("apikeys_expiry", counted=("told",))
def handler(_event: dict[str, object], request_id: str) -> dict[str, object]:
    return {"told": bootstrap.apikeys.announce_expiries(request_id=request_id)}
