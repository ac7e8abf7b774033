"""
Makes two documents from the table of endpoints: the gateways' body, infra/gateway.json (OpenAPI 3.0.1, which is what API
Gateway imports), and docs/openapi.json, the API's own description as `/openapi.json` serves it. And docs/crypto.md, which
`crypto_inventory` makes of the rest of the code.

    python infra/openapi.py            writes them
    python infra/openapi.py --check    exits 1 if one is not what the code says

The gateways' body says which function answers a route, and what the gateway itself answers where no function runs. Schemas
are not in it: a function holds bodies to them, whichever gateway stands before it.
"""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BODY = ROOT / "infra" / "gateway.json"
DOCUMENT = ROOT / "docs" / "openapi.json"
sys.path[:0] = [str(ROOT / "layers" / "core" / "python"), str(ROOT)]

from infra import crypto_inventory  # noqa: E402  needs the path above
from platforma.edge.endpoints import ENDPOINTS, Endpoint  # noqa: E402  likewise
from platforma.edge.methods import keeper  # noqa: E402  likewise
from platforma.edge.openapi import openapi  # noqa: E402  likewise

_INVOCATION = (
    "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{function}.Arn}}/invocations"
)
ANY = "x-amazon-apigateway-any-method"
_REFUSALS = {
    "DEFAULT_4XX": (400, "Bad request", "malformed"),
    "DEFAULT_5XX": (500, "Internal error", "internal"),
    "ACCESS_DENIED": (403, "Forbidden", "forbidden"),
    "INVALID_SIGNATURE": (404, "Not found", "not_found"),
    "MISSING_AUTHENTICATION_TOKEN": (404, "Not found", "not_found"),
    "RESOURCE_NOT_FOUND": (404, "Not found", "not_found"),
    "REQUEST_TOO_LARGE": (413, "Too large", "too_large"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "Unsupported media type", "unsupported_media_type"),
    "QUOTA_EXCEEDED": (429, "Too many requests", "rate_limited"),
    "THROTTLED": (429, "Too many requests", "rate_limited"),
    "INTEGRATION_FAILURE": (503, "Unavailable", "unavailable"),
    "INTEGRATION_TIMEOUT": (503, "Unavailable", "unavailable"),
}
"""What the gateway answers by itself: status, title and code of the problem (RFC 9457). An unknown route is a 404."""


def logical_id(folder: str) -> str:
    """The logical id of the function in this folder: `oauth_token` is `OauthTokenFunction`."""
    return "".join(word.capitalize() for word in folder.split("_")) + "Function"


def body(endpoints: Iterable[Endpoint] = ENDPOINTS) -> dict[str, Any]:
    """The gateways' OpenAPI document, with CloudFormation's functions in it."""
    paths: dict[str, Any] = {}
    for row in sorted(endpoints, key=lambda row: (row.path, row.method)):
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row)
    for path, methods in paths.items():
        methods[ANY] = _any_other(keeper(path))
    return {
        "openapi": "3.0.1",
        "info": {"title": {"Ref": "AWS::StackName"}, "version": "1.0.0"},
        "paths": paths,
        "x-amazon-apigateway-gateway-responses": {name: _refusal(name) for name in _REFUSALS},
    }


def _any_other(row: Endpoint) -> dict[str, Any]:
    """What answers the methods that a path has no row for: the function that tells its other errors."""
    operation = _operation(row)
    del operation["operationId"]
    return operation | {"responses": {"default": {"description": "HEAD, or 405 with Allow"}}}


def _operation(row: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": "".join(word.capitalize() for word in re.split(r"[._]", row.operation)),
        "responses": {"default": {"description": row.summary}},
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": {"Fn::Sub": _INVOCATION.format(function=logical_id(row.function))},
            "passthroughBehavior": "when_no_match",
            "timeoutInMillis": 29000,
        },
    }
    names = re.findall(r"{(\w+)\+?}", row.path)
    if names:
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    return operation


def _refusal(name: str) -> dict[str, Any]:
    status, title, code = _REFUSALS[name]
    headers = {
        "Content-Type": "'application/problem+json'",
        "Cache-Control": "'no-store'",
        "X-Request-Id": "context.extendedRequestId",
    } | ({"Retry-After": "'2'"} if status in (429, 503) else {})
    problem = {"type": "about:blank", "title": title, "status": status, "detail": f"{title}.", "code": code}
    return {
        "statusCode": status,
        "responseParameters": {f"gatewayresponse.header.{header}": value for header, value in headers.items()},
        "responseTemplates": {"application/json": json.dumps(problem | {"request_id": "$context.extendedRequestId"})},
    }


def documents() -> dict[Path, str]:
    """Each generated file and its text: the gateway's body, the API's own document, the inventory of cryptography."""
    return {
        BODY: json.dumps(body(), indent=1, sort_keys=False) + "\n",
        DOCUMENT: json.dumps(openapi("https://localhost:8443"), indent=1) + "\n",
        crypto_inventory.DOCUMENT: crypto_inventory.document(),
    }


def main(arguments: list[str]) -> int:
    """Write the files, or compare them."""
    stale = [file for file, text in documents().items() if not file.exists() or file.read_text() != text]
    if "--check" in arguments:
        for file in stale:
            print(f"{file.name} is stale: python infra/openapi.py")
        return 1 if stale else 0
    for file in stale:
        file.write_text(documents()[file])
    print(f"{len(stale)} written, {len(ENDPOINTS)} endpoints.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
