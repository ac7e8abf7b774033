"""Makes the exports that were asked for, and pushes streams; each run by its schedule, for as long as it may."""

from platforma import bootstrap
from platforma.edge.operator import operated


@operated("audit_export", counted=("delivered", "failing", "suspended"))
def handler(event: dict[str, object], request_id: str) -> dict[str, object]:
    return bootstrap.push_streams(request_id) if event.get("job") == "streams" else bootstrap.make_exports()
