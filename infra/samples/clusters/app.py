"""
An API of somebody else's, behind a gateway that asks PLATFORMA's authorizer first.

It runs only if the authorizer allowed the request, and learns from it who asks. It answers what it was told.
"""

import json
from typing import Any
from urllib.parse import unquote


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer a REST proxy event (payload 1.0) or an HTTP API's (payload 2.0)."""
    told = event["requestContext"]["authorizer"]
    caller = told.get("lambda", told)
    cluster = (event.get("pathParameters") or {}).get("id")
    if cluster and event.get("version") != "2.0":
        cluster = unquote(cluster)  # a REST API leaves it encoded; the authorizer asked about what it says
    print(json.dumps({"cluster": cluster, "principal_id": caller.get("principal_id")}))
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"cluster": cluster, "status": "running", "caller": caller}),
    }
