"""Keeps connections current: looks at the records of proved domains; run by a schedule."""

from platforma import bootstrap
from platforma.edge.operator import operated


@operated("sso_upkeep", counted=("checked", "lost"))
def handler(_event: dict[str, object], request_id: str) -> dict[str, object]:
    return bootstrap.sso_upkeep(request_id)
