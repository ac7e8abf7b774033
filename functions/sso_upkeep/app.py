"""Keeps connections current: the records of proved domains, the metadata of providers, and what of it ends."""

from platforma import bootstrap
from platforma.edge.operator import operated


@operated("sso_upkeep", counted=("checked", "lost", "refreshed", "unread", "ending"))
def handler(_event: dict[str, object], request_id: str) -> dict[str, object]:
    return bootstrap.sso_upkeep(request_id)
