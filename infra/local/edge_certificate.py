"""The edge's certificate, through our own ACME client, as a platform client would have it: ordered, then followed."""

import json
import time
from typing import Any

from cryptography import x509

from infra.local import aws, edge
from infra.local.api import API, Token
from infra.local.stack import Stack

HOST = "localhost"
PATIENCE_SECONDS = 45.0


def ensure(stack: Stack, api: API, platform: Token) -> str:
    """
    Have the edge show a certificate of the authority; a word on how that went.

    The edge has one of Vault's own from its first start on, so that nothing waits for this: where the authority is slow the
    schedule goes on with the order.
    """
    record = _record(api, platform)
    if record is None or record["status"] in ("failed", "revoked"):
        record = api.call("POST", "/v1/certificates", token=platform, expect=202, json={"domains": [HOST]}).json()
    elif record["status"] == "expired" or (record["status"] == "valid" and record["serial_number"] != _shown(stack)):
        api.call("POST", f"/v1/certificates/{record['id']}/renew", token=platform, expect=202)
    elif record["status"] == "valid":
        return "as it was"
    began = record["serial_number"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        _work(stack)
        record = api.call("GET", f"/v1/certificates/{record['id']}", token=platform, expect=200).json()
        if record["status"] == "valid" and record["serial_number"] != began:
            return f"good until {record['not_after'][:10]}"
        time.sleep(1)
    return f"still under way ({record['problem'] or record['progress']})"


def _record(api: API, platform: Token) -> dict[str, Any] | None:
    """The newest record that is for the edge's host."""
    items = api.call("GET", "/v1/certificates", token=platform, expect=200, params={"limit": "200"}).json()["items"]
    return next((item for item in items if HOST in item["domains"]), None)


def _shown(stack: Stack) -> str:
    """The serial number of what lies in the edge's folder, as the API writes it."""
    leaf = x509.load_pem_x509_certificate(edge.certificate(stack).certificate.read_bytes())
    return format(leaf.serial_number, "x")


def _work(stack: Stack) -> None:
    """What the schedule does each minute, now."""
    function = aws.outputs_of(stack, "platforma")["OrdersFunction"]
    event = json.dumps({"source": "schedule", "job": "work"}).encode()
    aws.client("lambda", stack.aws_url).invoke(FunctionName=function, Payload=event)["Payload"].read()
