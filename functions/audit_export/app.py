"""Makes the exports that were asked for; run by a schedule, each run for as long as it may."""

from platforma import bootstrap
from platforma.edge.operator import operated


@operated("audit_export")
def handler(_event: dict[str, object], _request_id: str) -> dict[str, object]:
    return bootstrap.make_exports()
