"""Tells clients of sessions that ended, as a queue asks for it; a schedule finds those whose message was lost."""

from typing import Any

from platforma import bootstrap
from platforma.edge.operator import operated


@operated("oauth_logout", counted=("delivered", "pending", "failed", "dropped", "late", "settled"))
def handler(event: dict[str, Any], request_id: str) -> dict[str, int]:
    if event.get("source") == "schedule":
        return dict(bootstrap.oauth.find_late_logouts())
    return bootstrap.tell_clients([record["body"] for record in event["Records"]], request_id)
