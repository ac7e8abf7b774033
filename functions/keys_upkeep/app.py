"""Moves records to newer keys and removes what objects left behind; run by a schedule, a minute at a time."""

from platforma import bootstrap
from platforma.bootstrap import environment
from platforma.edge.operator import operated


@operated("keys_upkeep")
def handler(_event: dict[str, object], request_id: str) -> dict[str, object]:
    return {
        "swept": bootstrap.objects.sweep_objects(now=environment.clock()),
        "rewrap": bootstrap.rewrap(request_id),
    }
