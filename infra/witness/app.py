"""
A witness for a second account (C2SP tlog-witness): cosigns the checkpoints of logs that it was told of, as they only grow.

`POST /add-checkpoint` under the function's URL; `GET /` tells its verifier key. It knows nothing of the system whose logs it
sees but their public keys, and keeps of each log the text of one checkpoint. What it refuses though the log signed it is
written to its own log: that is the evidence.
"""

import base64
import json
import os
from functools import cache
from typing import Any

from platforma.adapters.witness_state import SeenInTable, witness_key
from platforma.audit.cosignature import WitnessKey
from platforma.audit.note import parse_key
from platforma.audit.witness import MAX_BODY, LogsBeside, Reply, Witness
from platforma.kernel.errors import Unavailable

_EVIDENCE = 8192


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer a request to the function's URL (payload 2.0)."""
    path, method = event["rawPath"], event["requestContext"]["http"]["method"]
    body = b""
    if path == "/" and method in ("GET", "HEAD"):
        reply = Reply(200, f"{_verifier()}\n")
    elif path != "/add-checkpoint":
        reply = Reply(404)
    elif method != "POST":
        reply = Reply(405)
    else:
        body = _body(event)
        try:
            reply = _witness().add_checkpoint(body)
        except Unavailable:
            reply = Reply(503)
    line: dict[str, Any] = {"method": method, "path": path[:100], "status": reply.status, "forked": reply.forked}
    if reply.status in (409, 422):
        line["refused"] = body[:_EVIDENCE].decode(errors="replace")
    print(json.dumps(line))
    return {"statusCode": reply.status, "headers": {"Content-Type": reply.media_type}, "body": reply.body}


def _body(event: dict[str, Any]) -> bytes:
    """What was sent; what is no request is nothing, which is none either."""
    sent = event.get("body") or ""
    if len(sent) > 2 * MAX_BODY:
        return b""
    try:
        return base64.b64decode(sent, validate=True) if event.get("isBase64Encoded") else sent.encode()
    except ValueError:
        return b""


@cache
def _witness() -> Witness:
    keys = [parse_key(text) for text in os.environ["LOG_KEYS"].split(",")]
    logs = LogsBeside(keys, every_tenant=os.environ["LOGS"] == "host")
    return Witness(os.environ["WITNESS_NAME"], witness_key(os.environ["KEY_SECRET"]), logs, SeenInTable(os.environ["TABLE"]))


def _verifier() -> WitnessKey:
    return WitnessKey(_witness().name, _witness().key.public_key().public_bytes_raw())
