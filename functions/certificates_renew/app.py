"""Renews the functions' client certificates for Vault before half of their life; by a schedule, or all for an operator."""

from platforma import bootstrap
from platforma.edge.operator import operated


@operated("certificates_renew")
def handler(event: dict[str, object], request_id: str) -> dict[str, object]:
    return {"renewed": bootstrap.renew_client_certificates(request_id, every=event.get("every") is True)}
