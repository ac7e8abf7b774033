"""This API as an OpenAPI 3.1 document, made from the endpoint table and the schemas, so that it cannot drift from them."""

import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from platforma.edge.bodies import schema
from platforma.edge.endpoints import ENDPOINTS, Endpoint
from platforma.edge.problems import STATUS
from platforma.edge.schemas.common import Problem

_REF = "#/components/schemas/{model}"
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "public": [],
    "client": [{"client_basic": []}, {}],
}
_CALLER: list[dict[str, list[str]]] = [
    {"access_token": []},
    {"api_key": []},
    {"api_key_header": []},
    {"client_certificate": []},
]


def openapi(url: str) -> dict[str, Any]:
    """The document for the API served at *url*."""
    names = sorted({name for row in ENDPOINTS for name in (row.body, row.answer) if name})
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (schema(name), "serialization" if name in _answers() else "validation") for name in names
    ]
    references, definitions = models_json_schema([*models, (Problem, "serialization")], ref_template=_REF)
    by_name = {model.__name__: reference for (model, _), reference in references.items()}
    paths: dict[str, Any] = {}
    for row in ENDPOINTS:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, by_name)
    return {
        "openapi": "3.1.0",
        "info": {"title": "PLATFORMA Security", "version": "1.0.0", "description": "Who are you, may you, what happened."},
        "servers": [{"url": url}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "access_token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "api_key": {"type": "http", "scheme": "bearer", "bearerFormat": "pk_(live|test)_..."},
                "api_key_header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "client_certificate": {"type": "mutualTLS", "description": "A service's; at the internal URL."},
                "client_basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def operations() -> list[dict[str, str | None]]:
    """Every operation with its permission, as `/v1/operations` lists them."""
    return [
        {
            "operation": row.operation,
            "permission": row.permission,
            "method": row.method,
            "path": row.path,
            "access": row.access,
            "summary": row.summary,
        }
        for row in ENDPOINTS
    ]


def _answers() -> frozenset[str]:
    return frozenset(row.answer for row in ENDPOINTS if row.answer)


def _operation(row: Endpoint, models: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": row.operation,
        "summary": row.summary,
        "x-platforma-operation": row.operation,
        "x-platforma-permission": row.permission,
        "security": _SECURITY.get(row.access, _CALLER),
        "parameters": _parameters(row),
        "responses": {str(row.status): _response(row, models)} | _waiting(row) | _refusals(row, models),
    }
    if row.body is not None:
        reference = models[row.body.partition(".")[2]]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference}}}
    elif row.access == "client":
        operation["requestBody"] = {
            "required": True,
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": {
                        "type": "object",
                        "properties": {"grant_type": {"type": "string"}},
                        "required": ["grant_type"],
                    }
                }
            },
        }
    return operation


def _parameters(row: Endpoint) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", row.path)
    ]
    if row.query is not None:
        document = schema(row.query).model_json_schema()
        parameters += [
            {"name": name, "in": "query", "required": False, "schema": shape}
            for name, shape in document["properties"].items()
        ]
    if row.method == "POST" and row.status == 201:
        parameters.append(
            {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 255}}
        )
    if row.if_match:
        parameters.append(
            {"name": "If-Match", "in": "header", "required": True, "description": "ETag or *", "schema": {"type": "string"}}
        )
    return parameters


def _response(row: Endpoint, models: dict[str, Any]) -> dict[str, Any]:
    response: dict[str, Any] = {"description": "Done." if row.status == 204 else "The answer."}
    if row.status != 204:
        reference = models[row.answer.partition(".")[2]] if row.answer else {"type": "object"}
        if row.answer is None and row.path.endswith("/checkpoint"):
            return {**response, "content": {"text/plain; charset=utf-8": {"schema": {"type": "string"}}}}
        response["content"] = {"application/json": {"schema": reference}}
    return response


def _waiting(row: Endpoint) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {"202": {"description": "Not yet; see Retry-After.", "content": content}} if row.may_wait else {}


def _refusals(row: Endpoint, models: dict[str, Any]) -> dict[str, Any]:
    statuses = {400, 404, 503}
    if row.access not in ("public", "client"):
        statuses |= {401, 403}
    if row.access == "client":
        statuses |= {401, 413, 415}
    if row.body is not None:
        statuses |= {409, 413, 415, 422}
    if row.status == 201:
        statuses |= {409, 422}
    if row.query is not None:
        statuses |= {422}
    if row.if_match:
        statuses |= {409, 412, 428}
    titles = dict(STATUS.values())
    content = {"application/problem+json": {"schema": models["Problem"]}}
    if row.path.startswith("/oauth2/"):
        content = {"application/json": {"schema": {"type": "object", "required": ["error"]}}}
    return {str(status): {"description": titles.get(status, "Refused."), "content": content} for status in sorted(statuses)}
