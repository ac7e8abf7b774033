"""Set the platform up; run by an operator, through no gateway."""

from platforma import bootstrap
from platforma.edge.operator import operated


@operated("platform_setup")
def handler(event: dict[str, object], request_id: str) -> dict[str, object]:
    return bootstrap.set_up().run(event, request_id)
